//! Convergence of a solver: the error of its masses against the sample rows that it has read, coloured by
//! temperature.

mod heat;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use self::heat::Heat;
use crate::axis::{LETTERS, TITLE_ROOM, WIDTH, decades, power, title};
use crate::{Canvas, Painted, Picture};

/// The masses after one step of the solver.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Sample rows read so far.
    pub rows: u64,
    /// Temperature in score units; 0 for a step with hard cells.
    pub epsilon: f64,
    /// `sum_j (mass_j - target_j)^2 / target_j` of the hard cells.
    pub chi_square: f64,
}

/// The steps of one solve.
#[derive(Clone, Debug)]
pub struct Walk {
    /// Name in the legend.
    pub title: String,
    /// The steps, ascending by `rows`.
    pub steps: Vec<Step>,
}

/// Chart of solves on logarithmic axes; each solve has its own mark.
#[derive(Clone, Debug)]
pub struct Convergence<'a> {
    /// Title above the chart.
    pub title: &'a str,
    /// The solves.
    pub walks: &'a [Walk],
    /// Errors to compare with, descending, and their names, such as the tolerance and the sample floor.
    pub lines: &'a [(f64, &'a str)],
}

/// Room right of the chart for the temperature scale, pixels.
const SCALE: i32 = 144;

impl Picture for Convergence<'_> {
    fn size(&self) -> (u32, u32) {
        (WIDTH, 640)
    }

    fn paint<B: DrawingBackend>(&self, canvas: &Canvas<B>) -> Painted<B> {
        canvas.fill(&WHITE)?;
        title(canvas, self.title)?;
        let steps = || self.walks.iter().flat_map(|walk| &walk.steps);
        let (fewest, most) = decades(steps().map(|s| s.rows as f64));
        let errors = steps().map(|s| s.chi_square);
        let (least, largest) = decades(errors.chain(self.lines.iter().map(|l| l.0)));
        let heat = Heat::of(steps().map(|s| s.epsilon));
        let mut chart = ChartBuilder::on(canvas)
            .margin(14)
            .margin_top(TITLE_ROOM)
            .margin_right(SCALE)
            .x_label_area_size(90)
            .y_label_area_size(118)
            .build_cartesian_2d((fewest..most).log_scale(), (least..largest).log_scale())?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(BLACK.mix(0.12))
            .label_style(("sans-serif", LETTERS))
            .axis_desc_style(("sans-serif", LETTERS))
            .x_desc("rows of the sample walked")
            .x_label_formatter(&|v| power(*v))
            .y_desc("χ² of the cells' masses")
            .y_label_formatter(&|v| power(*v))
            .draw()?;
        for (at, &(error, name)) in self.lines.iter().enumerate() {
            let ends = [(fewest, error), (most, error)];
            chart.draw_series(DashedLineSeries::new(ends, 8, 6, BLACK.stroke_width(2)))?;
            let style = ("sans-serif", LETTERS).into_font().color(&BLACK);
            // Labels alternate above and below their lines, because two lines may be close together.
            let (vertical, lift) = [(VPos::Bottom, -4), (VPos::Top, 6)][at % 2];
            let style = style.pos(Pos::new(HPos::Left, vertical));
            let start = EmptyElement::at((fewest, error));
            chart.draw_series([start + Text::new(name.to_owned(), (10, lift), style)])?;
        }
        for (index, walk) in self.walks.iter().enumerate() {
            // Zero has no logarithm, so such a step is drawn on the axis.
            let place = |s: &Step| ((s.rows as f64).max(fewest), s.chi_square.max(least));
            let line = walk.steps.iter().map(place);
            chart.draw_series(LineSeries::new(line, BLACK.mix(0.35).stroke_width(2)))?;
            let marks = walk
                .steps
                .iter()
                .map(|s| EmptyElement::at(place(s)) + mark((0, 0), index, heat.colour(s.epsilon)));
            chart
                .draw_series(marks)?
                .label(&walk.title)
                .legend(move |(x, y)| mark((x + 10, y), index, RGBColor(90, 90, 90)));
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperRight)
            .margin(14)
            .legend_area_size(34)
            .background_style(WHITE.mix(0.9))
            .border_style(BLACK.mix(0.2))
            .label_font(("sans-serif", LETTERS))
            .draw()?;
        let (_, vertical) = chart.plotting_area().get_pixel_range();
        heat.scale(canvas, vertical.start + 40, vertical.end)
    }
}

/// The mark of solve `index`: a diamond, a square or a triangle, then the diamond again.
fn mark((x, y): (i32, i32), index: usize, colour: RGBColor) -> Polygon<(i32, i32)> {
    let corners: &[(i32, i32)] = match index % 3 {
        0 => &[(-9, 0), (0, -9), (9, 0), (0, 9)],
        1 => &[(-7, -7), (7, -7), (7, 7), (-7, 7)],
        _ => &[(-9, 7), (9, 7), (0, -9)],
    };
    let corners: Vec<_> = corners.iter().map(|(a, b)| (x + a, y + b)).collect();
    Polygon::new(corners, colour.filled())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::svg;

    #[test]
    fn every_step_has_a_mark_and_zero_error_is_on_the_axis() {
        let step = |rows, epsilon, chi_square| Step {
            rows,
            epsilon,
            chi_square,
        };
        let picture = |steps: &[Step]| {
            let walks = [Walk {
                title: "cold".to_owned(),
                steps: steps.to_vec(),
            }];
            svg(&Convergence {
                title: "t",
                walks: &walks,
                lines: &[(1e-3, "tolerance")],
            })
            .unwrap()
        };
        let steps = [step(0, 0.0, 3.0), step(900, 0.5, 0.1), step(2000, 0.0, 0.0)];
        let text = picture(&steps);
        assert_eq!(text, picture(&steps));
        // One mark per step, and one in the legend.
        assert_eq!(text.matches("<polygon").count(), 4);
        assert!(
            text.contains("tolerance") && text.contains("10⁻³"),
            "{text}"
        );
        assert!(!text.contains("NaN"));
        // An empty chart is not an error.
        assert!(picture(&[]).contains("rows of the sample walked"));
    }
}
