//! `tailfold-lab recall`: draws the recall of each class against its training images, at several stages.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use serde::Deserialize;
use tailfold_plot::{COLOURS, Canvas, Painted, Picture};
use tailfold_spec::{Group, artifact};

/// Draw the recall of each class against its training images, at several stages.
///
/// The JSON file has `title`, `classes` (names), `counts` (training images per class) and `series`. Each of the
/// `series` has a `name` and a `recall` per class, between 0 and 1.
///
/// Example: tailfold-lab recall --from recall.json --out recall
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// JSON file with the recall at all stages.
    #[arg(long)]
    from: PathBuf,
    /// Charts to write, without extension: `.svg` and `.png` are added.
    #[arg(long)]
    out: PathBuf,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let file = args.from.display();
    let chart: RecallChart = serde_json::from_slice(&artifact::read(&args.from)?)
        .with_context(|| format!("{file} has no recall per class"))?;
    chart.check().with_context(|| file.to_string())?;
    tailfold_plot::save(&args.out, &chart)?;
    Ok(ExitCode::SUCCESS)
}

/// One line of the chart.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Series {
    /// Name of the stage.
    name: String,
    /// `[num_classes]`, recall between 0 and 1, in label order.
    recall: Vec<f64>,
}

/// A chart of `series` over the classes, which are ordered by training count.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecallChart {
    title: String,
    /// `[num_classes]`, names in label order.
    classes: Vec<String>,
    /// `[num_classes]`, training images in label order.
    counts: Vec<u64>,
    series: Vec<Series>,
}

impl RecallChart {
    /// Checks that every list has one value per class.
    fn check(&self) -> anyhow::Result<()> {
        let classes = self.classes.len();
        ensure!(classes > 0, "there is no class");
        let counts = self.counts.len();
        ensure!(counts == classes, "{counts} counts for {classes} classes");
        for Series { name, recall } in &self.series {
            let found = recall.len();
            ensure!(
                found == classes,
                "`{name}` has the recall of {found} classes, expected {classes}"
            );
        }
        Ok(())
    }
}

type Chart<'a, B> = ChartContext<'a, B, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

impl Picture for RecallChart {
    fn size(&self) -> (u32, u32) {
        (900, 460)
    }

    fn paint<B: DrawingBackend>(&self, root: &Canvas<B>) -> Painted<B> {
        let Self {
            title,
            classes,
            counts,
            series,
        } = self;
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
        // Each class group has a shaded band behind it.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(counts: &str, recall: &str) -> anyhow::Result<RecallChart> {
        let text = format!(
            r#"{{"title":"t","classes":["cat","lynx"],"counts":{counts},"series":[{{"name":"INT8","recall":{recall}}}]}}"#
        );
        let chart: RecallChart = serde_json::from_str(&text)?;
        chart.check()?;
        Ok(chart)
    }

    #[test]
    fn every_class_and_stage_is_drawn() {
        let svg = tailfold_plot::svg(&chart("[500,5]", "[0.9,0.4]").unwrap()).unwrap();
        for text in ["cat", "lynx", "500 (many)", "5 (few)", "INT8"] {
            assert!(svg.contains(text), "{text} is not in {svg}");
        }
    }

    #[test]
    fn list_of_wrong_length_is_error() {
        let error = chart("[500]", "[0.9,0.4]").unwrap_err().to_string();
        assert_eq!(error, "1 counts for 2 classes");
        let error = chart("[500,5]", "[0.9]").unwrap_err().to_string();
        assert_eq!(error, "`INT8` has the recall of 1 classes, expected 2");
    }
}
