//! The report as Markdown.

use std::fmt::Write as _;

use tailfold_spec::Group;

use super::Report;

impl Report {
    /// Renders groups, layers and activations as tables.
    pub fn to_markdown(&self) -> String {
        let mut text = format!("# {}: {}\n\n", plain(&self.model), plain(&self.summary()));
        if let Some(line) = self.evaluated() {
            let _ = writeln!(text, "{}\n", plain(&line));
        }
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

    /// Returns a one-line summary of the quantization.
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

    /// Returns a line about the images of the comparison, and how often both networks differ.
    pub(super) fn evaluated(&self) -> Option<String> {
        let evaluation = self.evaluation.as_ref()?;
        let on = format!("{} images of {}", evaluation.images, evaluation.data);
        Some(match (&evaluation.parity, &evaluation.no_parity) {
            (Some(parity), _) => format!(
                "On {on}: {:.2} % top-1 agreement with the float model; of {} changed decisions, {} went to a more frequent class and {} to a rarer class.",
                100.0 * parity.agreement,
                parity.flips,
                parity.flips_toward_frequent,
                parity.flips_toward_rare,
            ),
            (None, Some(why)) => format!("{on} were not compared: {why}."),
            (None, None) => format!("{on} were not compared."),
        })
    }

    fn calibration_images(&self) -> String {
        match self.record.calibration_images.len() {
            0 => self.record.calibration.clone(),
            n => n.to_string(),
        }
    }

    /// Returns the header and the rows of every table.
    pub(super) fn tables(&self) -> [(Vec<&'static str>, Vec<Vec<String>>); 3] {
        let share =
            |v: Option<f64>| v.map_or_else(|| "-".to_owned(), |v| format!("{:.2} %", 100.0 * v));
        let db = |v: Option<f64>| v.map_or_else(|| "-".to_owned(), |v| format!("{v:.1}"));
        let compared = self.evaluation.iter().filter_map(|e| e.parity.as_ref());
        let groups = compared.flat_map(|parity| {
            let groups = Group::ALL
                .into_iter()
                .map(|g| (g.as_str(), parity.groups.get(g)));
            let all = groups.chain([("overall", Some(&parity.overall))]);
            all.filter_map(|(name, of)| {
                let of = of?;
                Some(vec![
                    name.to_owned(),
                    of.images.to_string(),
                    share(Some(of.reference_top1)),
                    share(Some(of.candidate_top1)),
                    format!("{:+.2}", of.delta_pp),
                    format!("{:+.2} to {:+.2}", of.lower_bound_pp, of.upper_bound_pp),
                ])
            })
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
                vec![
                    "group",
                    "images",
                    "float",
                    "quantized",
                    "points",
                    "90 % interval",
                ],
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

/// Escapes the text of a cell, because names come from files.
fn plain(text: &str) -> String {
    text.replace('|', "\\|")
        .replace(['\n', '\r'], " ")
        .replace('<', "&lt;")
}
