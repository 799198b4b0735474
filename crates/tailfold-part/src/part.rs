//! What one shard found, as a file.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tailfold_spec::Shard;

use crate::{Element, Kind, PartError, PartErrorKind, Tensor, Values};

mod file;

/// Name of the tensor `[n]` with the images that the part covers.
const IMAGES: &str = "images";

/// What one shard found: one safetensors file, whose metadata have one entry, `tailfold.part`: SHA-256 and JSON of the header.
///
/// The header has kind, shard and size of the whole set, what was asked for, and the hash of each tensor.
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
    /// Images of the whole set.
    images: usize,
    /// The same in every part of a run.
    asked: BTreeMap<String, Value>,
    /// What this shard has to say beside numbers.
    found: Value,
    /// Type, shape and SHA-256 of each tensor.
    tensors: BTreeMap<String, String>,
}

impl Part {
    /// Name and version of the format.
    pub const SCHEMA: &'static str = "tailfold.part/1";

    /// A part of a run over `images` images, of which `covered` are in it: the shard's own, ascending, but for those that could
    /// not be used.
    ///
    /// `asked`, an object, is all that decides what the run finds; parts in which it differs do not merge.
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

    /// Adds what this shard has to say beside numbers.
    ///
    /// # Errors
    /// [`PartErrorKind::File`] for what JSON cannot hold.
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

    /// The run it is of.
    pub fn kind(&self) -> Kind {
        self.header.kind
    }

    /// Its share.
    pub fn shard(&self) -> Shard {
        self.header.shard
    }

    /// Images of the whole set.
    pub fn images(&self) -> usize {
        self.header.images
    }

    /// What was asked for.
    pub fn asked(&self) -> &BTreeMap<String, Value> {
        &self.header.asked
    }

    /// The images that it covers, ascending.
    pub fn covered(&self) -> Vec<usize> {
        match self.tensors.get(IMAGES).map(|t| &t.values) {
            Some(Values::U64(v)) => v
                .iter()
                .map(|&i| usize::try_from(i).unwrap_or(usize::MAX))
                .collect(),
            _ => Vec::new(),
        }
    }

    /// What the shard said, of the file `path`.
    ///
    /// # Errors
    /// [`PartErrorKind::Damaged`] when it is of another form.
    pub fn found<T: DeserializeOwned>(&self, path: &Path) -> Result<T, PartError> {
        serde_json::from_value(self.header.found.clone()).map_err(|e| damaged(path, &e))
    }

    /// Shape and values of the tensor `name`, of the file `path`; a shape of `dims` dimensions.
    ///
    /// # Errors
    /// [`PartErrorKind::Damaged`] when it is not there or is another one.
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

/// The part in `path` is not what was written.
pub(crate) fn damaged(path: &Path, why: &impl fmt::Display) -> PartError {
    PartErrorKind::Damaged
        .error(format!("the part is cut short or damaged: {why}"))
        .at(path.display())
}

#[cfg(test)]
mod tests;
