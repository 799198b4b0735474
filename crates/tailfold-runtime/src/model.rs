//! A model file, its card and a back end over it.

use std::path::Path;

use tailfold_onnx::Model;
use tailfold_spec::{Classifier, ModelCard, artifact};

use crate::{Backend, NodeRun, Options, Preparation, Prepared, RuntimeError};

/// A model ready to run.
pub struct LoadedModel {
    /// What it says of itself, or what was said for it.
    pub card: ModelCard,
    /// What answers.
    pub classifier: Box<dyn Classifier>,
    /// Of the file.
    pub sha256: String,
    /// Size of the file.
    pub file_bytes: usize,
    /// The graph.
    pub onnx: Model,
    /// What runs each node, where the back end tells.
    pub nodes: Vec<NodeRun>,
}

impl LoadedModel {
    /// Reads the file `path`, checks its graph against its card and prepares it for `backend`.
    ///
    /// # Errors
    /// [`RuntimeError`] naming the file.
    pub fn open(path: &Path, backend: Backend, options: &Options) -> Result<Self, RuntimeError> {
        let bytes = artifact::read(path)?;
        Self::from_bytes(&bytes, &path.display().to_string(), backend, options)
    }

    /// The same of a file's `bytes`; `name` stands for it in messages.
    ///
    /// # Errors
    /// [`RuntimeError`] naming the file.
    pub fn from_bytes(
        bytes: &[u8],
        name: &str,
        backend: Backend,
        options: &Options,
    ) -> Result<Self, RuntimeError> {
        let onnx = sound(bytes, name)?;
        let card = onnx.checked_card().map_err(|source| RuntimeError::Onnx {
            name: name.to_owned(),
            source,
        })?;
        Self::over(name, bytes, onnx, card, backend, options)
    }

    /// The same for a model that may be a stranger's: `preparation` is what is known of one.
    ///
    /// # Errors
    /// [`RuntimeError::AlreadyPrepared`] for a model that says itself what was given, [`RuntimeError::Unprepared`] for one
    /// that does not, where something is missing.
    pub fn open_any(
        path: &Path,
        preparation: &Preparation,
        backend: Backend,
        options: &Options,
    ) -> Result<Self, RuntimeError> {
        let (name, bytes) = (path.display().to_string(), artifact::read(path)?);
        let onnx = sound(&bytes, &name)?;
        let card = preparation.card(&onnx, &name)?;
        Self::over(&name, &bytes, onnx, card, backend, options)
    }

    fn over(
        name: &str,
        bytes: &[u8],
        onnx: Model,
        card: ModelCard,
        backend: Backend,
        options: &Options,
    ) -> Result<Self, RuntimeError> {
        let Prepared {
            classifier, nodes, ..
        } = backend.prepare(bytes, name, options)?;
        let (named, outputs) = (card.classes.len(), classifier.num_classes());
        if named != outputs {
            return Err(RuntimeError::Classes {
                name: name.to_owned(),
                named,
                outputs,
            });
        }
        let p = &card.preprocess;
        let (told, found) = ([p.channels, p.height, p.width], classifier.input_shape());
        if told != found {
            return Err(RuntimeError::Input {
                name: name.to_owned(),
                told,
                found,
            });
        }
        Ok(Self {
            card,
            classifier,
            sha256: artifact::sha256(bytes),
            file_bytes: bytes.len(),
            onnx,
            nodes,
        })
    }

    /// Layers with weights that none of our integer kernels runs.
    pub fn float_layers(&self) -> Vec<&str> {
        let weighted = ["Conv", "ConvTranspose", "Gemm", "MatMul"];
        self.nodes
            .iter()
            .filter(|n| !n.integer && weighted.contains(&n.operator.as_str()))
            .map(|n| n.node.as_str())
            .collect()
    }
}

/// The sound graph of the file `bytes`.
fn sound(bytes: &[u8], name: &str) -> Result<Model, RuntimeError> {
    let onnx = Model::from_bytes(bytes, name).map_err(|source| RuntimeError::Onnx {
        name: name.to_owned(),
        source,
    })?;
    tailfold_onnx::check(&onnx).map_err(|source| RuntimeError::Check {
        name: name.to_owned(),
        source,
    })?;
    Ok(onnx)
}
