//! The result of one shard, stored as a file.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tailfold_spec::Shard;

use crate::{Element, Kind, PartError, PartErrorKind, Tensor, Values};

mod file;

/// Name of the tensor `[n]` with the indices of the images that the part covers.
const IMAGES: &str = "images";

/// The result of one shard: a safetensors file. Its metadata has one entry, `tailfold.part`, which holds a JSON
/// header and the header's SHA-256.
///
/// The header holds the kind of run, the shard, the size of the whole set, the run's settings, and the hash of each
/// tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    header: Header,
    tensors: BTreeMap<String, Tensor>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Header {
    schema: String,
    kind: Kind,
    shard: Shard,
    /// Number of images in the whole set.
    images: usize,
    /// The run's settings, equal in every part of the run.
    asked: BTreeMap<String, Value>,
    /// The shard's results that are not tensors, as JSON.
    found: Value,
    /// Data type, shape and SHA-256 of each tensor.
    tensors: BTreeMap<String, String>,
}

impl Part {
    /// Name and version of the format.
    pub const SCHEMA: &'static str = "tailfold.part/1";

    /// Creates a part of a run over `images` images. `covered` lists the images in the part in ascending order: the
    /// shard's images without the ones that could not be used.
    ///
    /// `asked` must serialise to a JSON object. It holds every setting that influences the result; parts with
    /// different settings do not merge.
    ///
    /// # Errors
    /// [`PartErrorKind::File`] when `asked` is not an object.
    pub fn new(
        kind: Kind,
        shard: Shard,
        images: usize,
        covered: &[usize],
        asked: &impl Serialize,
    ) -> Result<Self, PartError> {
        let header = Header {
            schema: Self::SCHEMA.to_owned(),
            kind,
            shard,
            images,
            asked: serde_json::from_value(serde_json::to_value(asked)?)?,
            found: Value::Null,
            tensors: BTreeMap::new(),
        };
        let mut part = Self {
            header,
            tensors: BTreeMap::new(),
        };
        let covered: Vec<u64> = covered.iter().map(|&i| i as u64).collect();
        part.put(IMAGES, vec![covered.len()], covered);
        Ok(part)
    }

    /// Adds the shard's results that are not tensors.
    ///
    /// # Errors
    /// [`PartErrorKind::File`] when JSON cannot represent `found`.
    pub fn say(&mut self, found: &impl Serialize) -> Result<(), PartError> {
        self.header.found = serde_json::to_value(found)?;
        Ok(())
    }

    /// Adds a tensor.
    pub fn put(&mut self, name: &str, shape: Vec<usize>, values: impl Into<Values>) {
        let values = values.into();
        self.tensors
            .insert(name.to_owned(), Tensor { shape, values });
    }

    /// The kind of run that the part belongs to.
    pub fn kind(&self) -> Kind {
        self.header.kind
    }

    /// The shard that produced the part.
    pub fn shard(&self) -> Shard {
        self.header.shard
    }

    /// Number of images in the whole set.
    pub fn images(&self) -> usize {
        self.header.images
    }

    /// The run's settings.
    pub fn asked(&self) -> &BTreeMap<String, Value> {
        &self.header.asked
    }

    /// The indices of the images that the part covers, ascending.
    pub fn covered(&self) -> Vec<usize> {
        match self.tensors.get(IMAGES).map(|t| &t.values) {
            Some(Values::U64(v)) => v
                .iter()
                .map(|&i| usize::try_from(i).unwrap_or(usize::MAX))
                .collect(),
            _ => Vec::new(),
        }
    }

    /// The shard's results that are not tensors. `path` names the part's file in errors.
    ///
    /// # Errors
    /// [`PartErrorKind::Damaged`] when the results cannot be read as `T`.
    pub fn found<T: DeserializeOwned>(&self, path: &Path) -> Result<T, PartError> {
        serde_json::from_value(self.header.found.clone()).map_err(|e| damaged(path, &e))
    }

    /// Shape and values of the tensor `name`, which must have `dims` dimensions. `path` names the part's file in
    /// errors.
    ///
    /// # Errors
    /// [`PartErrorKind::Damaged`] when the tensor is missing, or has another data type or number of dimensions.
    pub fn tensor<T: Element>(
        &self,
        path: &Path,
        name: &str,
        dims: usize,
    ) -> Result<(&[usize], &[T]), PartError> {
        let tensor = self.tensors.get(name);
        tensor
            .filter(|t| t.shape.len() == dims)
            .and_then(|t| Some((&t.shape[..], T::of(&t.values)?)))
            .ok_or_else(|| {
                PartErrorKind::Damaged
                    .error(format!(
                        "tensor `{name}` is {found}, expected {} of {dims} dimensions",
                        T::NAME,
                        found = tensor.map_or_else(|| "missing".to_owned(), Tensor::form)
                    ))
                    .at(path.display())
            })
    }
}

/// The error for a part in `path` that differs from the part that was written.
pub(crate) fn damaged(path: &Path, why: &impl fmt::Display) -> PartError {
    PartErrorKind::Damaged
        .error(format!("the part is cut short or damaged: {why}"))
        .at(path.display())
}

#[cfg(test)]
mod tests;
