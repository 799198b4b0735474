//! The ways to serve a prior: each has one offset per class, which is added to the raw scores.

use tailfold_spec::{AtExport, OffsetsRecord};

use super::run_of;
use crate::{AskedPrior, ExportError, MassMeasure, Sample, Unfolded, Weighing, resolve};

/// Offsets for one prior.
pub(super) struct Arm {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    /// Offsets that are added to the raw scores, `[classes]`, in logits.
    pub(super) offsets: Vec<f32>,
    /// Why the solver stopped; `None` for offsets without a solver.
    pub(super) stop: Option<String>,
}

/// Names of priors.
const UNIFORM: &str = "uniform";
const TRAIN: &str = "train";

/// Names of the baselines.
pub(super) const REFERENCES: [&str; 3] = ["plain", "adjusted", "adjusted-trained"];

/// Starting points of logit adjustment: offsets, each with the prior that scores plus offsets are fitted to.
pub(super) struct Base {
    plain: Vec<f32>,
    plain_prior: Vec<f64>,
    trained: Vec<f32>,
    trained_prior: Vec<f64>,
    /// The priors in words.
    pub(super) note: String,
}

impl Base {
    /// Reads the starting points of `model`, a run folder. `plain` are the offsets of its plain export, `solved_for` is
    /// the prior that they were solved for.
    pub(super) fn of(
        model: &Unfolded,
        (plain, solved_for): (OffsetsRecord, Option<AskedPrior>),
    ) -> Result<Self, ExportError> {
        let run = run_of(model)?;
        let manifest = &run.manifest;
        let masses = |name: &str| -> Result<Vec<f64>, ExportError> {
            Ok(AskedPrior::parse(name, model)?.masses)
        };
        let trained = run.trained.offsets.clone();
        // The loss fits the softmax of its inputs to the frequency of the training labels. Its inputs are scores plus
        // offsets. With logit adjustment they also include the logarithm of the prior, so scores plus offsets alone fit
        // the uniform prior.
        let (trained_prior, sees) = match manifest.loss.as_str() {
            "logit-adjustment" => (masses(UNIFORM)?, UNIFORM),
            _ => (masses(TRAIN)?, TRAIN),
        };
        let without_offsets = trained.iter().all(|h| h.abs() <= 0.0);
        let (plain_prior, folded) = match (manifest.at_export, solved_for) {
            (_, Some(prior)) => (prior.masses, prior.name),
            (AtExport::Drop, None) if !without_offsets => (masses(UNIFORM)?, UNIFORM.to_owned()),
            _ => (trained_prior.clone(), sees.to_owned()),
        };
        Ok(Self {
            plain: plain.offsets,
            plain_prior,
            trained,
            trained_prior,
            note: format!(
                "The offsets of the plain export ({}) are for the prior {folded}; the scores in the training loss, with the \
                 offsets of training, follow the prior {sees}.",
                plain.origin
            ),
        })
    }
}

/// Returns `offsets` with `ln(to_j / from_j)` added.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a logarithm of a few units; the head adds f32 values"
)]
fn adjusted(offsets: &[f32], from: &[f64], to: &[f64]) -> Vec<f32> {
    let ratios = from.iter().zip(to);
    let shifted = offsets.iter().zip(ratios);
    shifted
        .map(|(&h, (from, to))| (f64::from(h) + (to / from).ln()) as f32)
        .collect()
}

/// Name, title and measure of the solved arms, on features and on scores.
const SOLVED: [[(&str, &str, MassMeasure); 3]; 2] = [
    [
        (
            "features",
            "re-targeted on training features",
            MassMeasure::PROBABILITIES,
        ),
        (
            "features-cells",
            "the same, by whole images",
            MassMeasure::CELLS,
        ),
        (
            "features-balanced",
            "by whole images, equal class weights",
            BALANCED,
        ),
    ],
    [
        (
            "calibrated",
            "re-targeted on held-out images",
            MassMeasure::PROBABILITIES,
        ),
        (
            "calibrated-cells",
            "the same, by whole images",
            MassMeasure::CELLS,
        ),
        (
            "calibrated-balanced",
            "by whole images, equal class weights",
            BALANCED,
        ),
    ],
];

const BALANCED: MassMeasure = MassMeasure {
    weighing: Weighing::Balanced,
    temperature: 0.0,
};

/// Returns all ways to serve `prior`; `samples` are the training features and, if given, the calibration images.
pub(super) fn arms(
    base: &Base,
    prior: &AskedPrior,
    samples: &[Sample<'_>],
) -> Result<Vec<Arm>, ExportError> {
    let to = &prior.masses;
    let without = |name, title, offsets| Arm {
        name,
        title,
        offsets,
        stop: None,
    };
    let mut arms = vec![without("plain", "plain export", base.plain.clone())];
    for (sample, kinds) in samples.iter().zip(SOLVED) {
        for (name, title, measure) in kinds {
            let record = resolve(sample, measure, to)?.record;
            arms.push(Arm {
                name,
                title,
                offsets: record.offsets,
                stop: Some(record.stop),
            });
        }
    }
    arms.push(without(
        "adjusted",
        "logit adjustment of the plain export",
        adjusted(&base.plain, &base.plain_prior, to),
    ));
    arms.push(without(
        "adjusted-trained",
        "logit adjustment of the scores in training",
        adjusted(&base.trained, &base.trained_prior, to),
    ));
    Ok(arms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adjusting_back_restores_offsets() {
        let (a, b) = ([0.2, 0.8], [0.5, 0.5]);
        let there = adjusted(&[1.0, -1.0], &a, &b);
        assert!((there[0] - (1.0 + 2.5_f32.ln())).abs() < 1e-6);
        let back = adjusted(&there, &b, &a);
        assert!((back[0] - 1.0).abs() < 1e-6 && (back[1] + 1.0).abs() < 1e-6);
    }
}
