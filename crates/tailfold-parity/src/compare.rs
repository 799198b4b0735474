//! The comparison of a reference and a candidate on the same images.

use tailfold_spec::{ClassGroups, Group, Logits};

use crate::accuracy::{check_card, check_labels};
use crate::decisions::Decisions;
use crate::reasons::{Facts, reasons, warnings};
use crate::tally::Tally;
use crate::{Groups, ParityError, Policy, Report, Sides, WorstClass, judge};

/// Classes listed as the worst.
const WORST: usize = 5;

/// What the comparison has to know about the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComparedModel {
    /// Class names, label order.
    pub classes: Vec<String>,
    /// Training images a class, label order.
    pub train_counts: Vec<u64>,
}

/// Compares the logits of `reference` and `candidate` on the same images, in the same order.
///
/// `labels` is `[images]`. An image with a NaN or infinite logit counts as wrong, and one such image on either side
/// fails. A group without classes is absent from the report. `backends` and `model_sha256` are left to the caller.
///
/// # Errors
/// [`ParityError`] when there is nothing to compare or the inputs do not fit: no verdict, exit code 2.
pub fn compare(
    reference: &Logits,
    candidate: &Logits,
    labels: &[usize],
    card: &ComparedModel,
    policy: &Policy,
) -> Result<Report, ParityError> {
    policy.validate()?;
    check(reference, candidate, labels, card, policy)?;
    let classes = reference.num_classes();
    let (before, after) = (Decisions::of(reference), Decisions::of(candidate));
    let tallies = Tally::by_class(&before, &after, labels, classes);
    let overall = judge::overall(&tallies, policy).ok_or(ParityError::NoImages)?;
    let class_groups = ClassGroups::from_counts(&card.train_counts);
    let group = |group| {
        let of_group: Vec<Tally> = class_groups
            .classes(group)
            .map(|class| tallies[class])
            .collect();
        if of_group.is_empty() {
            return Ok(None);
        }
        judge::group(&of_group, policy.group_margin_pp.get(group), policy)
            .map(Some)
            .ok_or(ParityError::EmptyGroup {
                group,
                classes: of_group.len(),
            })
    };
    let groups = Groups {
        many: group(Group::Many)?,
        medium: group(Group::Medium)?,
        few: group(Group::Few)?,
    };

    let flips = Flips::of(&before, &after, &card.train_counts);
    let facts = Facts {
        images: labels.len(),
        overall: &overall,
        groups: &groups,
        ties: Sides {
            reference: before.ties,
            candidate: after.ties,
        },
        non_finite: Sides {
            reference: before.non_finite,
            candidate: after.non_finite,
        },
        first_non_finite: Sides {
            reference: before.first_non_finite(),
            candidate: after.first_non_finite(),
        },
        agreement: 1.0 - flips.all as f64 / labels.len() as f64,
        max_abs_logit_diff: max_abs_diff(reference, candidate),
    };
    let reasons = reasons(&facts, policy);
    // The first is the worst, and there always is one.
    let (verdict, decided_by) = reasons
        .first()
        .map_or((overall.verdict, "overall"), |first| {
            (first.verdict, first.rule)
        });
    Ok(Report {
        schema: Report::SCHEMA,
        verdict,
        decided_by,
        warnings: warnings(&facts, classes),
        images: facts.images,
        flips: flips.all,
        flips_toward_frequent: flips.toward_frequent,
        flips_toward_rare: flips.toward_rare,
        ties: facts.ties,
        non_finite: facts.non_finite,
        agreement: facts.agreement,
        max_abs_logit_diff: facts.max_abs_logit_diff,
        worst_classes: worst_classes(&tallies, card, &class_groups),
        backends: Sides::default(),
        model_sha256: Sides::default(),
        policy: policy.clone(),
        reasons: reasons.into_iter().map(|reason| reason.sentence).collect(),
        overall,
        groups,
    })
}

fn check(
    reference: &Logits,
    candidate: &Logits,
    labels: &[usize],
    card: &ComparedModel,
    policy: &Policy,
) -> Result<(), ParityError> {
    if reference.num_classes() != candidate.num_classes() {
        return Err(ParityError::ClassCount {
            reference: reference.num_classes(),
            candidate: candidate.num_classes(),
        });
    }
    check_card(reference, "class names", card.classes.len())?;
    check_card(reference, "training counts", card.train_counts.len())?;
    if reference.len() != candidate.len() {
        return Err(ParityError::ImageCount {
            reference: reference.len(),
            candidate: candidate.len(),
        });
    }
    check_labels(reference, labels)?;
    match policy.expected_images {
        Some(expected) if expected != labels.len() => Err(ParityError::ExpectedImages {
            expected,
            found: labels.len(),
        }),
        _ => Ok(()),
    }
}

/// Images whose class changed, and in which direction.
struct Flips {
    all: usize,
    toward_frequent: usize,
    toward_rare: usize,
}

impl Flips {
    /// An image without a decision on a side is a flip without a direction.
    fn of(before: &Decisions, after: &Decisions, train_counts: &[u64]) -> Self {
        let mut flips = Self {
            all: 0,
            toward_frequent: 0,
            toward_rare: 0,
        };
        for pair in before.top1.iter().zip(&after.top1) {
            let (from, to) = match pair {
                (Some(from), Some(to)) if from == to => continue,
                (Some(from), Some(to)) => (train_counts[*from], train_counts[*to]),
                _ => (0, 0),
            };
            flips.all += 1;
            flips.toward_frequent += usize::from(to > from);
            flips.toward_rare += usize::from(to < from);
        }
        flips
    }
}

/// Largest difference of any logit. `None` when one is NaN or infinite: a maximum would silently skip a NaN.
fn max_abs_diff(reference: &Logits, candidate: &Logits) -> Option<f64> {
    reference
        .values()
        .iter()
        .zip(candidate.values())
        .try_fold(0.0_f64, |largest, (&a, &b)| {
            let diff = (f64::from(a) - f64::from(b)).abs();
            diff.is_finite().then(|| largest.max(diff))
        })
}

fn worst_classes(tallies: &[Tally], card: &ComparedModel, groups: &ClassGroups) -> Vec<WorstClass> {
    let mut worse: Vec<WorstClass> = tallies
        .iter()
        .enumerate()
        .filter_map(|(class, tally)| {
            let (before, after) = (tally.reference_recall()?, tally.candidate_recall()?);
            (tally.lost > tally.gained).then_some(())?;
            Some(WorstClass {
                class,
                name: card.classes.get(class)?.clone(),
                group: groups.get(class)?,
                train_count: *card.train_counts.get(class)?,
                images: tally.images,
                reference_recall: before,
                candidate_recall: after,
                delta_pp: 100.0 * (after - before),
            })
        })
        .collect();
    worse.sort_by(|a, b| {
        a.delta_pp
            .total_cmp(&b.delta_pp)
            .then(a.class.cmp(&b.class))
    });
    worse.truncate(WORST);
    worse
}

#[cfg(test)]
mod tests;
