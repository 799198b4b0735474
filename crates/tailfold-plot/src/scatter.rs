//! Per-class values against the number of training images.

use plotters::coord::ranged1d::{Ranged, ValueFormatter};
use plotters::prelude::*;

use crate::{Canvas, Painted, Picture};

/// One series, with one point per class.
#[derive(Clone, Debug)]
pub struct Curve {
    /// Name in the legend.
    pub title: String,
    /// Colour of the points and their line.
    pub colour: RGBColor,
    /// Number of training images, at least 1, and value of each class.
    pub points: Vec<(f64, f64)>,
}

/// Series over a logarithmic axis of training images.
#[derive(Clone, Debug)]
pub struct Scatter<'a> {
    /// Title above the chart.
    pub title: &'a str,
    /// Description of the values, at the y axis.
    pub y: &'a str,
    /// The series; together they have at least one point.
    pub curves: &'a [Curve],
    /// A thin line to compare with; may be empty.
    pub line: Vec<(f64, f64)>,
}

impl Picture for Scatter<'_> {
    fn size(&self) -> (u32, u32) {
        (1000, 480)
    }

    fn paint<B: DrawingBackend>(&self, canvas: &Canvas<B>) -> Painted<B> {
        canvas.fill(&WHITE)?;
        let all = || self.curves.iter().flat_map(|c| &c.points).chain(&self.line);
        let span = |of: fn(&(f64, f64)) -> f64| {
            all().map(of).fold((f64::MAX, f64::MIN), |(low, high), v| {
                (low.min(v), high.max(v))
            })
        };
        let ((fewest, most), (lowest, highest)) = (span(|p| p.0), span(|p| p.1));
        let pad = 0.05 * (highest - lowest).max(1e-3);
        // Leaves room for the legend on the right.
        let right = most * (most / fewest).powf(0.35);
        let mut chart = ChartBuilder::on(canvas)
            .caption(self.title, ("sans-serif", 17))
            .margin(14)
            .x_label_area_size(44)
            .y_label_area_size(52)
            .build_cartesian_2d(
                (0.9 * fewest..right.max(1.2 * most)).log_scale(),
                lowest - pad..highest + pad,
            )?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(BLACK.mix(0.12))
            .x_desc("training images of the class")
            .x_label_formatter(&|n| format!("{n:.0}"))
            .y_desc(self.y)
            .draw()?;
        let line = self.line.iter().copied();
        chart.draw_series(LineSeries::new(line, BLACK.mix(0.5).stroke_width(1)))?;
        for curve in self.curves {
            let colour = curve.colour;
            // A line through a hundred classes would hide them.
            if curve.points.len() <= 20 {
                let points = curve.points.iter().copied();
                chart.draw_series(LineSeries::new(points, colour.stroke_width(2)))?;
            }
            let points = curve.points.iter();
            chart
                .draw_series(points.map(|&p| Circle::new(p, 3, colour.filled())))?
                .label(&curve.title)
                .legend(move |(x, y)| Circle::new((x + 7, y), 4, colour.filled()));
        }
        legend(&mut chart)
    }
}

/// Draws the legend of a chart at its upper right.
///
/// # Errors
/// The error of the drawing backend.
pub fn legend<'a, B: DrawingBackend + 'a, X, Y>(
    chart: &mut ChartContext<'a, B, Cartesian2d<X, Y>>,
) -> Painted<B>
where
    X: Ranged<ValueType = f64> + ValueFormatter<f64>,
    Y: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE.mix(0.9))
        .border_style(BLACK.mix(0.2))
        .label_font(("sans-serif", 13))
        .draw()
}
