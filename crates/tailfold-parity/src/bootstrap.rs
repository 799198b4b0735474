//! A bootstrap of pairs, stratified by class, beside the exact bounds: it assumes nothing but that the images are a sample.
//!
//! Drawing the images of a class again with replacement is drawing how many of them are gained, lost or neither: a trinomial
//! number a class, so the cost does not depend on the number of images. It cannot see what the sample has none of (without a
//! flip its bounds are 0), which is why it decides nothing.

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Binomial, Distribution as _};
use rayon::prelude::*;

use crate::report::Bootstrap;
use crate::tally::Tally;

/// Replications.
pub(crate) const DRAWS: usize = 10_000;
/// Seed of the first stream; each few hundred replications have a stream of their own, so that threads do not matter.
pub(crate) const SEED: u64 = 0;
/// Replications a stream.
const STREAM: usize = 500;

/// One class of a set: how much each of its images weighs in the set's difference.
struct Stratum {
    images: u64,
    gained: f64,
    lost: f64,
    weight: f64,
}

/// Quantiles of the differences at `level` and `1 - level`, percentage points. Each of `tallies` is a class; `weight` says how
/// much an image of a class weighs in the difference.
pub(crate) fn bounds(tallies: &[Tally], weight: impl Fn(&Tally) -> f64, level: f64) -> Bootstrap {
    // A class without a flip adds nothing, however often it is drawn.
    let strata: Vec<Stratum> = tallies
        .iter()
        .filter(|tally| tally.gained + tally.lost > 0)
        .map(|tally| {
            let share = |count: usize| count as f64 / tally.images as f64;
            Stratum {
                images: tally.images as u64,
                gained: share(tally.gained),
                lost: share(tally.lost),
                weight: weight(tally),
            }
        })
        .collect();
    if strata.is_empty() {
        return Bootstrap {
            lower_bound_pp: 0.0,
            upper_bound_pp: 0.0,
        };
    }
    let mut differences: Vec<f64> = (0..DRAWS / STREAM)
        .into_par_iter()
        .flat_map_iter(|stream| {
            let mut random = ChaCha8Rng::seed_from_u64(SEED);
            random.set_stream(stream as u64);
            (0..STREAM)
                .map(|_| {
                    strata
                        .iter()
                        .map(|stratum| stratum.draw(&mut random))
                        .sum::<f64>()
                })
                .collect::<Vec<_>>()
        })
        .collect();
    differences.sort_by(f64::total_cmp);
    let quantile = |share: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "0 to 1 times a small number"
        )]
        let at = (share * (DRAWS - 1) as f64).round() as usize;
        100.0 * differences[at.min(DRAWS - 1)]
    };
    Bootstrap {
        lower_bound_pp: quantile(level),
        upper_bound_pp: quantile(1.0 - level),
    }
}

impl Stratum {
    /// Gained minus lost of one replication, weighted.
    fn draw(&self, random: &mut ChaCha8Rng) -> f64 {
        let mut number = |trials: u64, rate: f64| {
            // Rates are shares of counts, so within 0 and 1 but for rounding.
            Binomial::new(trials, rate.clamp(0.0, 1.0)).map_or(0, |number| number.sample(random))
        };
        let gained = number(self.images, self.gained);
        let rest = 1.0 - self.gained;
        let lost = if rest > 0.0 {
            number(self.images - gained, self.lost / rest)
        } else {
            0
        };
        self.weight * (gained as f64 - lost as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(images: usize, gained: usize, lost: usize) -> Tally {
        Tally {
            images,
            gained,
            lost,
            ..Tally::default()
        }
    }

    #[test]
    fn bounds_are_those_of_drawing_images() {
        // NumPy 2.4: 200,000 replications of drawing 300 and 700 images with replacement, 4 and 9 of which were gained and 12
        // and 5 lost; 5 and 95 % of the difference of all 1,000: -1.30 and 0.50 (standard error 0.005; a step is 0.1).
        let found = bounds(
            &[tally(300, 4, 12), tally(700, 9, 5)],
            |_| 1.0 / 1000.0,
            0.05,
        );
        assert!((found.lower_bound_pp + 1.3).abs() < 0.11, "{found:?}");
        assert!((found.upper_bound_pp - 0.5).abs() < 0.11, "{found:?}");
    }

    #[test]
    fn nothing_seen_is_nothing_drawn_and_all_is_all() {
        let none = bounds(&[tally(300, 0, 0)], |_| 1.0 / 300.0, 0.05);
        assert_eq!((none.lower_bound_pp, none.upper_bound_pp), (0.0, 0.0));
        let all = bounds(&[tally(50, 0, 50)], |_| 1.0 / 50.0, 0.05);
        assert_eq!((all.lower_bound_pp, all.upper_bound_pp), (-100.0, -100.0));
    }

    #[test]
    fn threads_do_not_matter() {
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            pool.install(|| {
                bounds(
                    &[tally(90, 3, 7), tally(40, 1, 0)],
                    |t| 0.5 / t.images as f64,
                    0.05,
                )
            })
        };
        assert_eq!(run(1), run(3));
    }
}
