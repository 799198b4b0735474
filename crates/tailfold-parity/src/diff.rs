//! Two reports on the same images: what changed from an accepted run to a later one, and whether it is a regression.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use tailfold_page::printable;

use crate::report::{Comparison, Report};
use crate::sentence::signed;
use crate::{ParityError, ParityErrorKind, Verdict};

/// Classes listed.
const CLASSES: usize = 10;

/// What a later run may lose against the accepted one: other kernels move some images, and a regression is more than that.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Regression {
    /// Loss of the candidate's overall accuracy, percentage points.
    pub overall_pp: f64,
    /// Loss of the candidate's accuracy in a group, percentage points.
    pub group_pp: f64,
    /// Loss of the share of images that both classifiers decide alike, percentage points.
    pub agreement_pp: f64,
}

impl Default for Regression {
    fn default() -> Self {
        Self {
            overall_pp: 0.2,
            group_pp: 0.5,
            agreement_pp: 0.5,
        }
    }
}

impl Regression {
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// What changed from one report to another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Diff {
    /// Always [`Diff::SCHEMA`].
    pub schema: String,
    /// One sentence for each regression; none when there is none.
    pub regressions: Vec<String>,
    /// The sets, rarest first.
    pub parts: Vec<PartChange>,
    /// Share of images that both classifiers decide alike, before and after.
    pub agreement: [f64; 2],
    /// The classes whose recall in the candidate changed most, most lost first.
    pub classes: Vec<ClassChange>,
    /// What else differs, in words: files, back ends, versions, policy.
    pub others: Vec<String>,
}

/// One set of classes in two reports.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PartChange {
    /// `few`, `medium`, `many` or `overall`.
    pub name: String,
    /// Verdict before and after.
    pub verdict: [Verdict; 2],
    /// Accuracy of the candidate, before and after.
    pub candidate_top1: [f64; 2],
    /// Candidate minus reference, percentage points, before and after.
    pub delta_pp: [f64; 2],
    /// Accuracy of the candidate after minus before, percentage points.
    pub change_pp: f64,
}

/// One class in two reports.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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

    /// What changed from `before`, which was accepted, to `after`.
    ///
    /// # Errors
    /// [`ParityErrorKind::NotComparable`] when the two are of other models, classes or images.
    pub fn between(
        before: &Report,
        after: &Report,
        allowed: &Regression,
    ) -> Result<Self, ParityError> {
        comparable(before, after)?;
        let mut diff = Self {
            schema: Self::SCHEMA.to_owned(),
            regressions: Vec::new(),
            parts: Vec::new(),
            agreement: [before.agreement, after.agreement],
            classes: classes(before, after),
            others: others(before, after),
        };
        for (name, part) in after.parts() {
            let Some(was) = before.part(name) else {
                continue;
            };
            let change = PartChange::of(name, was, part);
            let most = if name == "overall" {
                allowed.overall_pp
            } else {
                allowed.group_pp
            };
            diff.regressions.extend(change.regression(most));
            diff.parts.push(change);
        }
        let change = 100.0 * (after.agreement - before.agreement);
        if change < -allowed.agreement_pp {
            diff.regressions.push(format!(
                "both give the same class to {:.2} % of the images, {:.2} % in the baseline ({} pp, -{:.2} is accepted)",
                100.0 * after.agreement,
                100.0 * before.agreement,
                signed(change),
                allowed.agreement_pp
            ));
        }
        Ok(diff)
    }

    /// Whether something is worse than what is allowed.
    pub fn is_regression(&self) -> bool {
        !self.regressions.is_empty()
    }

    /// Plain text for a terminal.
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
            "alike    {:>6.2} -> {:>6.2} %",
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

    /// The differences as one JSON object.
    ///
    /// # Panics
    /// Never: every field has a JSON form.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a difference has only fields that JSON can hold")
    }
}

