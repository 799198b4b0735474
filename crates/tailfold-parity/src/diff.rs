//! Compares the reports on an accepted run and on a later run with the same images.

use crate::report::{Comparison, Report};
use crate::sentence::signed;
use crate::{ClassChange, Diff, ParityError, ParityErrorKind, PartChange, Regression, Verdict};

/// Number of classes listed.
const CLASSES: usize = 10;

impl Report {
    /// Compares the report with `before`, an accepted run; a regression fails the report.
    ///
    /// # Errors
    /// [`ParityErrorKind::NotComparable`] when the two reports have different models, classes or images.
    pub fn against(mut self, before: &Self) -> Result<Self, ParityError> {
        let diff = Diff::between(before, &self, &self.policy.baseline)?;
        if diff.is_regression() && self.verdict < Verdict::Fail {
            if self.verdict == Verdict::Pass {
                // The reasons for a pass no longer apply.
                self.reasons.clear();
            }
            self.verdict = Verdict::Fail;
            self.decided_by = "baseline".to_owned();
            self.reasons.splice(0..0, diff.regressions.iter().cloned());
        } else {
            self.reasons.extend(diff.regressions.iter().cloned());
        }
        self.baseline = Some(diff);
        Ok(self)
    }
}

impl Diff {
    /// Returns the changes from the accepted report `before` to `after`.
    ///
    /// # Errors
    /// [`ParityErrorKind::NotComparable`] when the two reports have different models, classes or images.
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

    /// Describes the regression, if there is one: a worse verdict, or a loss of more than `most` percentage points.
    fn regression(&self, most: f64) -> Option<String> {
        let Self {
            name,
            verdict: [was, is],
            ..
        } = self;
        if is > was {
            return Some(format!("{name}: {is}, it was {was} in the baseline"));
        }
        // Allows for rounding in a share of images.
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

/// Refuses reports on different models, data, images or classes.
fn comparable(before: &Report, after: &Report) -> Result<(), ParityError> {
    let check = |field: &'static str, before: String, after: String| {
        if before == after {
            Ok(())
        } else {
            Err(ParityErrorKind::NotComparable.error(format!(
                "the baseline has another {field}: `{before}`, this run has `{after}`"
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
    let mut note = |field: &str, was: &str, is: &str| {
        if was != is {
            others.push(format!("{field}: {was}, now {is}"));
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
        others.push("the policy has changed".to_owned());
    }
    others
}

#[cfg(test)]
mod tests;
