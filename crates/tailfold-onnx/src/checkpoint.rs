//! Checkpoints: the tensors that training wrote, finite and of the expected shapes.

use std::path::{Path, PathBuf};

use tailfold_spec::{NamedTensors, Tensors, TensorsError};

/// A checkpoint that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// Not a safetensors file, or a tensor that is not f32.
    #[error(transparent)]
    Tensors(#[from] TensorsError),
    /// NaN, infinite, or a negative variance.
    #[error("{}: tensor `{tensor}` has {value} at index {index}", path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// Row-major index.
        index: usize,
        /// The value.
        value: f32,
    },
    /// The network needs a tensor that is not there.
    #[error("{}: there is no tensor `{tensor}`, expected one of shape {expected:?}", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// Shape the network needs.
        expected: Vec<usize>,
    },
    /// A tensor of another network.
    #[error("{}: tensor `{tensor}` has the shape {found:?}, expected {expected:?}", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// Shape found.
        found: Vec<usize>,
        /// Shape the network needs.
        expected: Vec<usize>,
    },
    /// A weight that is finite in the checkpoint and no longer after folding the BatchNorm or the scale into it.
    #[error("{}: `{tensor}` becomes {value} at index {index} when it is folded", path.display())]
    Overflow {
        /// The file.
        path: PathBuf,
        /// Name of the initializer.
        tensor: String,
        /// Row-major index.
        index: usize,
        /// The value.
        value: f32,
    },
}

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
    /// [`CheckpointError::Tensors`], or [`CheckpointError::Value`] naming tensor and index.
    pub fn from_safetensors(bytes: &[u8], path: &Path) -> Result<Self, CheckpointError> {
        let file = Tensors::read(bytes, &path.display().to_string())?;
        let tensors = file.all_f32(file.names())?;
        // In the order of the names, so that the same file always gives the same message.
        for (tensor, (_, values)) in &tensors {
            if let Some((index, &value)) = values.iter().enumerate().find(|(_, v)| !v.is_finite()) {
                let (path, tensor) = (path.to_owned(), tensor.clone());
                return Err(CheckpointError::Value {
                    path,
                    tensor,
                    index,
                    value,
                });
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
    /// [`CheckpointError::Missing`] or [`CheckpointError::Shape`].
    pub fn tensor(&self, tensor: &str, expected: &[usize]) -> Result<&[f32], CheckpointError> {
        let (path, name, expected) = (
            || self.path.clone(),
            || tensor.to_owned(),
            || expected.to_vec(),
        );
        match self.tensors.get(tensor) {
            Some((shape, values)) if *shape == expected() => Ok(values),
            Some((shape, _)) => Err(CheckpointError::Shape {
                path: path(),
                tensor: name(),
                found: shape.clone(),
                expected: expected(),
            }),
            None => Err(CheckpointError::Missing {
                path: path(),
                tensor: name(),
                expected: expected(),
            }),
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
