//! A model file, its card and a back end over it.

use std::path::Path;

use anyhow::{Context as _, ensure};
use clap::ValueEnum;
use tailfold_onnx::Model;
use tailfold_spec::{Classifier, ModelCard, artifact};
use tailfold_tract::{NodeKernel, TractClassifier};

/// Back ends of this build.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum Backend {
    /// tract on the CPU, with integer kernels for what is quantized.
    #[default]
    Tract,
    /// tract on the CPU as it is: quantized models in float arithmetic, to compare with.
    TractStock,
}

impl Backend {
    /// As on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tract => "tract",
            Self::TractStock => "tract-stock",
        }
    }
}

/// A model ready to run.
pub(crate) struct Loaded {
    pub(crate) card: ModelCard,
    pub(crate) classifier: Box<dyn Classifier>,
    pub(crate) sha256: String,
    pub(crate) file_bytes: usize,
    pub(crate) onnx: Model,
    /// What runs each node, where the back end knows.
    pub(crate) nodes: Vec<NodeKernel>,
}

impl Loaded {
    /// Fails when a layer with weights is left to float arithmetic.
    pub(crate) fn require_integer(&self) -> anyhow::Result<()> {
        let weighted = ["Conv", "ConvTranspose", "Gemm", "MatMul"];
        let float: Vec<&str> = self
            .nodes
            .iter()
            .filter(|n| n.kernel.is_none() && weighted.contains(&n.operator.as_str()))
            .map(|n| n.node.as_str())
            .collect();
        ensure!(
            !self.nodes.is_empty() && float.is_empty(),
            "not all layers run with integers: {} in float ({})",
            float.len(),
            float.join(", ")
        );
        Ok(())
    }
}

/// Reads the file `path`, checks its graph against its card and prepares it for `backend`.
pub(crate) fn load(path: &Path, backend: Backend) -> anyhow::Result<Loaded> {
    let name = path.display().to_string();
    let bytes = artifact::read(path)?;
    let onnx = Model::from_bytes(&bytes, &name)?;
    tailfold_onnx::check(&onnx).with_context(|| name.clone())?;
    let card = onnx.checked_card().with_context(|| name.clone())?;
    let classifier = match backend {
        Backend::Tract => TractClassifier::from_onnx(&bytes, &name)?,
        Backend::TractStock => TractClassifier::stock(&bytes, &name)?,
    };
    let nodes = classifier.nodes().to_vec();
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
        classifier: Box::new(classifier),
        sha256: artifact::sha256(&bytes),
        file_bytes: bytes.len(),
        onnx,
        nodes,
    })
}
