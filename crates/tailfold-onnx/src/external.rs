//! External data: reads tensor values that are stored in other files.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Component, Path, PathBuf};

use tailfold_spec::artifact::at;

use crate::proto::{DataLocation, GraphProto, NodeProto, TensorProto};
use crate::{Model, OnnxError, OnnxErrorKind};

/// Reads the external data of all initializers and node attributes, also inside subgraphs and model-local functions.
/// The files have to be inside of `folder`, the folder of the model; a symbolic link that leads out of it is an error.
///
/// # Errors
/// [`OnnxError`], which names the tensor with the found and the expected value.
pub fn load_external(model: &mut Model, folder: &Path) -> Result<(), OnnxError> {
    let mut loader = Loader {
        folder,
        room: Model::MAX_BYTES,
    };
    loader.graph(model.graph_mut())?;
    for function in model.functions_mut() {
        loader.nodes(&mut function.node)?;
    }
    Ok(())
}

/// Reads external data.
struct Loader<'a> {
    folder: &'a Path,
    /// Bytes that may still be read: many tensors may share the bytes of one file.
    room: u64,
}

impl Loader<'_> {
    fn graph(&mut self, graph: &mut GraphProto) -> Result<(), OnnxError> {
        for tensor in &mut graph.initializer {
            self.tensor(tensor)?;
        }
        self.nodes(&mut graph.node)
    }

    fn nodes(&mut self, nodes: &mut [NodeProto]) -> Result<(), OnnxError> {
        for attribute in nodes.iter_mut().flat_map(|n| &mut n.attribute) {
            for tensor in attribute.t.iter_mut().chain(&mut attribute.tensors) {
                self.tensor(tensor)?;
            }
            for graph in attribute.g.iter_mut().chain(&mut attribute.graphs) {
                self.graph(graph)?;
            }
        }
        Ok(())
    }

    fn tensor(&mut self, tensor: &mut TensorProto) -> Result<(), OnnxError> {
        if tensor.data_location() != DataLocation::External {
            return Ok(());
        }
        let bytes = tensor.bytes_of_shape()? as u64;
        self.room = self.room.checked_sub(bytes).ok_or_else(|| {
            OnnxErrorKind::Limit.error(format!(
                "with tensor `{tensor}`, the model has more than {limit} bytes of external data",
                tensor = tensor.name(),
                limit = Model::MAX_BYTES
            ))
        })?;
        let raw = read(tensor, self.folder)?;
        tensor.raw_data = Some(raw);
        tensor.external_data.clear();
        tensor.data_location = None;
        Ok(())
    }
}

fn entry<'a>(tensor: &'a TensorProto, key: &str) -> Option<&'a str> {
    let mut entries = tensor.external_data.iter();
    entries.find(|e| e.key() == key).map(|e| e.value())
}

fn read(tensor: &TensorProto, folder: &Path) -> Result<Vec<u8>, OnnxError> {
    let name = tensor.name().to_owned();
    let expected = tensor.bytes_of_shape()? as u64;
    let number = |key: &'static str, default: u64| {
        let Some(text) = entry(tensor, key) else {
            return Ok(default);
        };
        text.parse().map_err(|_| {
            OnnxErrorKind::External.error(format!(
                "tensor `{name}` says that its values have `{key}` {text}, its shape needs \
                 {expected} bytes"
            ))
        })
    };
    let (offset, length) = (number("offset", 0)?, number("length", expected)?);
    if length != expected {
        return Err(OnnxErrorKind::External.error(format!(
            "tensor `{name}` says that its values have `length` {length}, its shape needs \
             {expected} bytes"
        )));
    }
    let path = inside(&name, entry(tensor, "location").unwrap_or_default(), folder)?;
    let mut file = File::open(&path).map_err(at("read", &path))?;
    let found = file.metadata().map_err(at("read", &path))?.len();
    // Checked before any memory is allocated.
    if offset.checked_add(length).is_none_or(|end| end > found) {
        return Err(OnnxErrorKind::External.error(format!(
            "tensor `{name}` has {expected} bytes at {offset} of {}, which has {found} bytes",
            path.display()
        )));
    }
    let mut raw = Vec::new();
    file.seek(SeekFrom::Start(offset))
        .and_then(|_| file.take(length).read_to_end(&mut raw))
        .map_err(at("read", &path))?;
    Ok(raw)
}

/// The path of the file `location`, which has to be inside of `folder`.
fn inside(tensor: &str, location: &str, folder: &Path) -> Result<PathBuf, OnnxError> {
    let outside = || {
        OnnxErrorKind::External.error(format!(
            "the values of tensor `{tensor}` are in `{location}`, which is not inside of the \
             model's folder {}",
            folder.display()
        ))
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
