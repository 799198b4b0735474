//! Re-targeting: solves for offsets that give every class its mass under a prior.

use tailfold_sdot::{
    MassMeasure, Problem, Stop, Weighing, cell_masses, entropic_energy, solve_for_prior,
};
use tailfold_spec::OffsetsRecord;

use crate::{ExportError, Sample};

/// Solved offsets, with the numbers that a report needs.
pub struct Resolved {
    /// The offsets, and how they were found.
    pub record: OffsetsRecord,
    /// Why the solver stopped.
    pub stop: Stop,
    /// Weight of each image of the sample, `[n]`.
    pub weights: Vec<f64>,
}

/// Solves for offsets that give every class its share of `target`, `[classes]`, on `sample`.
///
/// # Errors
/// [`crate::ErrorKind::Solve`].
pub fn resolve(
    sample: &Sample<'_>,
    measure: MassMeasure,
    target: &[f64],
) -> Result<Resolved, ExportError> {
    let labels = sample.labels();
    let solved = solve_for_prior(sample.scores()?, labels, target, measure)?;
    let (solution, weights) = (solved.solution, solved.weights);
    // Under a uniform prior, the two weighings are equal.
    let balanced = weights == Weighing::Balanced.weights(labels, target)?;
    let weighing = if balanced { "balanced" } else { "prior" };
    let mut source = format!("{weighing}-{}", sample.kind);
    if measure.temperature > 0.0 {
        source += &format!(", softmax at temperature {}", measure.temperature);
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "offsets are a few logits; the head adds f32 values"
    )]
    let offsets = solution.offsets.iter().map(|&h| h as f32).collect();
    let record = OffsetsRecord {
        schema: OffsetsRecord::SCHEMA.to_owned(),
        offsets,
        origin: "resolved".to_owned(),
        source,
        target: target.to_vec(),
        mass: solution.mass,
        chi_square: solution.chi_square,
        largest_relative_error: solution.largest_relative_error,
        stop: solution.stop.to_string(),
    };
    Ok(Resolved {
        record,
        stop: solution.stop,
        weights,
    })
}

/// Returns the mass of each class, `[classes]`, on images with `weights` under `offsets`: at temperature 0 the share of
/// images with the class as top-1, otherwise the mean probability of the class.
pub(crate) fn masses(
    sample: &Sample<'_>,
    weights: &[f64],
    offsets: &[f32],
    temperature: f64,
) -> Result<Vec<f64>, ExportError> {
    let offsets: Vec<f64> = offsets.iter().map(|&h| h.into()).collect();
    let scores = sample.scores()?;
    if temperature <= 0.0 {
        return Ok(cell_masses(&scores, Some(weights), &offsets)?);
    }
    // For any target, the gradient of the energy is the masses minus the target.
    let target = vec![1.0 / offsets.len() as f64; offsets.len()];
    let mut problem = Problem::new(scores, &target);
    problem.sample_weights = Some(weights);
    let (_, gradient) = entropic_energy(&problem, &offsets, temperature)?;
    Ok(gradient.iter().zip(&target).map(|(g, t)| g + t).collect())
}
