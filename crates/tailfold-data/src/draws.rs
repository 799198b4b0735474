//! Random draws with the same bits on every machine and any number of threads.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

/// A random stream; each key has its own.
#[derive(Clone, Debug)]
pub struct Draws(ChaCha8Rng);

impl Draws {
    /// Uses the four numbers as ChaCha's 256-bit key: different keys give unrelated streams without any mixing.
    pub fn new(key: [u64; 4]) -> Self {
        let mut seed = [0; 32];
        for (bytes, part) in seed.chunks_exact_mut(8).zip(key) {
            bytes.copy_from_slice(&part.to_le_bytes());
        }
        Self(ChaCha8Rng::from_seed(seed))
    }

    /// Uniform in `0..n`, up to a bias of n / 2^64; 0 when `n` is 0.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the high half of u64 * n is less than n, a usize"
    )]
    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.0.next_u64()) * n as u128) >> 64) as usize
    }

    /// Uniform in `low..high`, on a grid of 2^24 values.
    pub(crate) fn between(&mut self, low: f32, high: f32) -> f32 {
        const STEP: f32 = 1.0 / (1 << 24) as f32;
        low + (high - low) * ((self.0.next_u32() >> 8) as f32 * STEP)
    }

    /// Returns true with this probability.
    pub(crate) fn chance(&mut self, probability: f32) -> bool {
        self.between(0.0, 1.0) < probability
    }

    /// Draws `count` of `items` without repeats (all items if there are fewer), in their original order.
    #[must_use]
    pub fn sample(&mut self, items: &[usize], count: usize) -> Vec<usize> {
        let mut places: Vec<usize> = (0..items.len()).collect();
        let count = count.min(items.len());
        for place in 0..count {
            let other = place + self.below(items.len() - place);
            places.swap(place, other);
        }
        places.truncate(count);
        places.sort_unstable();
        places.into_iter().map(|place| items[place]).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn stream_is_fixed() {
        // Values from a ChaCha8 written in Python. A change of the stream changes every augmented image and every
        // calibration subset ever recorded.
        let mut draws = Draws::new([1, 2, 3, 4]);
        let first: Vec<usize> = (0..6).map(|_| draws.below(1000)).collect();
        assert_eq!(first, [66, 345, 251, 272, 237, 192]);
        assert_eq!(
            Draws::new([0; 4]).sample(&[10, 20, 30, 40, 50], 3),
            [30, 40, 50]
        );
    }

    #[test]
    fn stream_depends_on_every_part_of_key() {
        let first = |key| Draws::new(key).below(usize::MAX);
        let base = first([7, 7, 7, 7]);
        for part in 0..4 {
            let mut key = [7; 4];
            key[part] = 8;
            assert_ne!(first(key), base, "part {part}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn sample_is_subset_in_order(seed: u64, items in 0..40_usize, count in 0..50_usize) {
            let items: Vec<usize> = (0..items).map(|i| 3 * i + 1).collect();
            let sample = Draws::new([seed, 0, 0, 0]).sample(&items, count);
            prop_assert_eq!(sample.len(), count.min(items.len()));
            prop_assert!(sample.is_sorted_by(|a, b| a < b));
            prop_assert!(sample.iter().all(|i| items.contains(i)));
        }

        #[test]
        fn draws_stay_in_range(seed: u64, n in 1..100_usize) {
            let mut draws = Draws::new([seed, 0, 0, 0]);
            prop_assert!(draws.below(n) < n);
            prop_assert!((0.25..0.75).contains(&draws.between(0.25, 0.75)));
        }
    }
}
