//! Plot of the power against the number of images.

use plotters::prelude::*;
use tailfold_plot::{COLOURS, Canvas, Painted, Picture, legend};

use crate::cells::{DISCORDANCE, Found, LEVEL, REPLICATIONS};

/// One line per discordance, and below it dots for the false passes at the margin.
pub(crate) struct Power<'a>(pub(crate) &'a Found);

impl Picture for Power<'_> {
    fn size(&self) -> (u32, u32) {
        (1000, 480)
    }

    fn paint<B: DrawingBackend>(&self, canvas: &Canvas<B>) -> Painted<B> {
        canvas.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(canvas)
            .caption(
                "how often a candidate passes: losing nothing (lines), losing exactly the margin of 1 point (dots)",
                ("sans-serif", 17),
            )
            .margin(14)
            .x_label_area_size(44)
            .y_label_area_size(52)
            .build_cartesian_2d((45.0..20000.0).log_scale(), -2.0..102.0)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(BLACK.mix(0.12))
            .x_desc("images of the group")
            .x_label_formatter(&|n: &f64| format!("{n:.0}"))
            .y_desc("passes, %")
            .draw()?;
        let level = [(45.0, 100.0 * LEVEL), (3300.0, 100.0 * LEVEL)];
        chart.draw_series(LineSeries::new(level, BLACK.mix(0.6).stroke_width(1)))?;
        let share = |passes: usize| 100.0 * passes as f64 / REPLICATIONS as f64;
        for (discordance, colour) in DISCORDANCE.into_iter().zip(COLOURS) {
            let of = |cells: &'_ [crate::cells::Cell]| -> Vec<(f64, f64)> {
                cells
                    .iter()
                    .filter(|cell| (cell.discordance - discordance).abs() < 1e-9)
                    .map(|cell| (cell.images as f64, share(cell.passes)))
                    .collect()
            };
            chart
                .draw_series(LineSeries::new(of(&self.0.equal), colour.stroke_width(2)))?
                .label(format!("{:.1} % of the images differ", 100.0 * discordance))
                .legend(move |(x, y)| {
                    PathElement::new([(x, y), (x + 14, y)], colour.stroke_width(2))
                });
            let dots = of(&self.0.margin);
            chart.draw_series(dots.into_iter().map(|p| Circle::new(p, 3, colour.filled())))?;
        }
        legend(&mut chart)
    }
}
