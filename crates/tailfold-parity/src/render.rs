//! A report for people: a sentence, a table for a terminal, and the same as Markdown.

use std::fmt::Write as _;

use crate::reasons::{plain, signed};
use crate::{Comparison, Report, Verdict};

const COLUMNS: [&str; 14] = [
    "",
    "images",
    "classes",
    "reference",
    "candidate",
    "delta pp",
    "lower",
    "resampled",
    "margin",
    "passes from",
    "lost",
    "gained",
    "p",
    "verdict",
];
const WORST_COLUMNS: [&str; 6] = [
    "worst classes",
    "group",
    "trained on",
    "images",
    "recall",
    "delta pp",
];

impl Report {
    /// The verdict, what decided it, and how the other sets did, in one line.
    pub fn headline(&self) -> String {
        let mut line = self.verdict.as_str().to_uppercase();
        if let Some(reason) = self.reasons.first() {
            let _ = write!(line, " {}", printable(reason));
        }
        for (verdict, one, several) in [
            (Verdict::Fail, "fails", "fail"),
            (Verdict::Inconclusive, "is inconclusive", "are inconclusive"),
            (Verdict::Pass, "passes", "pass"),
        ] {
            let names: Vec<&str> = self
                .parts()
                .filter(|(name, part)| part.verdict == verdict && *name != self.decided_by)
                .map(|(name, _)| name)
                .collect();
            match names.as_slice() {
                [] => {}
                [name] => line += &format!("; {name} {one}"),
                [first @ .., last] => {
                    line += &format!("; {} and {last} {several}", first.join(", "))
                }
            }
        }
        line
    }

    /// Plain text for a terminal: the headline, the aligned table, and what else was counted.
    pub fn to_table(&self) -> String {
        let mut text = format!("{}\n", self.headline());
        for reason in self.reasons.iter().skip(1) {
            let _ = writeln!(text, "  also: {}", printable(reason));
        }
        text.push('\n');
        text += &aligned(&self.rows());
        text.push('\n');
        for fact in self.facts() {
            let _ = writeln!(text, "{fact}");
        }
        for warning in &self.warnings {
            let _ = writeln!(text, "warning: {}", printable(warning));
        }
        if !self.worst_classes.is_empty() {
            text.push('\n');
            text += &aligned(&self.worst_rows());
        }
        text
    }

    /// Markdown, for a comment on a change.
    pub fn to_markdown(&self) -> String {
        let mut text = format!("**{}**\n\n", escaped(&self.headline()));
        for reason in self.reasons.iter().skip(1) {
            let _ = writeln!(text, "- also: {}", escaped(reason));
        }
        if self.reasons.len() > 1 {
            text.push('\n');
        }
        text += &piped(&self.rows());
        text.push('\n');
        for fact in self.facts() {
            let _ = writeln!(text, "- {}", escaped(&fact));
        }
        for warning in &self.warnings {
            let _ = writeln!(text, "- warning: {}", escaped(warning));
        }
        if !self.worst_classes.is_empty() {
            text.push('\n');
            text += &piped(&self.worst_rows());
        }
        text
    }

    /// Header, many, medium, few, overall.
    fn rows(&self) -> Vec<Vec<String>> {
        let mut rows = vec![COLUMNS.map(str::to_owned).to_vec()];
        let mut parts: Vec<(&str, &Comparison)> = self
            .parts()
            .filter(|(name, _)| *name != "overall")
            .collect();
        parts.reverse();
        parts.push(("overall", &self.overall));
        for (name, part) in parts {
            rows.push(vec![
                name.to_owned(),
                part.images.to_string(),
                part.classes.to_string(),
                percent(part.reference_top1),
                percent(part.candidate_top1),
                signed(part.delta_pp),
                signed(part.lower_bound_pp),
                signed(part.bootstrap.lower_bound_pp),
                plain(part.margin_pp),
                plain(part.smallest_margin_pp),
                part.lost.to_string(),
                part.gained.to_string(),
                p_value(part.margin_p),
                part.verdict.to_string(),
            ]);
        }
        rows
    }

