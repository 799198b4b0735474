//! A network on a back end, with its graph.

use std::path::Path;

use tailfold_onnx::{OpenOptions, Opened};
use tailfold_spec::Classifier;

use crate::layers::Layers;
use crate::{Backend, ModelFile, NodeRun, Options, RuntimeError};

/// A network ready to run, with its graph; its class names and preprocessing may be unknown.
#[non_exhaustive]
pub struct Network {
    /// The classifier.
    pub classifier: Box<dyn Classifier>,
    /// SHA-256 of the file.
    pub sha256: String,
    /// Size of the file in bytes.
    pub file_bytes: usize,
    /// The graph in canonical form, and the input and output of the file.
    pub opened: Opened,
    /// Kernel or library of each node; empty where the back end does not report it.
    pub nodes: Vec<NodeRun>,
}

impl Network {
    /// Reads the file `path` and prepares it for `backend`.
    ///
    /// # Errors
    /// [`RuntimeError`] naming the file.
    pub fn open(
        path: &Path,
        open: &OpenOptions,
        backend: Backend,
        options: &Options,
    ) -> Result<Self, RuntimeError> {
        Self::over(ModelFile::read(path, open)?, backend, options)
    }

    /// Prepares `file` for `backend` and keeps the graph.
    ///
    /// # Errors
    /// The back end's own error, naming the file.
    fn over(file: ModelFile, backend: Backend, options: &Options) -> Result<Self, RuntimeError> {
        let model = file.opened.model.clone();
        let mut prepared = backend.prepare(model, &file.name, options)?;
        Layers::of(&file.opened.model).mark(&mut prepared.nodes);
        Ok(Self {
            classifier: prepared.classifier,
            sha256: file.sha256,
            file_bytes: file.file_bytes,
            opened: file.opened,
            nodes: prepared.nodes,
        })
    }
}
