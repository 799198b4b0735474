//! Changes from an accepted run to a later run, and whether they are a regression.

use std::fmt::Write as _;

use crate::page::printable;
use serde::{Deserialize, Serialize};

use crate::Verdict;
use crate::sentence::signed;

/// The changes from one report to another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Diff {
    /// Always [`Diff::SCHEMA`].
    pub schema: String,
    /// One sentence per regression.
    pub regressions: Vec<String>,
    /// The sets of classes, rarest first.
    pub parts: Vec<PartChange>,
    /// Top-1 agreement of candidate and reference, before and after.
    pub agreement: [f64; 2],
    /// The classes whose recall in the candidate changed most, largest loss first.
    pub classes: Vec<ClassChange>,
    /// Other differences, in words: files, back ends, versions, policy.
    pub others: Vec<String>,
}

/// One set of classes in two reports.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PartChange {
    /// `few`, `medium`, `many` or `overall`.
    pub name: String,
    /// Verdict before and after.
    pub verdict: [Verdict; 2],
    /// Accuracy of the candidate, before and after.
    pub candidate_top1: [f64; 2],
    /// Candidate minus reference, percentage points, before and after.
    pub delta_pp: [f64; 2],
    /// Accuracy of the candidate, after minus before, percentage points.
    pub change_pp: f64,
}

/// One class in two reports.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ClassChange {
    /// Class index.
    pub class: usize,
    /// Class name.
    pub name: String,
    /// Recall of the candidate, before and after.
    pub candidate_recall: [f64; 2],
    /// After minus before, percentage points.
    pub change_pp: f64,
}

impl Diff {
    /// Name and version of the format.
    pub const SCHEMA: &'static str = "tailfold.parity-diff/1";

    /// Returns whether a loss is larger than allowed.
    pub fn is_regression(&self) -> bool {
        !self.regressions.is_empty()
    }

    /// Returns the changes as plain text for a terminal.
    pub fn to_table(&self) -> String {
        let mut text = match self.regressions.as_slice() {
            [] => "no regression against the baseline\n".to_owned(),
            found => found
                .iter()
                .map(|sentence| format!("REGRESSION {sentence}\n"))
                .collect(),
        };
        for part in &self.parts {
            let _ = writeln!(
                text,
                "{:<8} {:>6.2} -> {:>6.2} %  {} pp  {} -> {}",
                part.name,
                100.0 * part.candidate_top1[0],
                100.0 * part.candidate_top1[1],
                signed(part.change_pp),
                part.verdict[0],
                part.verdict[1]
            );
        }
        let _ = writeln!(
            text,
            "agree    {:>6.2} -> {:>6.2} %",
            100.0 * self.agreement[0],
            100.0 * self.agreement[1]
        );
        for class in &self.classes {
            let _ = writeln!(
                text,
                "class {} {}: {:.2} -> {:.2} %",
                class.class,
                printable(&class.name),
                100.0 * class.candidate_recall[0],
                100.0 * class.candidate_recall[1]
            );
        }
        for other in &self.others {
            let _ = writeln!(text, "{}", printable(other));
        }
        text
    }

    /// Returns the changes as one JSON object.
    ///
    /// # Panics
    /// Never: every field has a JSON form.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a difference has only fields that JSON can hold")
    }
}
