//! The validation results of a network, and the file that stores them.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use burn::module::Module as _;
use serde::Serialize;
use tailfold_sdot::MassMeasure;
use tailfold_spec::artifact::{self, at};
use tailfold_spec::{AtExport, Logits, Manifest, OffsetsRecord, Prior};

use crate::casts::to_f32;
use crate::error::TrainError;
use crate::evaluate::answers;
use crate::networks::Network;
use crate::offsets::record;
use crate::plan::RunPlan;
use crate::state::RunState;

/// File name of the last validation's class results in a run folder.
pub(crate) const RECALL: &str = "recall.csv";

/// The validation results of a network, per class.
pub(crate) struct Validation {
    /// Recall of each class, `[classes]`; `None` for a class without images.
    pub(crate) recall: Vec<Option<f64>>,
    /// Number of images, `[classes]`.
    pub(crate) images: Vec<u64>,
    /// Offsets added to the scores, `[classes]`; export would fold these offsets.
    pub(crate) offsets: Vec<f32>,
    /// Number of correct predictions over all classes.
    hits: u64,
}

impl Validation {
    /// Returns the share of correct predictions over all images.
    pub(crate) fn top1(&self) -> f64 {
        self.hits as f64 / self.images.iter().sum::<u64>().max(1) as f64
    }
}

/// Returns the offsets that the exporter would fold by default.
fn deployed(
    plan: &RunPlan<'_>,
    state: &RunState,
    network: &Network,
) -> Result<OffsetsRecord, TrainError> {
    let classes = plan.manifest.classes.len();
    let Some(offsets) = &state.offsets else {
        return Ok(OffsetsRecord::zeros(classes));
    };
    match plan.manifest.at_export {
        AtExport::Keep => Ok(offsets.record()),
        AtExport::Drop => Ok(OffsetsRecord::zeros(classes)),
        AtExport::Resolve => {
            let images = &plan.batches.images;
            let features = answers(plan, network, images, &plan.balanced)?.features;
            let labels: Vec<usize> = plan.balanced_labels().collect();
            let target = Prior::Uniform.masses(&plan.manifest.train_counts)?;
            let head = network.head.affine().without_autodiff().to_host()?;
            let resolved = head.resolve(&features, &labels, &target, MassMeasure::CELLS)?;
            let solution = resolved.solution;
            let h: Vec<f32> = solution.offsets.iter().map(|&h| to_f32(h)).collect();
            Ok(record(
                &h,
                "resolved",
                "balanced-features",
                &target,
                Some(&solution),
            ))
        }
    }
}

/// Validates the network on the validation data; `None` without validation data.
pub(crate) fn validate(
    plan: &RunPlan<'_>,
    state: &RunState,
) -> Result<Option<Validation>, TrainError> {
    let Some(images) = &plan.validation else {
        return Ok(None);
    };
    let network = state.network.valid();
    let offsets = deployed(plan, state, &network)?.offsets;
    let all: Vec<usize> = (0..images.store.len()).collect();
    let scores = answers(plan, &network, images, &all)?.scores;
    let classes = offsets.len();
    let (mut hits, mut counts) = (vec![0_u64; classes], vec![0_u64; classes]);
    for (row, &label) in scores.chunks_exact(classes).zip(&images.labels) {
        let moved: Vec<f32> = row.iter().zip(&offsets).map(|(s, h)| s + h).collect();
        counts[label] += 1;
        hits[label] += u64::from(Logits::top1(&moved).is_some_and(|(class, _)| class == label));
    }
    let recall = hits
        .iter()
        .zip(&counts)
        .map(|(&h, &n)| (n > 0).then(|| h as f64 / n as f64));
    Ok(Some(Validation {
        recall: recall.collect(),
        hits: hits.iter().sum(),
        images: counts,
        offsets,
    }))
}

/// One row of `recall.csv`: the results of a class on the validation data after the last epoch.
#[derive(Debug, Serialize)]
struct RecallRow<'a> {
    /// Class label.
    class: usize,
    name: &'a str,
    /// Number of training images.
    train_count: u64,
    /// Number of validation images.
    images: u64,
    /// Share of correct predictions; empty without images.
    recall: Option<f64>,
    /// Offset added to the class's score, in logits; export would fold this offset.
    offset: f32,
}

/// Writes `recall.csv`, one row per class. Without a `validation`, removes the file of an earlier run.
pub(crate) fn write_recall(
    out: &Path,
    manifest: &Manifest,
    validation: Option<&Validation>,
) -> Result<(), TrainError> {
    let path = out.join(RECALL);
    let Some(validation) = validation else {
        return match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(at("remove", &path)(error).into())
            }
            _ => Ok(()),
        };
    };
    let mut writer = csv::Writer::from_writer(Vec::new());
    for (class, name) in manifest.classes.iter().enumerate() {
        writer.serialize(RecallRow {
            class,
            name,
            train_count: manifest.train_counts[class],
            images: validation.images[class],
            recall: validation.recall[class],
            offset: validation.offsets[class],
        })?;
    }
    let bytes = writer
        .into_inner()
        .map_err(|e| csv::Error::from(e.into_error()))?;
    Ok(artifact::write(&path, &bytes)?)
}
