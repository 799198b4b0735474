//! The images of a search: some that flip, and equally many that do not.

use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;
use tailfold_spec::Logits;

use super::super::closeness::same_shape;
use super::Counted;
use crate::ParityError;

/// Largest number of flips in a sample. With 200 flips, a share is known within 7 percentage points (95 %).
const MOST: usize = 200;

/// The images of a search, flips first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    numbers: Vec<usize>,
    /// The float model's class of each image.
    wanted: Vec<Option<usize>>,
    flips: usize,
    all_flips: usize,
    all_images: usize,
}

impl Sample {
    /// Seed of the random draw.
    pub const SEED: u64 = 0;

    /// Draws images that flip between the logits of the float model and of the INT8 model, `[images, classes]` each,
    /// and equally many that do not.
    ///
    /// # Errors
    /// [`ParityErrorKind::Mismatch`](crate::ParityErrorKind::Mismatch) when the shapes differ.
    pub fn draw(reference: &Logits, candidate: &Logits) -> Result<Self, ParityError> {
        same_shape(reference, candidate)?;
        let decisions = |logits: &Logits| -> Vec<Option<usize>> {
            let rows = logits.rows();
            rows.map(|row| Logits::top1(row).map(|t| t.0)).collect()
        };
        let (before, after) = (decisions(reference), decisions(candidate));
        let (flips, others): (Vec<usize>, Vec<usize>) =
            (0..before.len()).partition(|&i| before[i] != after[i]);
        let mut rng = ChaCha8Rng::seed_from_u64(Self::SEED);
        let mut some = |from: &[usize], count: usize| -> Vec<usize> {
            let mut drawn = sample(&mut rng, from.len(), count.min(from.len())).into_vec();
            drawn.sort_unstable();
            drawn.into_iter().map(|place| from[place]).collect()
        };
        let mut numbers = some(&flips, MOST);
        let chosen = numbers.len();
        numbers.extend(some(&others, chosen));
        Ok(Self {
            wanted: numbers.iter().map(|&index| before[index]).collect(),
            numbers,
            flips: chosen,
            all_flips: flips.len(),
            all_images: before.len(),
        })
    }

    /// Returns the indices of the images, flips first.
    pub fn numbers(&self) -> &[usize] {
        &self.numbers
    }

    /// Returns the number of flips in the sample.
    pub fn flips(&self) -> usize {
        self.flips
    }

    /// Returns the number of images in the sample whose decision does not flip.
    pub fn controls(&self) -> usize {
        self.numbers.len() - self.flips
    }

    /// Returns the number of flips among all images.
    pub fn all_flips(&self) -> usize {
        self.all_flips
    }

    /// Returns the number of images that the sample was drawn from.
    pub fn all_images(&self) -> usize {
        self.all_images
    }

    /// Counts the `decisions` that match the float model's, in the order of the sample. A missing decision does not
    /// match.
    pub fn count(&self, decisions: &[Option<usize>]) -> Counted {
        let is_right = |at: usize| decisions.get(at) == Some(&self.wanted[at]);
        Counted {
            repaired: (0..self.flips).filter(|&at| is_right(at)).count(),
            broken: (self.flips..self.numbers.len())
                .filter(|&at| !is_right(at))
                .count(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Logits of 1000 images and two classes; images for which `second` is true belong to the second class.
    fn logits(second: impl Fn(usize) -> bool) -> Logits {
        let row = |image| {
            if second(image) {
                [0.0, 1.0]
            } else {
                [1.0, 0.0]
            }
        };
        Logits::new((0..1000).flat_map(row).collect(), 2).unwrap()
    }

    #[test]
    fn flips_come_first_and_controls_are_as_many() {
        let sample = Sample::draw(&logits(|_| false), &logits(|i| i % 100 == 7)).unwrap();
        assert_eq!((sample.flips(), sample.controls()), (10, 10));
        assert_eq!((sample.all_flips(), sample.all_images()), (10, 1000));
        let (flips, others) = sample.numbers().split_at(10);
        assert!(flips.iter().all(|i| i % 100 == 7), "{flips:?}");
        assert!(others.iter().all(|i| i % 100 != 7), "{others:?}");
    }

    #[test]
    fn many_flips_are_sampled_and_draw_is_repeatable() {
        let draw = || Sample::draw(&logits(|_| false), &logits(|i| i >= 100)).unwrap();
        let sample = draw();
        assert_eq!((sample.flips(), sample.all_flips()), (MOST, 900));
        assert_eq!(sample.controls(), 100);
        assert_eq!(sample, draw());
    }

    #[test]
    fn decisions_are_counted_against_float_model() {
        let sample = Sample::draw(&logits(|_| false), &logits(|i| i < 2)).unwrap();
        let counted = |decisions: &[Option<usize>]| {
            let Counted { repaired, broken } = sample.count(decisions);
            (repaired, broken)
        };
        assert_eq!(counted(&[Some(0); 4]), (2, 0));
        assert_eq!(counted(&[Some(1), Some(0), Some(0), Some(1)]), (1, 1));
        // An image without a decision matches no class, and neither does a missing entry.
        assert_eq!(counted(&[None; 4]), (0, 2));
        assert_eq!(counted(&[]), (0, 2));
    }

    #[test]
    fn other_shape_is_error() {
        let short = Logits::new(vec![0.0; 4], 2).unwrap();
        let error = Sample::draw(&logits(|_| false), &short).unwrap_err();
        let expected = "expected 1000 rows of 2 logits, found 2 rows of 2";
        assert_eq!(error.to_string(), expected);
    }
}
