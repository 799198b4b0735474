//! Tensors whose values are in other files, brought into the model.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Component, Path, PathBuf};

use tailfold_spec::artifact::{ArtifactError, at};

use crate::proto::{DataLocation, TensorProto};
use crate::{Model, TensorError};

/// Values in another file that are not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExternalError {
    /// A place outside of the model's folder, which a file from elsewhere has no business with.
    #[error("the values of tensor `{tensor}` are in `{location}`, which is not inside of the model's folder {}", folder.display())]
    Outside {
        /// The tensor.
        tensor: String,
        /// As the model has it.
        location: String,
        /// Folder of the model.
        folder: PathBuf,
    },
    /// An offset or length that is no number, or that the file does not have.
    #[error("tensor `{tensor}` has {expected} bytes at {offset} of {}, which has {found} bytes", file.display())]
    Extent {
        /// The tensor.
        tensor: String,
        /// The file.
        file: PathBuf,
        /// First byte.
        offset: u64,
        /// Bytes of the tensor's shape.
        expected: u64,
        /// Length of the file.
        found: u64,
    },
    /// A length that is not that of the shape.
    #[error(
        "tensor `{tensor}` says that its values have `{key}` {value}, its shape needs {expected} bytes"
    )]
    Entry {
        /// The tensor.
        tensor: String,
        /// `offset` or `length`.
        key: &'static str,
        /// What it says.
        value: String,
        /// Bytes of the tensor's shape.
        expected: u64,
    },
    /// The tensor's type or shape.
    #[error(transparent)]
    Tensor(#[from] TensorError),
    /// A file that cannot be read.
    #[error(transparent)]
    File(#[from] ArtifactError),
}

/// Reads the values of all initializers and constants that are in other files, which have to be inside of `folder`, where the model is;
/// a link that leads out of it does not count as inside.
///
/// # Errors
/// [`ExternalError`] naming the tensor and both sides.
pub fn load_external(model: &mut Model, folder: &Path) -> Result<(), ExternalError> {
    let graph = model.graph_mut();
    let constants = graph.node.iter_mut().flat_map(|n| &mut n.attribute);
    let constants = constants.filter_map(|a| a.t.as_mut());
    for tensor in graph.initializer.iter_mut().chain(constants) {
        if tensor.data_location() == DataLocation::External {
            let raw = read(tensor, folder)?;
            tensor.raw_data = Some(raw);
            tensor.external_data.clear();
            tensor.data_location = None;
        }
    }
    Ok(())
}

fn entry<'a>(tensor: &'a TensorProto, key: &str) -> Option<&'a str> {
    let mut entries = tensor.external_data.iter();
    entries.find(|e| e.key() == key).map(|e| e.value())
}

fn read(tensor: &TensorProto, folder: &Path) -> Result<Vec<u8>, ExternalError> {
    let name = tensor.name().to_owned();
    let expected = tensor.bytes_of_shape()? as u64;
    let number = |key: &'static str, default: u64| {
        let Some(text) = entry(tensor, key) else {
            return Ok(default);
        };
        text.parse().map_err(|_| ExternalError::Entry {
            tensor: name.clone(),
            key,
            value: text.to_owned(),
            expected,
        })
    };
    let (offset, length) = (number("offset", 0)?, number("length", expected)?);
    if length != expected {
        return Err(ExternalError::Entry {
            tensor: name,
            key: "length",
            value: length.to_string(),
            expected,
        });
    }
    let path = inside(&name, entry(tensor, "location").unwrap_or_default(), folder)?;
    let mut file = File::open(&path).map_err(at("read", &path))?;
    let found = file.metadata().map_err(at("read", &path))?.len();
    // Before any memory is asked for.
    if offset.checked_add(length).is_none_or(|end| end > found) {
        return Err(ExternalError::Extent {
            tensor: name,
            file: path,
            offset,
            expected,
            found,
        });
    }
    let mut raw = Vec::new();
    file.seek(SeekFrom::Start(offset))
        .and_then(|_| file.take(length).read_to_end(&mut raw))
        .map_err(at("read", &path))?;
    Ok(raw)
}

/// The file `location` below `folder`.
fn inside(tensor: &str, location: &str, folder: &Path) -> Result<PathBuf, ExternalError> {
    let outside = || ExternalError::Outside {
        tensor: tensor.to_owned(),
        location: location.to_owned(),
        folder: folder.to_owned(),
    };
    let plain = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    if location.is_empty() || !Path::new(location).components().all(plain) {
        return Err(outside());
    }
    let path = folder.join(location);
    let (real, root) = (
        path.canonicalize().map_err(at("read", &path))?,
        folder.canonicalize().map_err(at("read", folder))?,
    );
    if real.starts_with(root) {
        Ok(real)
    } else {
        Err(outside())
    }
}

#[cfg(test)]
mod tests;