    fn worst_rows(&self) -> Vec<Vec<String>> {
        let mut rows = vec![WORST_COLUMNS.map(str::to_owned).to_vec()];
        for worst in &self.worst_classes {
            rows.push(vec![
                format!("{} {}", worst.class, worst.name),
                worst.group.to_string(),
                worst.train_count.to_string(),
                worst.images.to_string(),
                format!(
                    "{} -> {}",
                    percent(worst.reference_recall),
                    percent(worst.candidate_recall)
                ),
                signed(worst.delta_pp),
            ]);
        }
        rows
    }

    /// One line a fact.
    fn facts(&self) -> Vec<String> {
        let mut facts = vec![
            format!(
                "flips: {} of {} images, {} toward more frequent classes, {} toward rarer ones",
                self.flips, self.images, self.flips_toward_frequent, self.flips_toward_rare
            ),
            format!(
                "ties at the top: {} in the reference, {} in the candidate",
                self.ties.reference, self.ties.candidate
            ),
            format!(
                "NaN or infinite: {} in the reference, {} in the candidate",
                self.non_finite.reference, self.non_finite.candidate
            ),
            match (self.max_abs_logit_diff, self.logit_distance) {
                (Some(diff), Some(distance)) => format!(
                    "logits differ by {diff:.3e} at most, {:.3e} on average (root mean square){}; mean divergence {:.2e} nats",
                    distance.rms,
                    distance
                        .signal_to_noise_db
                        .map_or(String::new(), |db| format!(", {db:.1} dB signal to noise")),
                    distance.mean_kl
                ),
                _ => "largest difference of a logit: not a number".to_owned(),
            },
            format!(
                "calibration error: {:.2} % in the reference, {:.2} % in the candidate",
                100.0 * self.calibration_error.reference,
                100.0 * self.calibration_error.candidate
            ),
        ];
        for (group, mass) in self.masses.iter().rev() {
            facts.push(format!(
                "{group}: {:.2} % of the images, given to {:.2} -> {:.2} % of them, with {:.2} -> {:.2} % of the probability",
                100.0 * mass.labels,
                100.0 * mass.decisions.reference,
                100.0 * mass.decisions.candidate,
                100.0 * mass.probability.reference,
                100.0 * mass.probability.candidate
            ));
        }
        for (name, part) in self.parts().filter(|(_, part)| part.ties.images > 0) {
            facts.push(format!(
                "ties are won by the lowest class; won otherwise, {name} is between {} and {}",
                percent(part.ties.least_top1),
                percent(part.ties.most_top1)
            ));
        }
        for (what, sides) in [
            ("back ends", &self.backends),
            ("sha256", &self.model_sha256),
        ] {
            if !sides.reference.is_empty() || !sides.candidate.is_empty() {
                let (reference, candidate) =
                    (printable(&sides.reference), printable(&sides.candidate));
                facts.push(format!("{what}: {reference} against {candidate}"));
            }
        }
        facts
    }
}

/// A p-value: three decimals, or one digit of a very small number.
fn p_value(p: f64) -> String {
    if p < 0.001 {
        format!("{p:.0e}")
    } else {
        format!("{p:.3}")
    }
}

fn percent(share: f64) -> String {
    format!("{:.2} %", 100.0 * share)
}

/// Columns as wide as their longest cell, the first to the left, the others to the right.
fn aligned(rows: &[Vec<String>]) -> String {
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().map(|cell| printable(cell)).collect())
        .collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in &rows {
        for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
            let _ = if column == 0 {
                write!(text, "{cell:<width$}")
            } else {
                write!(text, "  {cell:>width$}")
            };
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}

/// A Markdown table whose first row is the header.
fn piped(rows: &[Vec<String>]) -> String {
    let mut text = String::new();
    for (index, row) in rows.iter().enumerate() {
        let cells: Vec<String> = row.iter().map(|cell| escaped(cell)).collect();
        let _ = writeln!(text, "| {} |", cells.join(" | "));
        if index == 0 {
            let _ = writeln!(text, "|:--|{}", "--:|".repeat(row.len().saturating_sub(1)));
        }
    }
    text
}

/// Class names come from outside: a control character must not reach the terminal.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() {
                char::REPLACEMENT_CHARACTER
            } else {
                c
            }
        })
        .collect()
}

/// The same for Markdown, with its marks taken literally.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in printable(text).chars() {
        if matches!(
            c,
            '\\' | '|' | '`' | '*' | '_' | '<' | '>' | '[' | ']' | '#'
        ) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests;
