//! The demo's picture: recall of each class against its training images, before and after.

use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use tailfold_spec::Group;

use tailfold_plot::{COLOURS, Canvas, Painted, Picture};

/// One line of the chart: a stage and its recall a class.
pub(crate) struct Series {
    pub(crate) name: String,
    /// `[num_classes]`, shares of 1, label order.
    pub(crate) recall: Vec<f64>,
}

/// `series` over the classes, ordered by training count.
pub(crate) struct RecallChart<'a> {
    pub(crate) title: &'a str,
    pub(crate) classes: &'a [String],
    pub(crate) counts: &'a [u64],
    pub(crate) series: &'a [Series],
}

type Chart<'a, B> = ChartContext<'a, B, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

impl Picture for RecallChart<'_> {
    fn size(&self) -> (u32, u32) {
        (900, 460)
    }

    fn paint<B: DrawingBackend>(&self, root: &Canvas<B>) -> Painted<B> {
        let Self {
            title,
            classes,
            counts,
            series,
        } = *self;
        let mut order: Vec<usize> = (0..classes.len()).collect();
        order.sort_by_key(|&class| std::cmp::Reverse(counts[class]));
        root.fill(&WHITE)?;
        let last = order.len() as f64;
        let mut chart: Chart<'_, B> = ChartBuilder::on(root)
            .caption(title, ("sans-serif", 19))
            .margin(14)
            .x_label_area_size(64)
            .y_label_area_size(52)
            .build_cartesian_2d(-0.5..last - 0.5, 0.0..1.0)?;
        // A band behind each group.
        let shade = |group| match group {
            Group::Many => RGBColor(246, 246, 246),
            Group::Medium => RGBColor(236, 242, 248),
            Group::Few => RGBColor(255, 240, 226),
        };
        for (at, &class) in order.iter().enumerate() {
            let x = at as f64;
            let colour = shade(Group::of_count(counts[class]));
            chart.draw_series([Rectangle::new(
                [(x - 0.5, 0.0), (x + 0.5, 1.0)],
                colour.filled(),
            )])?;
        }
        chart
            .configure_mesh()
            .disable_x_mesh()
            .disable_x_axis()
            .light_line_style(TRANSPARENT)
            .bold_line_style(BLACK.mix(0.12))
            .y_labels(6)
            .y_label_formatter(&|v| format!("{:.0} %", 100.0 * v))
            .y_desc("recall on the test set")
            .draw()?;
        let centred = ("sans-serif", 12)
            .into_font()
            .color(&BLACK)
            .pos(Pos::new(HPos::Center, VPos::Top));
        for (at, &class) in order.iter().enumerate() {
            let (x, y) = chart.backend_coord(&(at as f64, 0.0));
            root.draw(&Text::new(
                classes[class].clone(),
                (x, y + 6),
                centred.clone(),
            ))?;
            let group = Group::of_count(counts[class]);
            root.draw(&Text::new(
                format!("{} ({group})", counts[class]),
                (x, y + 22),
                centred.clone(),
            ))?;
        }
        let (x, y) = chart.backend_coord(&((last - 1.0) / 2.0, 0.0));
        root.draw(&Text::new("training images", (x, y + 42), centred))?;
        for (index, line) in series.iter().enumerate() {
            let colour = COLOURS[index % COLOURS.len()];
            let points: Vec<(f64, f64)> = order
                .iter()
                .enumerate()
                .map(|(at, &class)| (at as f64, line.recall[class]))
                .collect();
            let radius = if index + 1 == series.len() { 3 } else { 5 };
            chart
                .draw_series(LineSeries::new(points.clone(), colour.stroke_width(2)))?
                .label(line.name.clone())
                .legend(move |(x, y)| {
                    PathElement::new([(x, y), (x + 22, y)], colour.stroke_width(3))
                });
            chart.draw_series(
                points
                    .into_iter()
                    .map(|p| Circle::new(p, radius, colour.filled())),
            )?;
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::LowerLeft)
            .background_style(WHITE.mix(0.9))
            .border_style(BLACK.mix(0.2))
            .label_font(("sans-serif", 14))
            .draw()?;
        Ok(())
    }
}
