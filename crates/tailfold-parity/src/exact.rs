//! An exact unconditional test for paired decisions: is a loss below a margin?
//!
//! Of n images, g are gained and l are lost. Under the hypothesis that the true difference is `delta`, one parameter
//! remains unknown: the rate of lost images. The p-value is the largest probability of an outcome at least as
//! favourable as the observed one, over every rate that is compatible with the data. A candidate exactly at the
//! margin therefore passes at most as often as the level allows, for any number of images. The normal approximation
//! of a score does not guarantee this: with 268 images and a level of 5 %, it passes 6.8 % of the candidates that
//! lose one image in a hundred.
//!
//! Outcomes are ordered by Tango's score: H.-M. Hsueh, J.-P. Liu and J. J. Chen, "Unconditional exact tests for
//! equivalence or noninferiority for paired binary endpoints", Biometrics 57 (2001) 478-483. The search for the rate
//! is limited to its 99.99 % interval, and the excluded probability is added to the p-value: R. L. Berger and D. D.
//! Boos, "P values maximized over a confidence set for the nuisance parameter", JASA 89 (1994) 1012-1016.

use std::ops::RangeInclusive;

use crate::binomial::{Falling, Walk, interval, spread};
use crate::paired::{Paired, Table, quantile};
use crate::tally::Tally;

/// Probability that the interval of the nuisance parameter excludes. It is added to every p-value.
pub(crate) const LEFT_OUT: f64 = 1e-4;
/// Number of grid steps in the search for the rate, before the best one is refined; a step is half a standard
/// deviation.
const GRID: u32 = 16;
/// Number of refinements; each shrinks the bracket to 0.62 of its size.
const REFINEMENTS: u32 = 10;
/// Scores closer than this are equal, because two computations of the same score differ by rounding.
const SAME_SCORE: f64 = 1e-9;
/// Accuracy of a bound: a thousandth of a percentage point. The bound is the difference at which the p-value crosses
/// the level.
pub(crate) const NEAR: f64 = 1e-5;

/// An exact unconditional test on the difference of two accuracies that were measured on the same images.
///
/// ```
/// use tailfold_parity::{ClassCounts, ExactTest};
///
/// // 600 images, of which the candidate gains 1 and loses 3.
/// let test = ExactTest::new(600, 1, 3);
/// assert!(test.p_above(-0.01) > 0.05, "a loss of one point is not excluded");
/// assert!(test.p_above(-0.02) < 0.05, "one of two points is");
/// assert!(test.lower(0.05) < -0.01 && test.lower(0.05) > -0.02);
/// ```
#[derive(Clone, Debug)]
pub struct ExactTest {
    table: Table,
    /// 99.99 % confidence interval of the share of images that exactly one side gets right.
    discordance: RangeInclusive<f64>,
}

/// Numbers of images of one class: in total, gained and lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassCounts {
    /// Number of images.
    pub images: usize,
    /// Wrong in the reference, right in the candidate.
    pub gained: usize,
    /// Right in the reference, wrong in the candidate.
    pub lost: usize,
}

impl ExactTest {
    /// Creates the test. Of `images` images, `gained` are right only in the candidate and `lost` only in the
    /// reference; counts beyond `images` are cut off.
    pub fn new(images: u64, gained: u64, lost: u64) -> Self {
        let images = images.max(1);
        let lost = lost.min(images);
        Self::of(Table {
            images,
            gained: gained.min(images - lost),
            lost,
        })
    }

    /// Creates the test on the mean of the accuracies of several classes; `None` without images.
    ///
    /// The test is exact if all classes have equally many images. Otherwise the images count as an effective number
    /// of images, rounded against the candidate. This is an approximation; docs/parity-statistics.md describes its
    /// limits.
    pub fn over_classes(classes: &[ClassCounts]) -> Option<Self> {
        let tallies: Vec<Tally> = classes
            .iter()
            .map(|class| Tally {
                images: class.images,
                gained: class.gained,
                lost: class.lost,
                ..Tally::default()
            })
            .collect();
        Some(Self::of(
            Paired::over_classes(&tallies)?.against_candidate(),
        ))
    }

    pub(crate) fn of(table: Table) -> Self {
        let discordance = interval(table.images, table.gained + table.lost, LEFT_OUT);
        Self { table, discordance }
    }

    /// The p-value for H0: the true difference, candidate minus reference, is at most `delta`, -1 < `delta` < 1. A
    /// p-value at or below a level shows at that level that the difference is above `delta`.
    pub fn p_above(&self, delta: f64) -> f64 {
        // The range of the rate of lost images; the rate of gained images is `delta` higher.
        let lowest = ((self.discordance.start() - delta) / 2.0)
            .max(0.0)
            .max(-delta);
        let highest = ((self.discordance.end() - delta) / 2.0).min((1.0 - delta) / 2.0);
        if lowest > highest {
            // No rate that is compatible with the data allows a difference so far from the observed one.
            return if delta < self.table.difference() {
                LEFT_OUT
            } else {
                1.0
            };
        }
        let region = Region::at_least(&self.table, delta, lowest..=highest);
        (largest(lowest, highest, |lost| region.probability(lost)) + LEFT_OUT).min(1.0)
    }

    /// Tango's score for the hypothesis that the true difference is `delta`. Under the hypothesis and with many flips
    /// the score is standard normal. It is positive when the observed difference is above `delta`.
    pub fn score(&self, delta: f64) -> f64 {
        Paired::from(self.table).score(delta)
    }

