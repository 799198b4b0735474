//! Masses of cells against their targets, with a band of one sample's weight.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::axis::{LETTERS, TITLE_ROOM, WIDTH, decades, percent, title};
use crate::{Canvas, Painted, Picture};

/// Masses under one set of offsets.
#[derive(Clone, Debug)]
pub struct MassSeries {
    /// Name in the legend.
    pub title: String,
    /// Colour of the dots.
    pub colour: RGBColor,
    /// Target and mass of each class, as shares of 1.
    pub points: Vec<(f64, f64)>,
}

/// Chart of masses against targets on logarithmic axes; a class on the diagonal has its target mass.
#[derive(Clone, Debug)]
pub struct MassesChart<'a> {
    /// Title above the chart.
    pub title: &'a str,
    /// The series; later dots cover earlier ones.
    pub series: &'a [MassSeries],
    /// Largest sample weight, as a share of 1: the resolution of the masses, drawn as a band. 0 draws no band.
    pub floor: f64,
}

impl Picture for MassesChart<'_> {
    fn size(&self) -> (u32, u32) {
        (WIDTH, 760)
    }

    fn paint<B: DrawingBackend>(&self, canvas: &Canvas<B>) -> Painted<B> {
        canvas.fill(&WHITE)?;
        title(canvas, self.title)?;
        let points = || self.series.iter().flat_map(|s| &s.points);
        let (left, right) = decades(points().map(|p| p.0));
        let (bottom, top) = decades(points().flat_map(|p| [p.0, p.1]));
        let mut chart = ChartBuilder::on(canvas)
            .margin(14)
            .margin_top(TITLE_ROOM)
            .margin_right(54)
            .x_label_area_size(90)
            .y_label_area_size(156)
            .build_cartesian_2d((left..right).log_scale(), (bottom..top).log_scale())?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(BLACK.mix(0.12))
            .label_style(("sans-serif", LETTERS))
            .axis_desc_style(("sans-serif", LETTERS))
            .x_desc("target of the class")
            .x_label_formatter(&|v| percent(*v))
            .y_desc("mass of its cell")
            .y_label_formatter(&|v| percent(*v))
            .draw()?;
        let (low, high) = (left.max(bottom), right.min(top));
        if self.floor > 0.0 {
            let steps = 60;
            let along = |i: i32| low * (high / low).powf(f64::from(i) / f64::from(steps));
            let upper = (0..=steps).map(|i| (along(i), (along(i) + self.floor).min(top)));
            let lower = (0..=steps)
                .rev()
                .map(|i| (along(i), (along(i) - self.floor).max(bottom)));
            let band: Vec<_> = upper.chain(lower).collect();
            chart
                .draw_series([Polygon::new(band, RGBColor(222, 222, 222).filled())])?
                .label("within one sample")
                .legend(|(x, y)| {
                    let box_ = [(x, y - 9), (x + 20, y + 9)];
                    Rectangle::new(box_, RGBColor(222, 222, 222).filled())
                });
        }
        let diagonal = [(low, low), (high, high)];
        chart.draw_series(LineSeries::new(diagonal, BLACK.mix(0.6).stroke_width(2)))?;
        let mut gone = false;
        for series in self.series {
            let colour = series.colour;
            // A cell without mass has no position on a logarithmic axis, so a ring at the axis stands for it.
            let (there, none): (Vec<_>, Vec<_>) = series.points.iter().partition(|p| p.1 > 0.0);
            gone |= !none.is_empty();
            chart
                .draw_series(there.iter().map(|&&p| Circle::new(p, 5, colour.filled())))?
                .label(&series.title)
                .legend(move |(x, y)| Circle::new((x + 10, y), 7, colour.filled()));
            let rings = none.iter().map(|p| {
                EmptyElement::at((p.0, bottom)) + Circle::new((0, -9), 7, colour.stroke_width(2))
            });
            chart.draw_series(rings)?;
        }
        if gone {
            let style = ("sans-serif", LETTERS).into_font().color(&BLACK);
            let style = style.pos(Pos::new(HPos::Right, VPos::Bottom));
            let at = EmptyElement::at((right, bottom));
            chart.draw_series([at + Text::new("rings: no mass at all", (-8, -20), style)])?;
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .margin(14)
            .legend_area_size(34)
            .background_style(WHITE.mix(0.9))
            .border_style(BLACK.mix(0.2))
            .label_font(("sans-serif", LETTERS))
            .draw()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::svg;

    #[test]
    fn class_without_mass_is_a_ring_and_explained() {
        let picture = |points: &[(f64, f64)]| {
            let series = [MassSeries {
                title: "solved".to_owned(),
                colour: BLACK,
                points: points.to_vec(),
            }];
            svg(&MassesChart {
                title: "t",
                series: &series,
                floor: 0.01,
            })
            .unwrap()
        };
        let full = picture(&[(0.5, 0.4), (0.5, 0.6)]);
        let lost = picture(&[(0.5, 1.0), (0.5, 0.0)]);
        for text in [&full, &lost] {
            // One dot or ring per class, and one in the legend.
            assert_eq!(text.matches("<circle").count(), 3);
            assert!(text.contains("100 %"));
        }
        assert!(lost.contains("no mass at all") && !full.contains("no mass at all"));
        assert!(picture(&[]).contains("target of the class"));
    }
}
