//! Statistics of paired decisions: Tango's score bounds and McNemar's exact test.
//!
//! T. Tango, "Equivalence test and confidence interval for the difference in proportions for the paired-sample
//! design", Statistics in Medicine 17 (1998) 891-908. Unlike the usual normal interval, it remains valid for few
//! flips: without a flip in n images its lower bound is -z^2 / (n + z^2), not 0.

use statrs::distribution::{Binomial, ContinuousCDF as _, DiscreteCDF as _, Normal};

use crate::tally::Tally;

/// Integer counts of images that exactly one of the two models gets right, out of all images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    /// Number of images; positive.
    pub(crate) images: u64,
    /// Wrong in the reference, right in the candidate.
    pub(crate) gained: u64,
    /// Right in the reference, wrong in the candidate; `gained + lost <= images`.
    pub(crate) lost: u64,
}

impl Table {
    /// Accuracy of the candidate minus accuracy of the reference, -1..1.
    pub(crate) fn difference(&self) -> f64 {
        (self.gained as f64 - self.lost as f64) / self.images as f64
    }
}

impl From<Table> for Paired {
    fn from(table: Table) -> Self {
        Self {
            images: table.images as f64,
            gained: table.gained as f64,
            lost: table.lost as f64,
        }
    }
}

/// Tolerance for rounding in effective numbers of images.
const ROUNDING: f64 = 1e-9;

/// Counts of images that exactly one of the two models gets right, out of all images.
///
/// The counts are real numbers, because classes of unequal size are converted to an effective number of images.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Paired {
    /// Number of images; positive.
    pub(crate) images: f64,
    /// Wrong in the reference, right in the candidate.
    pub(crate) gained: f64,
    /// Right in the reference, wrong in the candidate; `gained + lost <= images`.
    pub(crate) lost: f64,
}

impl Paired {
    /// Counts in which all images have the same weight.
    pub(crate) fn pooled(tally: &Tally) -> Self {
        Self {
            images: tally.images as f64,
            gained: tally.gained as f64,
            lost: tally.lost as f64,
        }
    }

    /// Counts in which all classes have the same weight; classes without images are left out.
    ///
    /// With equally many images in each class this is [`Paired::pooled`]. Otherwise an image of class k, one of K
    /// classes, has the weight w = 1 / (K n_k). The weighted shares of gained and lost images give the exact
    /// difference D of the mean recalls. For the bounds, these shares count as if they came from the smaller of two
    /// effective numbers of images, which gives the wider bound:
    /// - 1 / sum w^2 (Kish), which holds when flips are equally likely in each class, and does not depend on observed
    ///   flips;
    /// - (weighted variance) / (sum over classes of w^2 sum (d - D)^2), d in {-1, 0, 1}: the number at which equally
    ///   weighted images would be as uncertain as these. It is smaller when the flips are in the classes with few
    ///   images.
    ///
    /// This is an approximation: a loss that lies only in the classes with the fewest images can remain undetected
    /// more often than the level allows (nearly four times as often in a simulation with one class of 10 images among
    /// four). Equally many images in each class avoid this, and the report warns when the numbers are far from equal.
    ///
    /// Returns `None` without images.
    pub(crate) fn over_classes(tallies: &[Tally]) -> Option<Self> {
        let seen: Vec<&Tally> = tallies.iter().filter(|tally| tally.images > 0).collect();
        let first = seen.first()?;
        if seen.iter().all(|tally| tally.images == first.images) {
            return Some(Self::pooled(&Tally::total(tallies)));
        }
        let weight = |tally: &Tally| 1.0 / (seen.len() as f64 * tally.images as f64);
        let sum = |of: &dyn Fn(&Tally) -> f64| seen.iter().map(|tally| of(tally)).sum::<f64>();
        let gained = sum(&|tally| weight(tally) * tally.gained as f64);
        let lost = sum(&|tally| weight(tally) * tally.lost as f64);
        let difference = gained - lost;
        let kish = 1.0 / sum(&|tally| weight(tally).powi(2) * tally.images as f64);
        let spread = sum(&|tally| {
            let same = tally.images - tally.gained - tally.lost;
            let squares = tally.gained as f64 * (1.0 - difference).powi(2)
                + tally.lost as f64 * (1.0 + difference).powi(2)
                + same as f64 * difference.powi(2);
            weight(tally).powi(2) * squares
        });
        let variance = gained + lost - difference.powi(2);
        let images = if spread > 0.0 {
            kish.min(variance / spread)
        } else {
            kish
        };
        Some(Self {
            images,
            gained: images * gained,
            lost: images * lost,
        })
    }

