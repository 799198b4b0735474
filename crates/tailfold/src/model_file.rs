//! A model file that was read and brought into canonical form, before a back end prepares it.

use std::path::Path;

use tailfold_onnx::{Model, OpenOptions, Opened, Shapes, folder_of};
use tailfold_spec::artifact;

use crate::RuntimeError;

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
    /// [`RuntimeErrorKind::File`](crate::RuntimeErrorKind::File) or [`RuntimeErrorKind::Model`](crate::RuntimeErrorKind::Model),
    /// naming the file.
    pub fn read(path: &Path, options: &OpenOptions) -> Result<Self, RuntimeError> {
        let bytes = artifact::read(path)?;
        let name = path.display().to_string();
        Self::open(bytes.into(), name, Some(folder_of(path)), options)
    }

    /// Reads the `bytes` of a file; `name` is the file in messages. External data is an error.
    ///
    /// # Errors
    /// [`RuntimeErrorKind::Model`](crate::RuntimeErrorKind::Model), naming the file.
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
        let of_model = |cause| RuntimeError::of_model(&name, cause);
        let model = Model::from_bytes(&bytes, &name).map_err(of_model)?;
        let (sha256, file_bytes) = (artifact::sha256(&bytes), bytes.len());
        drop(bytes);
        let opened = tailfold_onnx::open(model, folder, options, &infer_shapes);
        Ok(Self {
            opened: opened.map_err(of_model)?,
            name,
            sha256,
            file_bytes,
        })
    }
}

/// Infers the shapes of the values of `model` for one image with tract; without the feature `tract`, no shape is known.
pub fn infer_shapes(model: &Model) -> Shapes {
    cfg_select! {
        feature = "tract" => { tailfold_tract::shapes(model) }
        _ => { let _ = model; Shapes::new() }
    }
}