impl PartChange {
    fn of(name: &str, before: &Comparison, after: &Comparison) -> Self {
        Self {
            name: name.to_owned(),
            verdict: [before.verdict, after.verdict],
            candidate_top1: [before.candidate_top1, after.candidate_top1],
            delta_pp: [before.delta_pp, after.delta_pp],
            change_pp: 100.0 * (after.candidate_top1 - before.candidate_top1),
        }
    }

    /// Why this is a regression, if it is: a worse verdict, or more lost than `most` percentage points.
    fn regression(&self, most: f64) -> Option<String> {
        let Self {
            name,
            verdict: [was, is],
            ..
        } = self;
        if is > was {
            return Some(format!("{name}: {is}, it was {was} in the baseline"));
        }
        // A share of images has rounding.
        (self.change_pp < -most - 1e-9).then(|| {
            format!(
                "{name}: {:.2} % against {:.2} % in the baseline ({} pp, -{most:.2} is accepted)",
                100.0 * self.candidate_top1[1],
                100.0 * self.candidate_top1[0],
                signed(self.change_pp)
            )
        })
    }
}

/// Refuses reports whose accuracies do not speak of the same.
fn comparable(before: &Report, after: &Report) -> Result<(), ParityError> {
    let check = |what: &'static str, before: String, after: String| {
        if before == after {
            Ok(())
        } else {
            Err(ParityErrorKind::NotComparable.error(format!(
                "the baseline is of another {what}: `{before}`, this run has `{after}`"
            )))
        }
    };
    let data = |report: &Report| {
        report
            .run
            .as_ref()
            .map_or(String::new(), |run| run.data.clone())
    };
    check("model", before.model.clone(), after.model.clone())?;
    check(
        "images",
        before.images.to_string(),
        after.images.to_string(),
    )?;
    if before.run.is_some() && after.run.is_some() {
        check("data", data(before), data(after))?;
    }
    let names = |report: &Report| {
        let classes = report.classes.iter();
        classes
            .map(|class| (class.class, class.name.clone(), class.group, class.images))
            .collect::<Vec<_>>()
    };
    let (a, b) = (names(before), names(after));
    check(
        "number of classes",
        a.len().to_string(),
        b.len().to_string(),
    )?;
    match a.into_iter().zip(b).find(|(a, b)| a != b) {
        Some((a, b)) => check("class", format!("{a:?}"), format!("{b:?}")),
        None => Ok(()),
    }
}

fn classes(before: &Report, after: &Report) -> Vec<ClassChange> {
    let mut changes: Vec<ClassChange> = before
        .classes
        .iter()
        .zip(&after.classes)
        .map(|(was, is)| ClassChange {
            class: is.class,
            name: is.name.clone(),
            candidate_recall: [was.candidate_recall, is.candidate_recall],
            change_pp: 100.0 * (is.candidate_recall - was.candidate_recall),
        })
        .filter(|change| change.change_pp.abs() > 1e-9)
        .collect();
    changes.sort_by(|a, b| {
        a.change_pp
            .total_cmp(&b.change_pp)
            .then(a.class.cmp(&b.class))
    });
    changes.truncate(CLASSES);
    changes
}

fn others(before: &Report, after: &Report) -> Vec<String> {
    let mut others = Vec::new();
    let mut note = |what: &str, was: &str, is: &str| {
        if was != is {
            others.push(format!("{what}: {was}, now {is}"));
        }
    };
    note(
        "reference",
        &before.model_sha256.reference,
        &after.model_sha256.reference,
    );
    note(
        "candidate",
        &before.model_sha256.candidate,
        &after.model_sha256.candidate,
    );
    note(
        "back end of the reference",
        &before.backends.reference,
        &after.backends.reference,
    );
    note(
        "back end of the candidate",
        &before.backends.candidate,
        &after.backends.candidate,
    );
    let run = |report: &Report| report.run.clone().unwrap_or_default();
    note("version", &run(before).version, &run(after).version);
    note("machine", &run(before).machine, &run(after).machine);
    if before.policy != after.policy {
        others.push("the policy is another".to_owned());
    }
    others
}

#[cfg(test)]
mod tests;
