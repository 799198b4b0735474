//! Renders a report as Markdown, for a comment on a pull request and for the summary of a CI job.

use std::fmt::Write as _;

use crate::render::percent;
use crate::sentence::{plain, signed};
use crate::{Comparison, Report, Unchecked, Verdict};

mod literal;

use literal::{clipped, literal, piped, span};

/// Invisible first line, by which a bot finds and updates its comment.
const MARK: &str = "<!-- tailfold-parity -->";

/// Largest number of warnings; GitHub accepts 65,536 characters.
const WARNINGS: usize = 20;
/// Largest length of a sentence, in characters.
const SENTENCE: usize = 600;
/// Largest length of a command, in characters.
const COMMAND: usize = 4000;

const COLUMNS: [&str; 8] = [
    "",
    "images",
    "reference",
    "candidate",
    "delta pp",
    "lower",
    "margin",
    "verdict",
];

impl Report {
    /// Renders Markdown that fits GitHub's limit of 65,536 characters for any number of classes.
    pub fn to_markdown(&self) -> String {
        let mut text = format!("{MARK}\n### {}\n\n", title(self.verdict, &self.model));
        let mut reasons = self.reasons.iter();
        if let Some(first) = reasons.next() {
            let _ = writeln!(text, "**{}**\n", sentence(first));
        }
        for reason in reasons.clone() {
            let _ = writeln!(text, "- also: {}", sentence(reason));
        }
        if reasons.len() > 0 {
            text.push('\n');
        }
        text += &piped(&self.short_rows());
        text.push('\n');
        text += &self.worst();
        text += &self.warned();
        text += &details("All numbers", &piped(&self.rows()));
        let facts: String = self.facts().iter().fold(String::new(), |mut list, fact| {
            let _ = writeln!(list, "- {}", sentence(fact));
            list
        });
        text += &details("Flips, ties, distances, hashes", &facts);
        if let Some(run) = self.run.as_ref().filter(|run| !run.command.is_empty()) {
            let command = clipped(&run.command, COMMAND);
            text += &details("Command to repeat", &span(&command));
        }
        text
    }

    /// Rows of the short table at the top of a comment.
    fn short_rows(&self) -> Vec<Vec<String>> {
        let mut parts: Vec<(&str, &Comparison)> = self.parts().collect();
        // The groups come from the rarest on, and all images last.
        parts.sort_by_key(|(name, _)| *name == "overall");
        let header = COLUMNS.map(str::to_owned).to_vec();
        let rows = parts.into_iter().map(|(name, part)| {
            vec![
                name.to_owned(),
                part.images.to_string(),
                percent(part.reference_top1),
                percent(part.candidate_top1),
                signed(part.delta_pp),
                signed(part.lower_bound_pp),
                plain(part.margin_pp),
                format!("{} {}", symbol(part.verdict), part.verdict),
            ]
        });
        std::iter::once(header).chain(rows).collect()
    }

    fn worst(&self) -> String {
        if self.worst_classes.is_empty() {
            return String::new();
        }
        details("Worst classes", &piped(&self.worst_rows()))
    }

    fn warned(&self) -> String {
        let mut text = String::new();
        for warning in self.warnings.iter().take(WARNINGS) {
            let _ = writeln!(text, "- warning: {}", sentence(warning));
        }
        if self.warnings.len() > WARNINGS {
            let _ = writeln!(text, "- and {} more", self.warnings.len() - WARNINGS);
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text
    }
}

impl Unchecked {
    /// Renders Markdown for a comparison that could not be made.
    pub fn to_markdown(&self) -> String {
        let mut text = format!("{MARK}\n### {}\n\n", title(self.verdict, ""));
        for reason in &self.reasons {
            let _ = writeln!(text, "{}\n", sentence(reason));
        }
        text
    }
}

fn title(verdict: Verdict, model: &str) -> String {
    let word = verdict.as_str().to_uppercase();
    let of = if model.is_empty() {
        String::new()
    } else {
        format!(" of {}", literal(model, 120))
    };
    format!("{} {word}: parity{of}", symbol(verdict))
}

/// Symbol of a verdict, distinct in shape and colour; the word is next to it.
fn symbol(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "✅",
        Verdict::Fail => "❌",
        Verdict::Inconclusive => "⚠️",
        Verdict::Error => "🚫",
    }
}

fn sentence(text: &str) -> String {
    literal(text, SENTENCE)
}

/// A section that is folded at first.
fn details(summary: &str, inside: &str) -> String {
    // Markdown inside HTML needs empty lines around it.
    format!("<details><summary>{summary}</summary>\n\n{inside}\n</details>\n\n")
}

#[cfg(test)]
mod tests;
