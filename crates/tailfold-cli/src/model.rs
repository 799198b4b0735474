//! A model file, its card and a back end over it.

use std::path::Path;

use anyhow::{Context as _, ensure};
use clap::ValueEnum;
use tailfold_onnx::Model;
use tailfold_spec::{Classifier, ModelCard, artifact};
use tailfold_tract::TractClassifier;

/// Back ends of this build.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum Backend {
    /// tract, on the CPU.
    #[default]
    Tract,
}

/// A model ready to run.
pub(crate) struct Loaded {
    pub(crate) card: ModelCard,
    pub(crate) classifier: Box<dyn Classifier>,
    pub(crate) sha256: String,
    pub(crate) file_bytes: usize,
    pub(crate) onnx: Model,
}

/// Reads the file `path`, checks its graph against its card and prepares it for `backend`.
pub(crate) fn load(path: &Path, backend: Backend) -> anyhow::Result<Loaded> {
    let name = path.display().to_string();
    let bytes = artifact::read(path)?;
    let onnx = Model::from_bytes(&bytes, &name)?;
    tailfold_onnx::check(&onnx).with_context(|| name.clone())?;
    let card = onnx.checked_card().with_context(|| name.clone())?;
    let classifier: Box<dyn Classifier> = match backend {
        Backend::Tract => Box::new(TractClassifier::from_onnx(&bytes, &name)?),
    };
    let (classes, outputs) = (card.classes.len(), classifier.num_classes());
    ensure!(
        classes == outputs,
        "{name}: the metadata names {classes} classes but the network has {outputs} outputs"
    );
    let p = &card.preprocess;
    let (told, found) = ([p.channels, p.height, p.width], classifier.input_shape());
    ensure!(
        told == found,
        "{name}: the metadata prepares images of {told:?} but the network takes {found:?}"
    );
    Ok(Loaded {
        card,
        classifier,
        sha256: artifact::sha256(&bytes),
        file_bytes: bytes.len(),
        onnx,
    })
}
