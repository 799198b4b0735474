//! Whether a loss is below a margin, exactly: an unconditional test for paired decisions.
//!
//! Of n images, g are gained and l lost. Under the hypothesis that the true difference is `delta`, one thing stays unknown: how
//! often images are lost at all. The p-value is the largest probability, over every such rate that the data leave possible, of
//! an outcome at least as favourable as the one seen. So a candidate that is exactly at the margin passes at most as often as
//! the level says, for any number of images, which the normal approximation of a score does not promise (with 268 images it
//! lets 6.8 % of the candidates through that lose one image in a hundred, at a level of 5 %).
//!
//! Outcomes are ordered by Tango's score: H.-M. Hsueh, J.-P. Liu and J. J. Chen, "Unconditional exact tests for equivalence or
//! noninferiority for paired binary endpoints", Biometrics 57 (2001) 478-483. The rate is looked for in its 99.99 % interval
//! alone, and what that leaves out is added to the p-value: R. L. Berger and D. D. Boos, "P values maximized over a confidence
//! set for the nuisance parameter", JASA 89 (1994) 1012-1016.

use std::ops::RangeInclusive;

use crate::binomial::{Falling, Walk, interval, spread};
use crate::paired::{Paired, Table, quantile};
use crate::tally::Tally;

/// Probability that the interval of the nuisance parameter leaves out; added to every p-value.
pub(crate) const LEFT_OUT: f64 = 1e-4;
/// Rates at which the probability is evaluated before the best is refined: half a standard deviation apart.
const GRID: u32 = 16;
/// Each step shrinks the bracket to 0.62 of its size.
const REFINEMENTS: u32 = 10;
/// Scores closer than this are equal: two ways to the same outcome differ by rounding.
const SAME_SCORE: f64 = 1e-9;
/// How near a bound comes to where the p-value crosses the level; a thousandth of a percentage point.
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
    /// Share of images that one side alone gets right, as far as the data tell.
    discordance: RangeInclusive<f64>,
}

/// Images of one class, and those that exactly one of the two gets right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassCounts {
    /// Images.
    pub images: usize,
    /// Wrong in the reference, right in the candidate.
    pub gained: usize,
    /// Right in the reference, wrong in the candidate.
    pub lost: usize,
}

impl ExactTest {
    /// `gained` of `images` are right in the candidate alone, `lost` in the reference alone; what is beyond `images` is cut off.
    pub fn new(images: u64, gained: u64, lost: u64) -> Self {
        let images = images.max(1);
        let lost = lost.min(images);
        Self::of(Table {
            images,
            gained: gained.min(images - lost),
            lost,
        })
    }

    /// On the mean of the accuracies of several classes. Exact where all have equally many images; otherwise they count as an
    /// effective number of images, rounded against the candidate, which is an approximation (docs/parity.md tells how far it
    /// holds). `None` without images.
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

    /// p-value of "the true difference, candidate minus reference, is at most `delta`", -1 < `delta` < 1. At or below a level, a
    /// difference above `delta` is shown at that level.
    pub fn p_above(&self, delta: f64) -> f64 {
        // The share of lost images; gained ones are `delta` more.
        let lowest = ((self.discordance.start() - delta) / 2.0)
            .max(0.0)
            .max(-delta);
        let highest = ((self.discordance.end() - delta) / 2.0).min((1.0 - delta) / 2.0);
        if lowest > highest {
            // No rate that the data leave possible allows a difference so far from what was seen.
            return if delta < self.table.difference() {
                LEFT_OUT
            } else {
                1.0
            };
        }
        let region = Region::at_least(&self.table, delta, lowest..=highest);
        (largest(lowest, highest, |lost| region.probability(lost)) + LEFT_OUT).min(1.0)
    }

    /// Tango's score for the hypothesis that the true difference is `delta`: standard normal if it is, for many flips; positive
    /// when the data lie above.
    pub fn score(&self, delta: f64) -> f64 {
        Paired::from(self.table).score(delta)
    }

    /// Lower bound of the difference at `level`, 0 < `level` < 0.5: what lies below it is rejected. It is right to 1e-5, and
    /// errs downwards.
    pub fn lower(&self, level: f64) -> f64 {
        self.lower_beside(level, None)
    }

    /// [`Self::lower`]; where the p-value of `known` decides something, the bound agrees with it.
    pub(crate) fn lower_beside(&self, level: f64, known: Option<f64>) -> f64 {
        let estimate = self.table.difference();
        // Near the bound, the logarithm of the p-value is all but a straight line.
        let height = |delta: f64| (self.p_above(delta) / level).ln();
        let (mut low, mut high) = ((-1.0, -1.0), (estimate, 1.0));
        let mut narrow = |delta: f64, weaken: bool| {
            let height = height(delta);
            if height <= 0.0 {
                low = (delta, height);
                // Illinois: an end that stays counts half, so that it moves at last.
                high.1 *= if weaken { 0.5 } else { 1.0 };
            } else {
                high = (delta, height);
                low.1 *= if weaken { 0.5 } else { 1.0 };
            }
            (low, high)
        };
        // The score's bound is near.
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
            // Both ends close in: a third of a step beyond the crossing, on the side that is farther.
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

/// The outcomes whose score is at least that of the table: for each number of lost images, the smallest number of gained ones.
struct Region {
    images: u64,
    delta: f64,
    /// Lost images of the first entry.
    first: u64,
    least_gained: Vec<u64>,
}

impl Region {
    /// For numbers of lost images that are likely enough to matter when their rate lies in `lost`.
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
        // The smallest number rises with the number of lost images, so it is followed and not looked for.
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

    /// Probability of the region when a share `lost` of all images is lost.
    fn probability(&self, lost: f64) -> f64 {
        let gained = (lost + self.delta).max(0.0);
        // Among the images that are not lost.
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

/// The largest value of `f` from `low` to `high`: a grid, then a golden section beside its best point.
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
