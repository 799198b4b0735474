//! Charts of a ladder: accuracy per class group, and recall and offset of each class against its training images.

use std::path::Path;

use plotters::prelude::*;
use tailfold_console::say;

use super::report::{ArmReport, Columns, Report};
use super::run::Class;
use tailfold_plot::{COLOURS, Canvas, Curve, Painted, Picture, Scatter, legend};

/// Draws the charts for which the report has numbers to `out`, and returns their names.
pub(super) fn draw(report: &Report, out: &Path) -> anyhow::Result<Vec<&'static str>> {
    let mut names = vec!["groups"];
    tailfold_plot::save(&out.join("groups"), &Groups(report))?;
    let curves = |value: fn(&[Class], usize) -> Option<f64>| -> Vec<Curve> {
        let of_arm = |(index, arm): (usize, &ArmReport)| curve(arm, index, value);
        report.arms.iter().enumerate().filter_map(of_arm).collect()
    };
    let recall = curves(|classes, at| classes[at].recall.map(|share| 100.0 * share));
    if recall.is_empty() {
        say("no run has a recall.csv: no pictures of recall and offsets");
        return Ok(names);
    }
    let chart = Scatter {
        title: "Recall on the test data against training images, mean over seeds",
        y: "recall, %",
        curves: &recall,
        line: Vec::new(),
    };
    tailfold_plot::save(&out.join("recall"), &chart)?;
    names.push("recall");
    let mut offsets = curves(|classes, at| Some(classes[at].offset));
    offsets.retain(|curve| curve.points.iter().any(|(_, h)| h.abs() > 1e-9));
    if !offsets.is_empty() {
        let chart = Scatter {
            title: "Folded class offsets against training images, mean over seeds; line: minus the log of the prior",
            y: "offset, logits",
            curves: &offsets,
            line: prior_line(report),
        };
        tailfold_plot::save(&out.join("offsets"), &chart)?;
        names.push("offsets");
    }
    Ok(names)
}

/// A chart with one row per arm, and in it one point with its standard error per class group.
struct Groups<'a>(&'a Report);

impl Groups<'_> {
    /// Ends of the axis: multiples of ten that enclose every mean with its error.
    fn span(&self) -> (f64, f64) {
        let means = self.0.arms.iter().flat_map(|arm| arm.last.all()).flatten();
        let (low, high) = means.fold((100.0_f64, 0.0_f64), |(low, high), mean| {
            let error = mean.standard_error.unwrap_or(0.0);
            (low.min(mean.mean - error), high.max(mean.mean + error))
        });
        let (low, high) = (10.0 * (low / 10.0).floor(), 10.0 * (high / 10.0).ceil());
        (low.max(0.0), high.max(low + 10.0).min(100.0))
    }
}

impl Picture for Groups<'_> {
    fn size(&self) -> (u32, u32) {
        let rows = u32::try_from(self.0.arms.len()).unwrap_or(100);
        (1060, 140 + 26 * rows.min(100))
    }

    fn paint<B: DrawingBackend>(&self, canvas: &Canvas<B>) -> Painted<B> {
        canvas.fill(&WHITE)?;
        let arms = &self.0.arms;
        let rows = arms.len() as f64;
        let (low, high) = self.span();
        let mut chart = ChartBuilder::on(canvas)
            .caption(&self.0.title, ("sans-serif", 19))
            .margin(14)
            .x_label_area_size(44)
            .y_label_area_size(400)
            // Room for the legend on the right.
            .build_cartesian_2d(low..high + 0.15 * (high - low), -0.5..rows - 0.5)?;
        // The first arm is at the top.
        let height = |row: usize| rows - 1.0 - row as f64;
        let title = |at: &f64| {
            let near = |(row, _): &(usize, &ArmReport)| (at - height(*row)).abs() < 1e-6;
            let arm = arms.iter().enumerate().find(near);
            arm.map_or_else(String::new, |(_, arm)| arm.title.clone())
        };
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(BLACK.mix(0.12))
            .y_labels(arms.len() + 1)
            .y_label_formatter(&title)
            .x_label_formatter(&|at| {
                if *at <= high {
                    format!("{at:.0}")
                } else {
                    String::new()
                }
            })
            .x_desc("top-1 on the test data, %; bars: one standard error over seeds")
            .draw()?;
        for (group, name) in Columns::NAMES.iter().enumerate() {
            let colour = COLOURS[group % COLOURS.len()];
            // Groups are shifted within the row, so that no point hides another.
            let shift = 0.18 * (1.5 - group as f64);
            let points: Vec<_> = arms
                .iter()
                .enumerate()
                .filter_map(|(row, arm)| Some((height(row) + shift, arm.last.all()[group]?)))
                .collect();
            chart
                .draw_series(
                    points
                        .iter()
                        .map(|(y, mean)| Circle::new((mean.mean, *y), 4, colour.filled())),
                )?
                .label(*name)
                .legend(move |(x, y)| Circle::new((x + 7, y), 4, colour.filled()));
            chart.draw_series(points.iter().filter_map(|(y, mean)| {
                let error = mean.standard_error?;
                let ends = vec![(mean.mean - error, *y), (mean.mean + error, *y)];
                Some(PathElement::new(ends, colour.stroke_width(2)))
            }))?;
        }
        legend(&mut chart)
    }
}

/// The curve of a value per class over its training images, as the mean over an arm's seeds.
///
/// Classes without the value are left out. `None` for an arm without values.
fn curve(
    arm: &ArmReport,
    index: usize,
    value: fn(&[Class], usize) -> Option<f64>,
) -> Option<Curve> {
    let runs: Vec<&[Class]> = arm.finished.iter().map(|run| &run.classes[..]).collect();
    let first = runs.first()?;
    let mut points = Vec::new();
    for (at, class) in first.iter().enumerate() {
        let values = runs.iter().filter(|run| run.len() == first.len());
        let values: Option<Vec<f64>> = values.map(|run| value(run, at)).collect();
        if let Some(values) = values {
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            points.push((class.train_count.max(1) as f64, mean));
        }
    }
    points.sort_by(|a, b| f64::total_cmp(&a.0, &b.0));
    (!points.is_empty()).then(|| Curve {
        title: arm.title.clone(),
        colour: COLOURS[index % COLOURS.len()],
        points,
    })
}

/// The line of minus the log of the training prior, centred at zero like the offsets.
fn prior_line(report: &Report) -> Vec<(f64, f64)> {
    let mut runs = report.arms.iter().flat_map(|arm| &arm.finished);
    let Some(run) = runs.next() else {
        return Vec::new();
    };
    let counts = run.classes.iter().map(|c| c.train_count.max(1) as f64);
    let mut points: Vec<(f64, f64)> = counts.map(|count| (count, -count.ln())).collect();
    let mean = points.iter().map(|p| p.1).sum::<f64>() / points.len().max(1) as f64;
    points.iter_mut().for_each(|p| p.1 -= mean);
    points.sort_by(|a, b| f64::total_cmp(&a.0, &b.0));
    points
}