    /// Integer counts, rounded against the candidate.
    pub(crate) fn against_candidate(&self) -> Table {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "counts of images"
        )]
        let whole = |count: f64| count as u64;
        // Rounding errors in an integer must not cost an image.
        let images = whole(self.images + ROUNDING).max(1);
        let lost = whole((self.lost - ROUNDING).ceil().max(0.0)).min(images);
        Table {
            images,
            gained: whole(self.gained + ROUNDING).min(images - lost),
            lost,
        }
    }

    /// Accuracy of the candidate minus accuracy of the reference, -1..1.
    pub(crate) fn difference(&self) -> f64 {
        (self.gained - self.lost) / self.images
    }

    /// Lower bound of the difference at `z` standard deviations.
    ///
    /// The score falls with the difference, so bisection finds the difference at which it crosses `z`. The returned
    /// end of the bracket is still rejected, so rounding never makes the bound too high.
    pub(crate) fn lower(&self, z: f64) -> f64 {
        let (mut rejected, mut kept) = (-1.0, self.difference());
        // 60 halvings reduce an interval of length 2 or less to less than one rounding step.
        for _ in 0..60 {
            let middle = 0.5 * (rejected + kept);
            if self.score(middle) > z {
                rejected = middle;
            } else {
                kept = middle;
            }
        }
        rejected
    }

    /// Tango's score for the hypothesis that the true difference is `delta`: standard normal under the hypothesis,
    /// and positive when the observed difference is above `delta`.
    ///
    /// With g gained, l lost and n images, and with q the likeliest share of lost images under the hypothesis,
    /// `score = (g - l - n delta) / sqrt(n (2 q + delta - delta^2))`, where q is the larger root of
    /// `2 n q^2 + ((2 n - g + l) delta - g - l) q - l delta (1 - delta) = 0`.
    pub(crate) fn score(&self, delta: f64) -> f64 {
        if delta > 0.0 {
            // For delta <= 0 neither the root nor the variance is a difference of nearly equal numbers.
            return -self.swapped().score(-delta);
        }
        let Self {
            images: n,
            gained,
            lost,
        } = *self;
        let linear = (2.0 * n - gained + lost) * delta - gained - lost;
        let constant = -lost * delta * (1.0 - delta);
        let root = (linear * linear - 8.0 * n * constant).max(0.0).sqrt();
        let q = (root - linear) / (4.0 * n);
        let variance = n * (2.0 * q + delta - delta * delta);
        let distance = gained - lost - n * delta;
        if variance > 0.0 {
            distance / variance.sqrt()
        } else if distance > 0.0 {
            f64::INFINITY
        } else if distance < 0.0 {
            f64::NEG_INFINITY
        } else {
            0.0
        }
    }

    /// The same counts with reference and candidate swapped.
    pub(crate) fn swapped(&self) -> Self {
        Self {
            gained: self.lost,
            lost: self.gained,
            ..*self
        }
    }
}

/// The `1 - level` quantile of the standard normal distribution, 0 < `level` < 1.
pub(crate) fn quantile(level: f64) -> f64 {
    Normal::standard().inverse_cdf(1.0 - level)
}

/// Two-sided p-value of McNemar's exact test, H0: both directions of a flip are equally likely.
pub(crate) fn mcnemar(gained: usize, lost: usize) -> f64 {
    let (fewer, flips) = (gained.min(lost) as u64, (gained + lost) as u64);
    match Binomial::new(0.5, flips) {
        Ok(coin) if flips > 0 => (2.0 * coin.cdf(fewer)).min(1.0),
        _ => 1.0,
    }
}

/// One-sided p-value of McNemar's exact test, H0: losses are as likely as gains.
pub(crate) fn more_lost_than_gained(gained: usize, lost: usize) -> f64 {
    match Binomial::new(0.5, (gained + lost) as u64) {
        Ok(coin) if lost > 0 => coin.cdf(gained as u64).min(1.0),
        _ => 1.0,
    }
}

#[cfg(test)]
mod tests;