    /// Lower bound of the difference at `level`, 0 < `level` < 0.5: smaller differences are rejected. The bound is
    /// accurate to 1e-5 and never too high.
    pub fn lower(&self, level: f64) -> f64 {
        self.lower_beside(level, None)
    }

    /// Like [`Self::lower`], but consistent with the p-value at the difference `known`.
    pub(crate) fn lower_beside(&self, level: f64, known: Option<f64>) -> f64 {
        let estimate = self.table.difference();
        // Near the bound, the logarithm of the p-value is almost a straight line.
        let height = |delta: f64| (self.p_above(delta) / level).ln();
        let (mut low, mut high) = ((-1.0, -1.0), (estimate, 1.0));
        let mut narrow = |delta: f64, weaken: bool| {
            let height = height(delta);
            if height <= 0.0 {
                low = (delta, height);
                // Illinois method: the value at an end that does not move is halved, so that the end moves
                // eventually.
                high.1 *= if weaken { 0.5 } else { 1.0 };
            } else {
                high = (delta, height);
                low.1 *= if weaken { 0.5 } else { 1.0 };
            }
            (low, high)
        };
        // The bound by the score is close to the exact bound.
        let near = Paired::from(self.table).lower(quantile(level));
        let step = 0.05 * (estimate - near).max(NEAR);
        let (mut a, mut b) = ((-1.0, -1.0), (estimate, 1.0));
        for guess in known.into_iter().chain([near - step, near + step]) {
            if a.0 < guess && guess < b.0 {
                (a, b) = narrow(guess, false);
            }
        }
        let mut turns = 0;
        while b.0 - a.0 > NEAR {
            turns += 1;
            let crossing = a.0 + (b.0 - a.0) * a.1 / (a.1 - b.1);
            // To move both ends, the guess is a third of a step beyond the crossing, in the direction of the farther
            // end.
            let guess = if crossing - a.0 > b.0 - crossing {
                crossing - 0.3 * NEAR
            } else {
                crossing + 0.3 * NEAR
            };
            let middle = 0.5 * (a.0 + b.0);
            let inside = guess > a.0 && guess < b.0 && turns % 4 != 0;
            (a, b) = narrow(if inside { guess } else { middle }, true);
        }
        a.0
    }
}

/// The outcomes whose score is at least the observed score: for each number of lost images, the smallest number of
/// gained images.
struct Region {
    images: u64,
    delta: f64,
    /// Number of lost images of the first entry of `least_gained`.
    first: u64,
    least_gained: Vec<u64>,
}

impl Region {
    /// Builds the region for the numbers of lost images that have a non-negligible probability when their rate is in
    /// `lost`.
    fn at_least(table: &Table, delta: f64, lost: RangeInclusive<f64>) -> Self {
        let n = table.images;
        let score = |gained, lost| {
            Paired::from(Table {
                gained,
                lost,
                ..*table
            })
            .score(delta)
        };
        let seen = score(table.gained, table.lost);
        let favourable = |gained: u64, lost: u64| {
            let score = score(gained, lost);
            score >= seen - SAME_SCORE * seen.abs().max(1.0)
        };
        let first = *spread(n, *lost.start()).start();
        let last = *spread(n, *lost.end()).end();
        // The smallest number of gained images rises with the number of lost images, so each search starts at the
        // previous result.
        let mut gained = 0;
        let mut least_gained = Vec::new();
        for lost in first..=last {
            while gained <= n - lost && !favourable(gained, lost) {
                gained += 1;
            }
            least_gained.push(gained);
        }
        Self {
            images: n,
            delta,
            first,
            least_gained,
        }
    }

    /// Probability of the region when the rate of lost images is `lost`.
    fn probability(&self, lost: f64) -> f64 {
        let gained = (lost + self.delta).max(0.0);
        // Rate of gained images among the images that are not lost.
        let rate = if lost < 1.0 {
            (gained / (1.0 - lost)).min(1.0)
        } else {
            0.0
        };
        let mut losing = Walk::new(self.images, lost, self.first);
        let mut gaining = Falling::new(self.images - self.first, rate, self.least_gained[0]);
        let mut sum = 0.0;
        for &least in &self.least_gained {
            gaining.raise(least);
            sum += losing.mass() * gaining.at_least();
            losing.next();
            gaining.one_trial_less();
        }
        sum
    }
}

/// Largest value of `f` between `low` and `high`: a grid search, then a golden-section search around the best grid
/// point.
fn largest(low: f64, high: f64, f: impl Fn(f64) -> f64) -> f64 {
    let at = |i: u32| low + (high - low) * f64::from(i) / f64::from(GRID);
    let (best, mut top) =
        (0..=GRID)
            .map(|i| (i, f(at(i))))
            .fold((0, f64::NEG_INFINITY), |best, next| {
                if next.1 > best.1 { next } else { best }
            });
    let (mut a, mut b) = (at(best.saturating_sub(1)), at((best + 1).min(GRID)));
    let golden = 0.5 * (5.0_f64.sqrt() - 1.0);
    let (mut c, mut d) = (b - golden * (b - a), a + golden * (b - a));
    let (mut fc, mut fd) = (f(c), f(d));
    for _ in 0..REFINEMENTS {
        top = top.max(fc).max(fd);
        if fc > fd {
            (b, d, fd) = (d, c, fc);
            c = b - golden * (b - a);
            fc = f(c);
        } else {
            (a, c, fc) = (c, d, fd);
            d = a + golden * (b - a);
            fd = f(d);
        }
    }
    top
}

#[cfg(test)]
mod tests;
