//! Re-targeting: the offsets under which every class is answered as often as a prior says.

use tailfold_sdot::{Options, Problem, Stop, cell_masses, solve};
use tailfold_spec::OffsetsRecord;

use super::sample::{Sample, Weighing};

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
    weighing: Weighing,
    target: &[f64],
) -> anyhow::Result<Resolved> {
    let weights = sample.weights(weighing, target);
    let problem = Problem {
        scores: sample.scores()?,
        sample_weights: Some(&weights),
        target,
    };
    let solution = solve(&problem, &Options::default())?;
    // Under a uniform prior the two are one.
    let balanced = weights == sample.weights(Weighing::Balanced, target);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "offsets are a few logits; f32 is what a head adds"
    )]
    let offsets = solution.offsets.iter().map(|&h| h as f32).collect();
    let measure = if balanced { "balanced" } else { "prior" };
    let record = OffsetsRecord {
        schema: OffsetsRecord::SCHEMA.to_owned(),
        offsets,
        origin: "resolved".to_owned(),
        source: format!("{measure}-{}", sample.kind),
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

/// Share of the sample that each class is answered for under `offsets`, `[classes]`, as a head adds them.
pub(crate) fn masses(
    sample: &Sample<'_>,
    weights: &[f64],
    offsets: &[f32],
) -> anyhow::Result<Vec<f64>> {
    let offsets: Vec<f64> = offsets.iter().map(|&h| h.into()).collect();
    Ok(cell_masses(&sample.scores()?, Some(weights), &offsets)?)
}
