//! Re-targeting: the offsets under which every class is answered as often as a prior says.

use tailfold_sdot::{Masses, Options, Problem, Stop, cell_masses, entropic_energy, solve};
use tailfold_spec::OffsetsRecord;

use super::sample::{Measure, Sample, Weighing};

/// Offsets solved anew, with what a report needs to judge them.
pub(crate) struct Resolved {
    /// What is folded.
    pub(crate) record: OffsetsRecord,
    /// Why the solver stopped.
    pub(crate) stop: Stop,
    /// Weight of each image of the sample, `[n]`, as the solver met it.
    pub(crate) weights: Vec<f64>,
}

/// Offsets that give every class its share of `target`, `[classes]`, on `sample`.
pub(crate) fn resolve(
    sample: &Sample<'_>,
    measure: Measure,
    target: &[f64],
) -> anyhow::Result<Resolved> {
    let weights = sample.weights(measure.weighing, target);
    let problem = Problem {
        scores: sample.scores()?,
        sample_weights: Some(&weights),
        target,
    };
    let mut options = Options::default();
    if measure.temperature > 0.0 {
        options.masses = Masses::Soft {
            epsilon: measure.temperature,
        };
        // Probabilities meet a prior as closely as is asked for, in a few more steps; whole images do not.
        options.chi_square = 1e-8;
    }
    let solution = solve(&problem, &options)?;
    // Under a uniform prior the two are one.
    let balanced = weights == sample.weights(Weighing::Balanced, target);
    let weighing = if balanced { "balanced" } else { "prior" };
    let mut source = format!("{weighing}-{}", sample.kind);
    if measure.temperature > 0.0 {
        source += &format!(", softmax at temperature {}", measure.temperature);
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "offsets are a few logits; f32 is what a head adds"
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

/// Mass of each class, `[classes]`, of images weighing `weights` under `offsets`, as a head adds them: the share that is
/// answered with the class at temperature 0, the mean probability of the class at any other.
pub(crate) fn masses(
    sample: &Sample<'_>,
    weights: &[f64],
    offsets: &[f32],
    temperature: f64,
) -> anyhow::Result<Vec<f64>> {
    let offsets: Vec<f64> = offsets.iter().map(|&h| h.into()).collect();
    let scores = sample.scores()?;
    if temperature <= 0.0 {
        return Ok(cell_masses(&scores, Some(weights), &offsets)?);
    }
    // The energy's gradient is what the masses are beyond any target.
    let target = vec![1.0 / offsets.len() as f64; offsets.len()];
    let problem = Problem {
        scores,
        sample_weights: Some(weights),
        target: &target,
    };
    let (_, gradient) = entropic_energy(&problem, &offsets, temperature)?;
    Ok(gradient.iter().zip(&target).map(|(g, t)| g + t).collect())
}
