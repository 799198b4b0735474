//! A model file that was read and brought into canonical form, before a back end prepares it.

use std::path::Path;

use tailfold_onnx::{Description, Model, OpenOptions, Opened, Shapes, folder_of};
use tailfold_spec::artifact;

use crate::{Backend, LoadedModel, Network, Options, RuntimeError};

/// A model file in canonical form. The bytes of the file are already dropped.
#[derive(Debug)]
#[non_exhaustive]
pub struct ModelFile {
    /// Name of the file in messages.
    pub name: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// Size of the file in bytes.
    pub file_bytes: usize,
    /// The graph in canonical form, and the input and output of the file.
    pub opened: Opened,
}

impl ModelFile {
    /// Reads the file `path`.
    ///
    /// # Errors
    /// [`RuntimeError::File`], [`RuntimeError::Onnx`] or [`RuntimeError::Open`], naming the file.
    pub fn read(path: &Path, options: &OpenOptions) -> Result<Self, RuntimeError> {
        let bytes = artifact::read(path)?;
        let name = path.display().to_string();
        Self::open(bytes.into(), name, Some(folder_of(path)), options)
    }

    /// Reads the `bytes` of a file; `name` is the file in messages. External data is an error.
    ///
    /// # Errors
    /// [`RuntimeError::Onnx`] or [`RuntimeError::Open`], naming the file.
    pub fn from_bytes(
        bytes: &[u8],
        name: &str,
        options: &OpenOptions,
    ) -> Result<Self, RuntimeError> {
        Self::open(bytes.into(), name.to_owned(), None, options)
    }

    /// Drops `bytes` as soon as the graph is decoded, before it is rewritten.
    fn open(
        bytes: std::borrow::Cow<'_, [u8]>,
        name: String,
        folder: Option<&Path>,
        options: &OpenOptions,
    ) -> Result<Self, RuntimeError> {
        let model = match Model::from_bytes(&bytes, &name) {
            Ok(model) => model,
            Err(source) => return Err(RuntimeError::Onnx { name, source }),
        };
        let (sha256, file_bytes) = (artifact::sha256(&bytes), bytes.len());
        drop(bytes);
        match tailfold_onnx::open(model, folder, options, &infer_shapes) {
            Ok(opened) => Ok(Self {
                name,
                sha256,
                file_bytes,
                opened,
            }),
            Err(source) => Err(RuntimeError::Open {
                name,
                source: Box::new(source),
            }),
        }
    }

    /// Prepares the network for `backend` and keeps the graph beside it; its class names and preprocessing may be
    /// unknown.
    ///
    /// # Errors
    /// The back end's own error, naming the file.
    pub fn prepare(self, backend: Backend, options: &Options) -> Result<Network, RuntimeError> {
        Network::over(self, backend, options)
    }

    /// Prepares the file for `backend` and drops the graph. `description` fills the gaps in the metadata; it is checked
    /// before the back end prepares the network, which may take minutes.
    ///
    /// # Errors
    /// [`RuntimeError::Description`] if a value is missing or contradicts the file, [`RuntimeError::Classes`] and
    /// [`RuntimeError::Input`] if the card does not fit the network, otherwise the back end's own error.
    pub fn load(
        self,
        description: &Description,
        backend: Backend,
        options: &Options,
    ) -> Result<LoadedModel, RuntimeError> {
        LoadedModel::over(self, description, backend, options)
    }
}

/// Infers the shapes of the values of `model` for one image with tract; without the feature `tract`, no shape is known.
pub fn infer_shapes(model: &Model) -> Shapes {
    cfg_select! {
        feature = "tract" => { tailfold_tract::shapes(model) }
        _ => { let _ = model; Shapes::new() }
    }
}
