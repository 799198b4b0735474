//! The report as Markdown.

use std::fmt::Write as _;

use super::Report;

impl Report {
    /// Groups, layers and activations as tables.
    pub fn to_markdown(&self) -> String {
        let mut text = format!("# {}: {}\n\n", plain(&self.model), plain(&self.summary()));
        for (header, rows) in self.tables() {
            if rows.is_empty() {
                continue;
            }
            let _ = writeln!(text, "| {} |", header.join(" | "));
            let _ = writeln!(text, "|{}", "---|".repeat(header.len()));
            for row in rows {
                let cells: Vec<String> = row.iter().map(|cell| plain(cell)).collect();
                let _ = writeln!(text, "| {} |", cells.join(" | "));
            }
            text.push('\n');
        }
        text
    }

    /// What was done, in a line.
    pub(super) fn summary(&self) -> String {
        let record = &self.record;
        let integer = self.layers.iter().filter(|l| l.quantized).count();
        let corrections = match &record.corrections[..] {
            [] => String::new(),
            some => format!(", {}", some.join(", ")),
        };
        format!(
            "{integer} of {} layers in int8 for {}, weights of {} bits ({}{corrections}), ranges by {} from {} images; {} -> {} bytes",
            self.layers.len(),
            record.target,
            record.weight_bits.unwrap_or(8),
            record.rounding,
            record.observer,
            self.calibration_images(),
            self.bytes[0],
            self.bytes[1],
        )
    }

    fn calibration_images(&self) -> String {
        match self.record.calibration_images.len() {
            0 => record_name(&self.record.calibration),
            n => n.to_string(),
        }
    }

    /// Headers and rows of every table.
    pub(super) fn tables(&self) -> [(Vec<&'static str>, Vec<Vec<String>>); 3] {
        let share =
            |v: Option<f64>| v.map_or_else(|| "-".to_owned(), |v| format!("{:.2} %", 100.0 * v));
        let db = |v: Option<f64>| v.map_or_else(|| "-".to_owned(), |v| format!("{v:.1}"));
        let groups = self.evaluation.iter().flat_map(|e| {
            let [before, after] = &e.accuracy;
            let row = |name: &str, before: Option<f64>, after: Option<f64>| {
                let delta = before
                    .zip(after)
                    .map(|(b, a)| format!("{:+.2}", 100.0 * (a - b)));
                vec![
                    name.to_owned(),
                    share(before),
                    share(after),
                    delta.unwrap_or_default(),
                ]
            };
            vec![
                row("many", before.many, after.many),
                row("medium", before.medium, after.medium),
                row("few", before.few, after.few),
                row("overall", Some(before.overall), Some(after.overall)),
                vec![
                    "decided alike".to_owned(),
                    String::new(),
                    share(Some(e.agreement)),
                    String::new(),
                ],
            ]
        });
        let layers = self.layers.iter().map(|layer| {
            let form = if layer.quantized { "int8" } else { "float" };
            let scales = layer.scales.map_or_else(
                || "-".to_owned(),
                |[low, high]| format!("{low:.3e} to {high:.3e}"),
            );
            let bytes = layer.bytes.map(|b| b.to_string());
            vec![
                layer.layer.clone(),
                layer.operator.clone(),
                format!("{:?}", layer.shape),
                form.to_owned(),
                bytes[0].clone(),
                bytes[1].clone(),
                scales,
                db(layer.sqnr_db),
            ]
        });
        let tensors = self.tensors.iter().map(|tensor| {
            vec![
                tensor.tensor.clone(),
                format!("{:.4} to {:.4}", tensor.seen[0], tensor.seen[1]),
                format!("{:.4} to {:.4}", tensor.range[0], tensor.range[1]),
                format!("{:.4e}", tensor.scale),
                tensor.zero_point.to_string(),
                format!("{:.3} %", 100.0 * tensor.saturated),
                db(tensor.sqnr_db),
            ]
        });
        [
            (
                vec!["group", "float", "quantized", "points"],
                groups.collect(),
            ),
            (
                vec![
                    "layer",
                    "operator",
                    "weights",
                    "form",
                    "bytes before",
                    "after",
                    "scales",
                    "SQNR, dB",
                ],
                layers.collect(),
            ),
            (
                vec![
                    "activation",
                    "seen",
                    "range",
                    "scale",
                    "zero point",
                    "saturated",
                    "SQNR, dB",
                ],
                tensors.collect(),
            ),
        ]
    }
}

fn record_name(calibration: &str) -> String {
    format!("`{calibration}`")
}

/// Text of a cell: names come from files.
fn plain(text: &str) -> String {
    text.replace('|', "\\|")
        .replace(['\n', '\r'], " ")
        .replace('<', "&lt;")
}
