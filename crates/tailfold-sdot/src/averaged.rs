//! Averaged stochastic gradient at a falling temperature: offsets from consecutive batches of samples, for streams in
//! which each sample is seen once, and as a rough start for very many classes.
//!
//! The decreasing regularization follows the idea of DRAG (arXiv 2510.27340); the exponents and the step scaling
//! differ.

use crate::anneal::Start;
use crate::hessian::centre;
use crate::pass::Sample;
use crate::problem::{SampleWeights, check_offsets, normalised_target};
use crate::{Scores, SolveError};

/// Smallest temperature as a fraction of the first; the temperature falls with the square root of the number of
/// batches.
const LAST: f64 = 1.0 / 16.0;
/// Largest movement of a class in a step, in units of the temperature.
const LARGEST_STEP: f64 = 2.0;
/// Fraction of the batches in the average, which forgets the earlier ones.
const FORGETS: f64 = 0.5;

/// Offsets that follow a stream of samples.
///
/// A batch moves class `j` by the temperature times `(nu_j - m_j) / max(nu_j, 1 / n)`, where `m` is the batch's mean
/// softmax, times a factor that falls with the square root of the number of batches. The result is the mean of the
/// offsets over the later half of the batches.
///
/// ```
/// use tailfold_sdot::{Averaged, Scores, cell_masses, sphere_samples};
///
/// let weights = [1.0, 0.0, 0.0, -0.6, 0.8, 0.0];
/// let mut offsets = Averaged::new(&[0.9, 0.1])?;
/// for seed in 0..400 {
///     let points = sphere_samples(64, 3, seed);
///     offsets.push(&Scores::product(&points, &weights, 3, 16.0)?, None)?;
/// }
/// let points = sphere_samples(10_000, 3, 1_000);
/// let mass = cell_masses(&Scores::product(&points, &weights, 3, 16.0)?, None, &offsets.offsets())?;
/// assert!((mass[0] - 0.9).abs() < 0.02, "{mass:?}");
/// # Ok::<(), tailfold_sdot::SolveError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Averaged {
    target: Vec<f64>,
    /// Offsets at which the gradient is evaluated, `[C]`.
    current: Vec<f64>,
    /// Mean of the offsets over the later half of the batches, `[C]`.
    mean: Vec<f64>,
    batches: u32,
    /// First temperature: the standard deviation of the scores of the first batch.
    first: f64,
}

impl Averaged {
    /// Starts from zero offsets for the target masses `target` `[C]`.
    ///
    /// # Errors
    /// [`SolveError`] when a mass is not positive or the sum is not 1.
    pub fn new(target: &[f64]) -> Result<Self, SolveError> {
        let target = normalised_target(target, target.len())?;
        Ok(Self::from_offsets(target.clone(), vec![0.0; target.len()]))
    }

    fn from_offsets(target: Vec<f64>, offsets: Vec<f64>) -> Self {
        Self {
            target,
            mean: offsets.clone(),
            current: offsets,
            batches: 0,
            first: 0.0,
        }
    }

    /// Learns from the samples of `scores` `[n, C]` with `weights` `[n]` (`None` means equal weights). Larger batches
    /// are better than more batches.
    ///
    /// # Errors
    /// [`SolveError`] when the scores or weights do not fit.
    pub fn push(&mut self, scores: &Scores<'_>, weights: Option<&[f64]>) -> Result<(), SolveError> {
        check_offsets(
            &self.current,
            scores.num_classes(),
            ["target masses", "offset"],
        )?;
        let weights = SampleWeights::new(weights, scores.rows())?;
        self.learn(&mut Sample::every(1, scores, 0, weights));
        Ok(())
    }

    fn learn(&mut self, sample: &mut Sample<'_>) {
        if self.batches == 0 {
            let spread = sample.spread();
            self.first = if spread.is_normal() { spread } else { 1.0 };
        }
        let fall = 1.0 / f64::from(self.batches + 1).sqrt();
        let epsilon = self.first * fall.max(LAST);
        let grain = 1.0 / sample.rows() as f64;
        let soft = sample.soft_cells(&self.current, epsilon, None).soft;
        for ((h, mass), nu) in self.current.iter_mut().zip(&soft).zip(&self.target) {
            let step = (nu - mass) / nu.max(grain);
            // The factor has a lower bound, as the temperature has, so later batches still count.
            *h += epsilon * fall.max(LAST) * step.clamp(-LARGEST_STEP, LARGEST_STEP);
        }
        centre(&mut self.current);
        self.batches += 1;
        let share = 1.0 / (f64::from(self.batches) * FORGETS).max(1.0);
        for (mean, h) in self.mean.iter_mut().zip(&self.current) {
            *mean += share * (h - *mean);
        }
    }

    /// The current offsets, `[C]`, in score units, sum 0.
    pub fn offsets(&self) -> Vec<f64> {
        let mut offsets = self.mean.clone();
        centre(&mut offsets);
        offsets
    }
}

/// Largest number of batches into which the samples of a problem are split.
const BATCHES: usize = 256;
/// Smallest number of samples per batch.
const MIN_BATCH: usize = 64;
/// Number of passes over the samples.
const EPOCHS: usize = 2;

/// Returns the offsets learned from batches; `batch(first, stride)` returns the rows `first`, `first + stride` and so
/// on.
pub(crate) fn descend<'a>(
    target: &[f64],
    offsets: &[f64],
    rows: usize,
    batch: impl Fn(usize, usize) -> Sample<'a>,
) -> (Vec<f64>, Start, u64) {
    let batches = BATCHES.min(rows / MIN_BATCH).max(1);
    let mut state = Averaged::from_offsets(target.to_vec(), offsets.to_vec());
    let mut walked = 0;
    for step in 0..EPOCHS * batches {
        let mut sample = batch(step % batches, batches);
        state.learn(&mut sample);
        walked += sample.walked;
    }
    // The wide temperatures are done, so the solve continues where they end.
    (state.offsets(), Start::Coarse(STAGE), walked)
}

/// First temperature of the corrections, counted from the first of the schedule: the one nearest to [`LAST`].
const STAGE: usize = 2;
