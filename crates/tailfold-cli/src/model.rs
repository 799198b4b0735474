//! A model file, its card and a back end over it.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use clap::ValueEnum;
use tailfold_integer::{IntegerClassifier, NodeKernel, Region};
use tailfold_onnx::Model;
use tailfold_spec::{Classifier, ModelCard, artifact};
#[cfg(feature = "tract")]
use tailfold_tract::TractClassifier;

/// Back ends of this build.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Backend {
    /// tract on the CPU, with integer kernels for what is quantized.
    #[cfg(feature = "tract")]
    Tract,
    /// tract on the CPU as it is: quantized models in float arithmetic, to compare with.
    #[cfg(feature = "tract")]
    TractStock,
    /// Integer kernels alone, for models that are quantized from end to end.
    Integer,
}

impl Default for Backend {
    /// The one that runs most models.
    fn default() -> Self {
        Self::value_variants()[0]
    }
}

impl Backend {
    /// The one that runs float models, where there is one.
    pub(crate) const FLOAT: Option<Self> = cfg_select! {
        feature = "tract" => { Some(Self::TractStock) }
        _ => { None }
    };

    /// As on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            #[cfg(feature = "tract")]
            Self::Tract => "tract",
            #[cfg(feature = "tract")]
            Self::TractStock => "tract-stock",
            Self::Integer => "integer",
        }
    }

    /// The ONNX file `bytes`, ready to run, at most `threads` to an image; `name` stands for it in messages.
    pub(crate) fn prepare(
        self,
        bytes: &[u8],
        name: &str,
        threads: usize,
    ) -> anyhow::Result<Prepared> {
        Ok(match self {
            #[cfg(feature = "tract")]
            Self::Tract => TractClassifier::from_onnx(bytes, name)?
                .with_threads(threads, name)?
                .into(),
            #[cfg(feature = "tract")]
            Self::TractStock => TractClassifier::stock(bytes, name)?.into(),
            Self::Integer => IntegerClassifier::from_onnx(bytes, name)
                .and_then(|classifier| classifier.with_threads(threads))
                .with_context(|| name.to_owned())?
                .into(),
        })
    }
}

/// A classifier, and what is known of how it runs.
pub(crate) struct Prepared {
    pub(crate) classifier: Box<dyn Classifier>,
    /// What runs each node, where the back end knows.
    pub(crate) nodes: Vec<NodeKernel>,
    /// Its integer programs.
    pub(crate) regions: Vec<Arc<Region>>,
    /// Threads that share an image.
    pub(crate) threads: usize,
}

#[cfg(feature = "tract")]
impl From<TractClassifier> for Prepared {
    fn from(classifier: TractClassifier) -> Self {
        Self {
            nodes: classifier.nodes().to_vec(),
            regions: classifier.regions().to_vec(),
            threads: classifier.threads(),
            classifier: Box::new(classifier),
        }
    }
}

impl From<IntegerClassifier> for Prepared {
    fn from(classifier: IntegerClassifier) -> Self {
        Self {
            nodes: classifier.nodes().to_vec(),
            regions: vec![Arc::clone(classifier.region())],
            threads: classifier.threads(),
            classifier: Box::new(classifier),
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

/// Reads the file `path`, checks its graph against its card and prepares it for `backend`, a thread an image.
pub(crate) fn load(path: &Path, backend: Backend) -> anyhow::Result<Loaded> {
    load_on(path, backend, 1)
}

/// The same with at most `threads` that share an image.
pub(crate) fn load_on(path: &Path, backend: Backend, threads: usize) -> anyhow::Result<Loaded> {
    let name = path.display().to_string();
    let bytes = artifact::read(path)?;
    let onnx = Model::from_bytes(&bytes, &name)?;
    tailfold_onnx::check(&onnx).with_context(|| name.clone())?;
    let card = onnx.checked_card().with_context(|| name.clone())?;
    let Prepared {
        classifier, nodes, ..
    } = backend.prepare(&bytes, &name, threads)?;
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
        nodes,
    })
}
