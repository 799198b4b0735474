//! The verdict on one set of classes.
//!
//! A set passes when the data show that its loss is below its margin (lower bound above -margin), and its point
//! estimate retains the required share of the reference's accuracy. It fails when the data show the opposite: the
//! upper bound is below -margin, or the share is not retained and the loss is significant (upper bound below 0).
//! Otherwise it is inconclusive. A large p-value never passes, because too few images always give one.
//!
//! All sets must pass, so the chance to pass a candidate that is worse than a margin is at most `level`, without a
//! correction for the number of sets. The chance to fail a candidate exactly on every margin is up to the number of
//! sets times `level`.

use crate::bootstrap;
use crate::exact::{ExactTest, LEFT_OUT};
use crate::paired::{Paired, mcnemar, quantile};
use crate::report::{Bootstrap, Comparison, TieBracket};
use crate::tally::Tally;
use crate::{Policy, Verdict};

/// Tolerance for rounding in a mean of recalls, which must not decide the rule on the retained share.
const ROUNDING: f64 = 1e-12;

/// Judges all images as one sample; its accuracy is the share of images that are classified correctly.
pub(crate) fn overall(tallies: &[Tally], policy: &Policy) -> Option<Comparison> {
    let total = Tally::total(tallies);
    let share = |count: usize| count as f64 / total.images as f64;
    let candidate = total.candidate_recall()?;
    let accuracies = Accuracies {
        reference: total.reference_recall()?,
        candidate,
        ties: TieBracket {
            images: total.ties,
            least_top1: candidate - share(total.right_by_tie),
            most_top1: candidate + share(total.wrong_by_tie),
        },
    };
    let images = total.images as f64;
    let resampled = bootstrap::bounds(tallies, |_| 1.0 / images, policy.level);
    let paired = Paired::pooled(&total);
    Some(judge(
        tallies,
        &accuracies,
        paired,
        resampled,
        policy.overall_margin_pp,
        policy,
    ))
}

/// Judges the classes of one group; its accuracy is the mean of the classes' recalls.
///
/// Returns `None` when no class has an image.
pub(crate) fn group(tallies: &[Tally], margin_pp: f64, policy: &Policy) -> Option<Comparison> {
    let paired = Paired::over_classes(tallies)?;
    let classes = tallies.iter().filter(|tally| tally.images > 0).count() as f64;
    let mean = |count: &dyn Fn(&Tally) -> usize| {
        let shares = tallies
            .iter()
            .filter(|tally| tally.images > 0)
            .map(|tally| count(tally) as f64 / tally.images as f64);
        shares.sum::<f64>() / classes
    };
    let right = |tally: &Tally| tally.reference_right + tally.gained - tally.lost;
    let accuracies = Accuracies {
        reference: mean(&|tally| tally.reference_right),
        candidate: mean(&right),
        ties: TieBracket {
            images: Tally::total(tallies).ties,
            least_top1: mean(&|tally| right(tally) - tally.right_by_tie),
            most_top1: mean(&|tally| right(tally) + tally.wrong_by_tie),
        },
    };
    let weight = |tally: &Tally| 1.0 / (classes * tally.images as f64);
    let resampled = bootstrap::bounds(tallies, weight, policy.level);
    Some(judge(
        tallies,
        &accuracies,
        paired,
        resampled,
        margin_pp,
        policy,
    ))
}

struct Accuracies {
    reference: f64,
    candidate: f64,
    ties: TieBracket,
}

fn judge(
    tallies: &[Tally],
    accuracies: &Accuracies,
    paired: Paired,
    bootstrap: Bootstrap,
    margin_pp: f64,
    policy: &Policy,
) -> Comparison {
    let margin = margin_pp / 100.0;
    let exact = ExactTest::of(paired.against_candidate());
    // The mirrored test rounds against the reference, so neither bound is too narrow.
    let mirrored = ExactTest::of(paired.swapped().against_candidate());
    let margin_p = exact.p_above(-margin);
    let lower = exact.lower_beside(policy.level, Some(-margin));
    let upper = -mirrored.lower_beside(policy.level, Some(margin));
    let (reference_top1, candidate_top1) = (accuracies.reference, accuracies.candidate);
    let keeps = candidate_top1 >= policy.min_retained * reference_top1 - ROUNDING;
    let verdict = if margin_p <= policy.level && keeps {
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
        margin_p,
        bootstrap,
        retained: (reference_top1 > 0.0).then(|| candidate_top1 / reference_top1),
        keeps_min_retained: keeps,
        discordant: total.gained + total.lost,
        gained: total.gained,
        lost: total.lost,
        mcnemar_p: mcnemar(total.gained, total.lost),
        smallest_margin_pp: (-100.0 * lower).max(0.0),
        images_needed: match verdict {
            // The open question is whether the loss is below the margin, or, if the share is not retained, whether
            // the loss is significant.
            Verdict::Inconclusive => {
                let open = if keeps { -margin } else { 0.0 };
                let z = quantile(policy.level);
                images_needed(&total, paired.score(open), z, policy.level, margin)
            }
            _ => None,
        },
        ties: accuracies.ties,
    }
}

/// Number of images at which the score would reach `z` if the flip rates stay the same: the score grows with the
/// square root of the number of images. Without a flip, it is the number n at which (1 - margin)^n reaches the level.
///
/// Returns `None` when the data lie exactly on the line, or when more than 1e12 images would be needed.
fn images_needed(total: &Tally, score: f64, z: f64, level: f64, margin: f64) -> Option<usize> {
    let without_flip = (level - LEFT_OUT).max(f64::MIN_POSITIVE).ln() / (-margin).ln_1p();
    let needed = total.images as f64 * (z / score).powi(2);
    // The exact test needs more images than the score suggests.
    let needed = needed
        .max(without_flip)
        .max(total.images as f64 + 1.0)
        .ceil();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be a small number"
    )]
    (needed < 1e12).then_some(needed as usize)
}
