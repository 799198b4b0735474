//! Plots of the recall and the bias of each class against its training images.

use tailfold_plot::{COLOURS, Curve, PlotError, Scatter, svg};

use super::Report;

impl Report {
    /// Plots the change of each class's recall by quantization, as SVG; `None` without an evaluation.
    pub(super) fn recall_plot(&self) -> Result<Option<String>, PlotError> {
        let points = self.classes.iter().filter_map(|class| {
            let [before, after] = class.recall;
            Some((class.train_count.max(1) as f64, 100.0 * (after? - before?)))
        });
        drawn(
            "Change of each class's recall by quantization",
            "recall, pp",
            vec![("quantized - float", points.collect())],
        )
    }

    /// Plots the bias of the last layer before and after quantization, as SVG; `None` for a head without a
    /// bias.
    pub(super) fn bias_plot(&self) -> Result<Option<String>, PlotError> {
        let side = |side: usize| -> Vec<(f64, f64)> {
            let classes = self.classes.iter();
            let points = classes.filter_map(|c| Some((c.train_count.max(1) as f64, c.bias[side]?)));
            points.collect()
        };
        drawn(
            "Bias of each class: the folded offsets, and after quantization",
            "bias, logits",
            vec![("float", side(0)), ("quantized", side(1))],
        )
    }
}

fn drawn(
    title: &str,
    y: &str,
    series: Vec<(&str, Vec<(f64, f64)>)>,
) -> Result<Option<String>, PlotError> {
    let (mut fewest, mut most) = (f64::INFINITY, 0.0_f64);
    let curves = series
        .into_iter()
        .zip(COLOURS)
        .filter(|((_, points), _)| !points.is_empty());
    let curves: Vec<Curve> = curves
        .map(|((title, mut points), colour)| {
            points.sort_by(|a, b| f64::total_cmp(&a.0, &b.0));
            for (count, _) in &points {
                (fewest, most) = (fewest.min(*count), most.max(*count));
            }
            Curve {
                title: title.to_owned(),
                colour,
                points,
            }
        })
        .collect();
    if curves.is_empty() {
        return Ok(None);
    }
    let zero = vec![(fewest, 0.0), (most, 0.0)];
    let curves = &curves;
    Ok(Some(svg(&Scatter {
        title,
        y,
        curves,
        line: zero,
    })?))
}
