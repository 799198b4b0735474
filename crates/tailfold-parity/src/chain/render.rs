//! The chain as text, for a terminal and as Markdown.

use std::fmt::Write as _;

use super::table::table;
use super::{Absent, Against, Outcome, Stage, Step};
use crate::page::printable;

/// Headers of the columns.
const COLUMNS: [&str; 8] = [
    "step",
    "before: agree",
    "max diff",
    "few pp",
    "first: agree",
    "max diff",
    "few pp",
    "verdict",
];

impl Outcome {
    /// Returns the result as text for a terminal and as Markdown: the verdict in the first line, a table, and the
    /// steps that could not be compared.
    pub fn to_markdown(&self) -> String {
        let mut text = format!("{}\n\n", printable(&headline(self)));
        text += &table(&rows(&self.steps));
        text.push('\n');
        for step in &self.steps {
            let _ = writeln!(
                text,
                "- {} {}: {}",
                step.step,
                step.what(),
                printable(&step.why)
            );
        }
        for (absent, stages) in grouped(&self.not_at_hand) {
            let stages: Vec<String> = stages.iter().map(Stage::to_string).collect();
            let _ = writeln!(
                text,
                "- unavailable: {} for {}: {}",
                absent.backend,
                stages.join(" and "),
                printable(&absent.why)
            );
        }
        if let Some(finding) = &self.bisect {
            if let Some(step) = broken_before_int8(self) {
                let name = step.what();
                let _ = writeln!(
                    text,
                    "- step {}, {name}, breaks before INT8 does: the bisection is of the INT8 file",
                    step.step
                );
            }
            text.push('\n');
            text += &finding.to_markdown();
        }
        text.truncate(text.trim_end().len());
        text
    }
}

/// The verdict and the first step that breaks.
fn headline(outcome: &Outcome) -> String {
    let absent = match outcome.not_at_hand.len() {
        0 => String::new(),
        1 => "; 1 step unavailable".to_owned(),
        n => format!("; {n} steps unavailable"),
    };
    match &outcome.first_break {
        Some(found) => format!(
            "{} at step {}, {}: {}",
            outcome.verdict.as_str().to_uppercase(),
            found.step,
            found.what,
            found.why
        ),
        None => format!(
            "PASS all {} steps hold on {} images{absent}",
            outcome.steps.len(),
            outcome.images
        ),
    }
}

/// The first step that breaks, unless it is a step of the INT8 model.
fn broken_before_int8(outcome: &Outcome) -> Option<&Step> {
    let number = outcome.first_break.as_ref()?.step;
    let step = outcome.steps.iter().find(|step| step.step == number)?;
    (step.stage != Stage::Int8).then_some(step)
}

fn rows(steps: &[Step]) -> Vec<Vec<String>> {
    let mut rows = vec![COLUMNS.map(str::to_owned).to_vec()];
    for step in steps {
        let mut row = vec![format!("{} {}", step.step, step.what())];
        for against in [&step.against_previous, &step.against_first] {
            row.extend(cells(against.as_ref()));
        }
        row.push(step.verdict.to_string());
        rows.push(row);
    }
    rows
}

/// Agreement, largest logit difference, and accuracy change over the few-shot classes.
fn cells(against: Option<&Against>) -> [String; 3] {
    let Some(against) = against else {
        return [const { String::new() }; 3];
    };
    [
        format!("{:.2} %", 100.0 * against.agreement),
        match against.max_abs_logit_diff {
            Some(diff) => format!("{diff:.1e}"),
            None => "not finite".to_owned(),
        },
        against
            .few_delta_pp
            // Adding a positive zero turns a negative zero into a positive one.
            .map_or_else(String::new, |few| {
                format!("{:+.2}", (few * 100.0).round() / 100.0 + 0.0)
            }),
    ]
}

/// Groups the missing back ends by name and reason, with the stages that need them.
fn grouped(absent: &[Absent]) -> Vec<(&Absent, Vec<Stage>)> {
    let mut groups: Vec<(&Absent, Vec<Stage>)> = Vec::new();
    for one in absent {
        let same = |(other, _): &&mut (&Absent, Vec<Stage>)| {
            other.backend == one.backend && other.why == one.why
        };
        match groups.iter_mut().find(same) {
            Some((_, stages)) => stages.push(one.stage),
            None => groups.push((one, vec![one.stage])),
        }
    }
    groups
}
