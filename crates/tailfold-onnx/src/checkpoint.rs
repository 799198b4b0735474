//! Checkpoints: the tensors that training wrote, finite and of the expected shapes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use safetensors::{Dtype, SafeTensors};

use crate::{OnnxError, OnnxErrorKind};

/// The tensors of a checkpoint, all f32 and finite.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    path: PathBuf,
    tensors: BTreeMap<String, (Vec<usize>, Vec<f32>)>,
}

impl Checkpoint {
    /// Reads the bytes of a safetensors file; `path` stands for it in messages.
    ///
    /// # Errors
    /// [`OnnxErrorKind::Checkpoint`], or [`OnnxErrorKind::NotFinite`] naming tensor and index.
    pub fn from_safetensors(bytes: &[u8], path: &Path) -> Result<Self, OnnxError> {
        let file = SafeTensors::deserialize(bytes).map_err(|source| {
            OnnxErrorKind::Checkpoint
                .error(format!(
                    "{} is not a safetensors file, or is damaged or cut short",
                    path.display()
                ))
                .caused_by(source)
        })?;
        let mut tensors = BTreeMap::new();
        for (tensor, view) in file.iter() {
            if view.dtype() != Dtype::F32 {
                let (path, tensor) = (path.to_owned(), tensor.to_owned());
                return Err(OnnxErrorKind::Checkpoint
                    .error(format!(
                        "tensor `{tensor}` holds {found}, expected F32",
                        found = view.dtype()
                    ))
                    .at(path.display()));
            }
            let (values, _) = view.data().as_chunks();
            let values: Vec<f32> = values.iter().map(|&v| f32::from_le_bytes(v)).collect();
            tensors.insert(tensor.to_owned(), (view.shape().to_vec(), values));
        }
        // In the order of the names, so that the same file always gives the same message.
        for (tensor, (_, values)) in &tensors {
            if let Some((index, &value)) = values.iter().enumerate().find(|(_, v)| !v.is_finite()) {
                let (path, tensor) = (path.to_owned(), tensor.clone());
                return Err(OnnxErrorKind::NotFinite
                    .error(format!("tensor `{tensor}` has {value} at index {index}"))
                    .at(path.display()));
            }
        }
        Ok(Self {
            path: path.to_owned(),
            tensors,
        })
    }

    /// Values of `tensor`, row-major, of the shape `expected`.
    ///
    /// # Errors
    /// [`OnnxErrorKind::Checkpoint`].
    pub fn tensor(&self, tensor: &str, expected: &[usize]) -> Result<&[f32], OnnxError> {
        let (path, name, expected) = (
            || self.path.clone(),
            || tensor.to_owned(),
            || expected.to_vec(),
        );
        match self.tensors.get(tensor) {
            Some((shape, values)) if *shape == expected() => Ok(values),
            Some((shape, _)) => Err(OnnxErrorKind::Checkpoint
                .error(format!(
                    "tensor `{tensor}` has the shape {shape:?}, expected {expected:?}",
                    tensor = name(),
                    expected = expected()
                ))
                .at(path().display())),
            None => Err(OnnxErrorKind::Checkpoint
                .error(format!(
                    "there is no tensor `{tensor}`, expected one of shape {expected:?}",
                    tensor = name(),
                    expected = expected()
                ))
                .at(path().display())),
        }
    }

    /// Names of all tensors, ascending.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// The file, for messages.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests;
