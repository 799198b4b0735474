//! The files of the run folder: checkpoint, offsets, golden outputs, calibration features, manifest.

use std::collections::HashMap;
use std::path::Path;

use burn::module::Module as _;
use safetensors::tensor::{Dtype, TensorView};
use tailfold_spec::artifact::{self, ArtifactError};
use tailfold_spec::{Manifest, NamedTensors, OffsetsRecord};

use crate::error::TrainError;
use crate::evaluate::{answers, input_values};
use crate::plan::RunPlan;
use crate::state::RunState;
use crate::weights::finite_weights;

/// Serializes f32 tensors, and `labels` as an I64 tensor `labels` if given.
pub(crate) fn safetensors_bytes(
    tensors: &NamedTensors,
    labels: Option<&[i64]>,
) -> Result<Vec<u8>, TrainError> {
    let mut bytes: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = tensors
        .iter()
        .map(|(name, (shape, values))| {
            (
                name.clone(),
                Dtype::F32,
                shape.clone(),
                values.iter().flat_map(|v| v.to_le_bytes()).collect(),
            )
        })
        .collect();
    if let Some(labels) = labels {
        let raw = labels.iter().flat_map(|v| v.to_le_bytes()).collect();
        bytes.push(("labels".to_owned(), Dtype::I64, vec![labels.len()], raw));
    }
    let views = bytes
        .iter()
        .map(|(name, dtype, shape, raw)| Ok((name, TensorView::new(*dtype, shape.clone(), raw)?)))
        .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()?;
    Ok(safetensors::serialize(
        views,
        None::<HashMap<String, String>>,
    )?)
}

/// Inputs and the training framework's outputs for them.
pub(crate) struct Golden {
    /// Inputs `[n, c, h, w]`.
    pub(crate) inputs: (Vec<usize>, Vec<f32>),
    /// Scores without offsets, `[n, classes]`.
    pub(crate) scores: (Vec<usize>, Vec<f32>),
}

/// Class-balanced training features, as the head receives them.
pub(crate) struct Features {
    /// Features `[n, dim]`.
    pub(crate) values: (Vec<usize>, Vec<f32>),
    /// Labels `[n]`.
    pub(crate) labels: Vec<i64>,
}

/// Writes every file of a finished run; the manifest comes last, because it contains the hashes of the others.
pub(crate) fn write_run(
    folder: &Path,
    weights: &NamedTensors,
    offsets: &OffsetsRecord,
    golden: Golden,
    features: Features,
    manifest: Manifest,
) -> Result<Manifest, TrainError> {
    let write = |file: &str, bytes: &[u8]| -> Result<String, ArtifactError> {
        artifact::write(&folder.join(file), bytes)?;
        Ok(artifact::sha256(bytes))
    };
    let mut manifest = manifest;
    manifest.files.checkpoint_sha256 =
        write(Manifest::CHECKPOINT, &safetensors_bytes(weights, None)?)?;
    let mut json = serde_json::to_vec_pretty(offsets)?;
    json.push(b'\n');
    manifest.files.offsets_sha256 = write(Manifest::OFFSETS, &json)?;
    let tensors = NamedTensors::from([
        ("inputs".to_owned(), golden.inputs),
        ("scores".to_owned(), golden.scores),
    ]);
    manifest.files.golden_sha256 = write(Manifest::GOLDEN, &safetensors_bytes(&tensors, None)?)?;
    let tensors = NamedTensors::from([("features".to_owned(), features.values)]);
    let bytes = safetensors_bytes(&tensors, Some(&features.labels))?;
    manifest.files.features_sha256 = write(Manifest::FEATURES, &bytes)?;
    write(Manifest::FILE, manifest.to_toml().as_bytes())?;
    Ok(manifest)
}

/// Largest number of golden images per class and in total.
const GOLDEN_PER_CLASS: usize = 2;
const GOLDEN_MOST: usize = 64;

/// Writes the run folder.
pub(crate) fn finish(
    plan: &RunPlan<'_>,
    state: &RunState,
    out: &Path,
) -> Result<Manifest, TrainError> {
    let network = state.network.valid();
    let mut weights = finite_weights(&network)?;
    // Only the deployed tensors are kept: the projections are for the contrastive loss.
    weights.retain(|name, _| !name.starts_with("projection.") && !name.starts_with("prototypes."));
    let mut seen = vec![0; plan.manifest.classes.len()];
    let chosen: Vec<usize> = plan
        .balanced
        .iter()
        .copied()
        .filter(|&i| {
            let count = &mut seen[plan.batches.images.labels[i]];
            *count += 1;
            *count <= GOLDEN_PER_CLASS
        })
        .collect();
    // The golden images are spread over all classes, because the first classes are the frequent ones.
    let every = chosen.len().div_ceil(GOLDEN_MOST).max(1);
    let golden: Vec<usize> = chosen.into_iter().step_by(every).collect();
    let spec = &plan.manifest.preprocess;
    let images = &*plan.batches.images;
    let inputs = input_values(images, &golden, spec)?;
    let scores = answers(plan, &network, images, &golden)?.scores;
    let features = answers(plan, &network, images, &plan.balanced)?.features;
    let labels = plan.balanced_labels();
    let labels = labels.map(|label| i64::try_from(label).unwrap_or(i64::MAX));
    let (classes, dim) = (
        plan.manifest.classes.len(),
        plan.manifest.architecture.feature_dim(),
    );
    let offsets = match &state.offsets {
        Some(offsets) => offsets.record(),
        None => OffsetsRecord::zeros(classes),
    };
    write_run(
        out,
        &weights,
        &offsets,
        Golden {
            inputs: (
                vec![golden.len(), spec.channels, spec.height, spec.width],
                inputs,
            ),
            scores: (vec![golden.len(), classes], scores),
        },
        Features {
            values: (vec![plan.balanced.len(), dim], features),
            labels: labels.collect(),
        },
        plan.manifest.clone(),
    )
}
