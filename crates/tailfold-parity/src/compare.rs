//! Builds the report on a reference and a candidate from the results on each image.

use tailfold_spec::Group;

use crate::flips::Flips;
use crate::groups::ModelGroups;
use crate::image::Image;
use crate::reasons::reasons;
use crate::report::{Groups, Masses, Report, Sides};
use crate::rules::Facts;
use crate::sums::Sums;
use crate::tally::Tally;
use crate::warnings::warnings;
use crate::{ComparedModel, ParityError, ParityErrorKind, Policy, chance, classes, judge};

/// Builds the report on `images`, whose sums are `sums`.
pub(crate) fn report(
    model: &ComparedModel,
    groups: &ModelGroups,
    policy: Policy,
    images: &[Image],
    sums: &Sums,
) -> Result<Report, ParityError> {
    if images.is_empty() {
        return Err(ParityErrorKind::Empty.error("there are no images to compare"));
    }
    let tallies = Tally::by_class(images, model.classes.len());
    let of_group = |group| -> Vec<Tally> {
        let classes = groups.of_class.classes(group);
        classes.map(|class| tallies[class]).collect()
    };
    check_counts(&policy, images.len(), &of_group)?;
    let overall = judge::overall(&tallies, &policy)
        .ok_or_else(|| ParityErrorKind::Empty.error("there are no images to compare"))?;
    let parts = Groups::of(|group| {
        let of_group = of_group(group);
        if of_group.is_empty() {
            return Ok(None);
        }
        judge::group(&of_group, policy.group_margin_pp.get(group), &policy)
            .map(Some)
            .ok_or_else(|| {
                ParityErrorKind::Groups.error(format!(
                    "group {group} has {classes} classes but no image",
                    classes = of_group.len()
                ))
            })
    })?;
    let flips = Flips::of(images, &model.train_counts, groups);
    let classes = classes::classes(&tallies, images, model, groups);
    let facts = Facts {
        images: images.len(),
        overall: &overall,
        groups: &parts,
        classes: &classes,
        ties: Sides {
            reference: images.iter().filter(|image| image.before.tied).count(),
            candidate: images.iter().filter(|image| image.after.tied).count(),
        },
        non_finite: Sides {
            reference: undecided(images, |image| image.before.class()),
            candidate: undecided(images, |image| image.after.class()),
        },
        agreement: 1.0 - flips.all as f64 / images.len() as f64,
        max_abs_logit_diff: sums.max_diff(),
    };
    let mut reasons = reasons(&facts, &policy);
    if let Some(refusal) = chance::refusal(images, model.classes.len(), policy.level) {
        reasons.insert(0, refusal);
    }
    // The reasons are sorted from the worst on, and never empty.
    let (verdict, decided_by) = reasons
        .first()
        .map_or((overall.verdict, "overall"), |first| {
            (first.verdict, first.name)
        });
    Ok(Report {
        schema: Report::SCHEMA.to_owned(),
        verdict,
        decided_by: decided_by.to_owned(),
        warnings: warnings(&facts, &policy),
        model: model.name.clone(),
        images: images.len(),
        flips: flips.all,
        flips_toward_frequent: flips.toward_frequent,
        flips_toward_rare: flips.toward_rare,
        flip_pairs: flips.pairs,
        group_flips: flips.by_group,
        worst_flips: flips.worst,
        ties: facts.ties,
        non_finite: Sides {
            reference: facts.non_finite.reference.0,
            candidate: facts.non_finite.candidate.0,
        },
        agreement: facts.agreement,
        max_abs_logit_diff: facts.max_abs_logit_diff,
        logit_distance: sums.distance_of_all(),
        calibration_error: sums.calibration_error(),
        masses: Groups::of(|group| Ok::<_, ParityError>(masses(group, groups, images, sums)))?,
        worst_classes: classes::worst(&classes),
        backends: Sides::default(),
        model_sha256: Sides::default(),
        baseline: None,
        run: None,
        reasons: reasons.into_iter().map(|reason| reason.sentence).collect(),
        policy,
        groups: parts,
        classes,
        overall,
    })
}

/// Checks the numbers of images that the policy expects.
fn check_counts(
    policy: &Policy,
    images: usize,
    of_group: &dyn Fn(Group) -> Vec<Tally>,
) -> Result<(), ParityError> {
    match policy.expected_images {
        Some(expected) if expected != images => {
            return Err(ParityErrorKind::Expected.error(format!(
                "the policy expects {expected} images but {images} were scored"
            )));
        }
        _ => {}
    }
    for group in Group::ALL {
        let found = Tally::total(&of_group(group)).images;
        match policy.expected_group_images.get(group) {
            Some(expected) if expected != found => {
                return Err(ParityErrorKind::Expected.error(format!(
                    "the policy expects {expected} images of group {group} but {found} were scored"
                )));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Number of images without a decision, and the first of them.
fn undecided(images: &[Image], class: impl Fn(&Image) -> Option<usize>) -> (usize, Option<usize>) {
    let undecided = |image: &Image| class(image).is_none();
    (
        images.iter().filter(|image| undecided(image)).count(),
        images.iter().position(undecided),
    )
}

/// The shares of decisions and of probability that one group gets; `None` for a group without classes.
fn masses(group: Group, groups: &ModelGroups, images: &[Image], sums: &Sums) -> Option<Masses> {
    groups.of_class.classes(group).next()?;
    let share = |inside: &dyn Fn(&Image) -> bool| {
        images.iter().filter(|image| inside(image)).count() as f64 / images.len() as f64
    };
    let is = |class: Option<usize>| class.is_some_and(|class| groups.get(class) == group);
    let probability = |mass: &[f64], decided: f64| {
        let sum: f64 = groups
            .of_class
            .classes(group)
            .map(|class| mass[class])
            .sum();
        if decided > 0.0 { sum / decided } else { 0.0 }
    };
    Some(Masses {
        labels: share(&|image| is(Some(image.label()))),
        decisions: Sides {
            reference: share(&|image| is(image.before.class())),
            candidate: share(&|image| is(image.after.class())),
        },
        probability: Sides {
            reference: probability(&sums.before.mass, sums.before.decided()),
            candidate: probability(&sums.after.mass, sums.after.decided()),
        },
    })
}

#[cfg(test)]
mod tests;
