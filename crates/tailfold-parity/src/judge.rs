//! The verdict on one set of classes: what its counts can and cannot show.
//!
//! A set passes when the data show that it loses less than its margin (lower bound above -margin) and its point estimate
//! keeps the asked share of the reference's accuracy. It fails when the data show the opposite: the upper bound is below
//! -margin, or the share is not kept and the loss is real (upper bound below 0). Between the two it is inconclusive.
//! A large p-value never passes: too few images would always have one.
//!
//! All sets must pass, so the chance to pass a candidate that is worse than a margin is at most `level`, with no
//! correction for their number. The chance to fail a candidate that sits exactly on every margin is up to the number of
//! sets times `level`.

use crate::paired::{Paired, mcnemar, quantile};
use crate::tally::Tally;
use crate::{Comparison, Policy, Verdict};

/// Rounding of a mean of recalls must not decide the rule on the retained share.
const ROUNDING: f64 = 1e-12;

/// Judges all images as one sample: accuracy is the share of images.
pub(crate) fn overall(tallies: &[Tally], policy: &Policy) -> Option<Comparison> {
    let total = Tally::total(tallies);
    let top1 = (total.reference_recall()?, total.candidate_recall()?);
    Some(judge(
        tallies,
        top1,
        Paired::pooled(&total),
        policy.overall_margin_pp,
        policy,
    ))
}

/// Judges the classes of one group: accuracy is the mean of their recalls.
///
/// `None` when none of the classes has an image.
pub(crate) fn group(tallies: &[Tally], margin_pp: f64, policy: &Policy) -> Option<Comparison> {
    let mean = |recall: fn(&Tally) -> Option<f64>| {
        let recalls: Vec<f64> = tallies.iter().filter_map(recall).collect();
        recalls.iter().sum::<f64>() / recalls.len() as f64
    };
    let paired = Paired::over_classes(tallies)?;
    let top1 = (mean(Tally::reference_recall), mean(Tally::candidate_recall));
    Some(judge(tallies, top1, paired, margin_pp, policy))
}

fn judge(
    tallies: &[Tally],
    (reference_top1, candidate_top1): (f64, f64),
    paired: Paired,
    margin_pp: f64,
    policy: &Policy,
) -> Comparison {
    let z = quantile(policy.level);
    let margin = margin_pp / 100.0;
    let (lower, upper) = (paired.lower(z), paired.upper(z));
    let keeps = candidate_top1 >= policy.min_retained * reference_top1 - ROUNDING;
    let verdict = if lower > -margin && keeps {
        Verdict::Pass
    } else if upper < -margin || (!keeps && upper < 0.0) {
        Verdict::Fail
    } else {
        Verdict::Inconclusive
    };
    let total = Tally::total(tallies);
    let classes = tallies.iter().filter(|tally| tally.images > 0).count();
    Comparison {
        verdict,
        images: total.images,
        effective_images: paired.images,
        classes,
        unseen_classes: tallies.len() - classes,
        reference_top1,
        candidate_top1,
        delta_pp: 100.0 * paired.difference(),
        lower_bound_pp: 100.0 * lower,
        upper_bound_pp: 100.0 * upper,
        margin_pp,
        retained: (reference_top1 > 0.0).then(|| candidate_top1 / reference_top1),
        keeps_min_retained: keeps,
        discordant: total.gained + total.lost,
        gained: total.gained,
        lost: total.lost,
        mcnemar_p: mcnemar(total.gained, total.lost),
        smallest_margin_pp: keeps.then(|| (-100.0 * lower).max(0.0)),
        images_needed: match verdict {
            // What is open is whether the loss is below the margin, or, with a share not kept, whether it is real.
            Verdict::Inconclusive => {
                let open = if keeps { -margin } else { 0.0 };
                images_needed(total.images, paired.score(open), z)
            }
            _ => None,
        },
    }
}

/// Images at which a score would reach `z`, if the rates of flips stay as they are: the score grows with the square
/// root of the number of images.
///
/// `None` when the data lie exactly on the line, or beyond a million million images.
fn images_needed(images: usize, score: f64, z: f64) -> Option<usize> {
    let needed = images as f64 * (z / score).powi(2);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "checked to be a small number"
    )]
    (needed < 1e12).then(|| needed as usize + 1)
}
