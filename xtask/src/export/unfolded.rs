//! A run folder as an ONNX model without offsets: what every choice of offsets starts from.

use std::path::{Path, PathBuf};

use tailfold_onnx::{Checkpoint, Model, build};
use tailfold_spec::{Manifest, ModelCard, OffsetsRecord};

/// A run folder, read whole: a damaged one is never exported.
pub(crate) struct Unfolded {
    /// The run folder.
    pub(crate) folder: PathBuf,
    pub(crate) manifest: Manifest,
    /// Its logits are the raw scores `[classes]`.
    pub(crate) model: Model,
    /// The offsets that the loss added to the scores in the last step of training.
    pub(crate) trained: OffsetsRecord,
}

impl Unfolded {
    /// Reads the run `folder` and builds its graph.
    pub(crate) fn read(folder: &Path) -> anyhow::Result<Self> {
        let manifest = Manifest::read(folder)?;
        let bytes = manifest.read_file(folder, Manifest::CHECKPOINT)?;
        let checkpoint = Checkpoint::from_safetensors(&bytes, &folder.join(Manifest::CHECKPOINT))?;
        let card = ModelCard {
            name: manifest.name.clone(),
            architecture: manifest.architecture.name(),
            classes: manifest.classes.clone(),
            train_counts: manifest.train_counts.clone(),
            preprocess: manifest.preprocess.clone(),
            offsets: None,
            checkpoint_sha256: manifest.files.checkpoint_sha256.clone(),
            quantization: None,
        };
        let model = build(&manifest.architecture, &checkpoint, &card)?;
        let trained = manifest.read_offsets(folder)?;
        Ok(Self {
            folder: folder.to_owned(),
            manifest,
            model,
            trained,
        })
    }
}
