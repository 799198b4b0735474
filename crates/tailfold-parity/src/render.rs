//! Renders a report as text for a terminal: a headline, tables and facts.

use std::fmt::Write as _;

use crate::page::printable;

use crate::sentence::{plain, signed};
use crate::{Comparison, Report, Verdict};

mod facts;

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
    /// Returns the verdict, the reason for it, and the verdicts of the other sets, in one line.
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

    /// Returns plain text for a terminal: the headline, the aligned table, and the other counts.
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
        for warning in self.short_warnings() {
            let _ = writeln!(text, "warning: {}", printable(&warning));
        }
        if !self.worst_classes.is_empty() {
            text.push('\n');
            text += &aligned(&self.worst_rows());
        }
        text
    }

    /// Rows of the table: header, many, medium, few, overall.
    pub(crate) fn rows(&self) -> Vec<Vec<String>> {
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

    pub(crate) fn worst_rows(&self) -> Vec<Vec<String>> {
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
}

/// Formats a p-value with three decimals, or with one digit if it is very small.
pub(crate) fn p_value(p: f64) -> String {
    if p < 0.001 {
        format!("{p:.0e}")
    } else {
        format!("{p:.3}")
    }
}

pub(crate) fn percent(share: f64) -> String {
    format!("{:.2} %", 100.0 * share)
}

/// Aligns the columns to their longest cells, the first column to the left, the others to the right.
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

#[cfg(test)]
mod tests;
