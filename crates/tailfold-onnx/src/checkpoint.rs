//! Checkpoints: the tensors that training wrote, finite and of the expected shapes.

use std::path::{Path, PathBuf};

use tailfold_spec::{NamedTensors, Tensors};

use crate::{OnnxError, OnnxErrorKind};

/// The tensors of a checkpoint, all f32 and finite.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    path: PathBuf,
    tensors: NamedTensors,
}

impl Checkpoint {
    /// Reads the bytes of a safetensors file; `path` stands for it in messages.
    ///
    /// # Errors
    /// [`OnnxErrorKind::Checkpoint`], or [`OnnxErrorKind::NotFinite`] naming tensor and index.
    pub fn from_safetensors(bytes: &[u8], path: &Path) -> Result<Self, OnnxError> {
        let file = Tensors::read(bytes, &path.display().to_string())?;
        let tensors = file.all_f32(file.names())?;
        // Tensors are checked in the order of their names, so the same file always gives the same message.
        for (tensor, (_, values)) in &tensors {
            if let Some((index, &value)) = values.iter().enumerate().find(|(_, v)| !v.is_finite()) {
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

    /// Returns the values of `tensor`, row-major, if it has the shape `expected`.
    ///
    /// # Errors
    /// [`OnnxErrorKind::Checkpoint`] when the tensor is missing or has another shape.
    pub fn tensor(&self, tensor: &str, expected: &[usize]) -> Result<&[f32], OnnxError> {
        let refused = |why: String| OnnxErrorKind::Checkpoint.error(why).at(self.path.display());
        match self.tensors.get(tensor) {
            Some((shape, values)) if shape == expected => Ok(values),
            Some((shape, _)) => Err(refused(format!(
                "tensor `{tensor}` has the shape {shape:?}, expected {expected:?}"
            ))),
            None => Err(refused(format!(
                "there is no tensor `{tensor}`, expected one of shape {expected:?}"
            ))),
        }
    }

    /// Returns the names of all tensors, in ascending order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// Returns the path of the file, for messages.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests;
