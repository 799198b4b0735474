//! What one shard found, as a file.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::Path;

use safetensors::SafeTensors;
use safetensors::tensor::TensorView;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tailfold_spec::{Shard, artifact};

use crate::{Element, PartError, Tensor, Values};

/// Key of the header in the file's metadata.
const KEY: &str = "tailfold.part";

/// Name of the tensor `[n]` with the images that the part covers.
const IMAGES: &str = "images";

/// The run that a part is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// `tailfold evaluate`.
    Evaluate,
    /// `tailfold logits`.
    Logits,
    /// `tailfold parity`.
    Parity,
    /// The first pass of a calibration: what every activation is like.
    Ranges,
    /// The second: windows of every layer's input.
    Windows,
    /// The third: what the quantized network answers.
    Answers,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Evaluate => "evaluate",
            Self::Logits => "logits",
            Self::Parity => "parity",
            Self::Ranges => "ranges",
            Self::Windows => "windows",
            Self::Answers => "answers",
        })
    }
}

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
    /// [`PartError::Json`] when `asked` is no object.
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
    /// [`PartError::Json`] for what JSON cannot hold.
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
    /// [`PartError::Damaged`] when it is of another form.
    pub fn found<T: DeserializeOwned>(&self, path: &Path) -> Result<T, PartError> {
        serde_json::from_value(self.header.found.clone()).map_err(|e| damaged(path, &e))
    }

    /// Shape and values of the tensor `name`, of the file `path`; a shape of `dims` dimensions.
    ///
    /// # Errors
    /// [`PartError::Tensor`] when it is not there or is another one.
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
            .ok_or_else(|| PartError::Tensor {
                path: path.to_owned(),
                tensor: name.to_owned(),
                found: tensor.map_or_else(|| "missing".to_owned(), Tensor::form),
                expected: format!("{} of {dims} dimensions", T::NAME),
            })
    }

    /// The file's content; the same part gives the same bytes.
    ///
    /// # Errors
    /// [`PartError::Json`] for a header that JSON cannot hold, or a tensor whose values do not fill its shape.
    pub fn to_bytes(&self) -> Result<Vec<u8>, PartError> {
        let stored: BTreeMap<&String, (&Tensor, _)> = self
            .tensors
            .iter()
            .map(|(name, tensor)| (name, (tensor, tensor.bytes())))
            .collect();
        let mut header = self.header.clone();
        header.tensors = stored
            .iter()
            .map(|(name, (tensor, (_, bytes)))| ((*name).clone(), digest(tensor, bytes)))
            .collect();
        let text = serde_json::to_string(&header)?;
        let entry = format!("{} {text}", artifact::sha256(text.as_bytes()));
        let file = stored
            .iter()
            .map(|(name, (tensor, (dtype, bytes)))| {
                let view = TensorView::new(*dtype, tensor.shape.clone(), bytes)?;
                Ok((name.as_str(), view))
            })
            .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()
            .and_then(|views| {
                safetensors::serialize(views, Some(HashMap::from([(KEY.to_owned(), entry)])))
            });
        file.map_err(|e| PartError::Json(serde::ser::Error::custom(e)))
    }

    /// Writes the file `path`, whole or not at all.
    ///
    /// # Errors
    /// As [`Part::to_bytes`], and [`PartError::File`].
    pub fn write(&self, path: &Path) -> Result<(), PartError> {
        Ok(artifact::write(path, &self.to_bytes()?)?)
    }

    /// Reads the file `path` and checks that it is what was written.
    ///
    /// # Errors
    /// [`PartError`] naming the file.
    pub fn read(path: &Path) -> Result<Self, PartError> {
        let bytes = artifact::read(path)?;
        let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|e| damaged(path, &e))?;
        let entry = metadata.metadata().as_ref().and_then(|m| m.get(KEY));
        let entry = entry.ok_or_else(|| PartError::NotAPart {
            path: path.to_owned(),
        })?;
        let header = header(entry, path)?;
        let file = SafeTensors::deserialize(&bytes).map_err(|e| damaged(path, &e))?;
        let mut tensors = BTreeMap::new();
        for (name, view) in file.tensors() {
            let tensor = Tensor::from_bytes(view.dtype(), view.shape(), view.data())
                .ok_or_else(|| damaged(path, &format!("tensor `{name}` is {}", view.dtype())))?;
            if header.tensors.get(&name) != Some(&digest(&tensor, view.data())) {
                return Err(damaged(
                    path,
                    &format!("tensor `{name}` has not the hash that the header names"),
                ));
            }
            tensors.insert(name, tensor);
        }
        if let Some(lost) = header
            .tensors
            .keys()
            .find(|name| !tensors.contains_key(*name))
        {
            return Err(damaged(path, &format!("tensor `{lost}` is missing")));
        }
        let part = Self { header, tensors };
        part.check_images(path)?;
        Ok(part)
    }

    /// Checks that what is covered is of the shard.
    fn check_images(&self, path: &Path) -> Result<(), PartError> {
        self.tensor::<u64>(path, IMAGES, 1)?;
        let (covered, shard) = (self.covered(), self.shard());
        let own = |image: usize| image < self.images() && image % shard.of() == shard.index();
        let before = [None].into_iter().chain(covered.iter().map(Some));
        let mut pairs = covered.iter().zip(before);
        let stranger = pairs.find(|&(image, before)| !own(*image) || before >= Some(image));
        match stranger {
            None => Ok(()),
            Some((image, _)) => {
                let images = self.images();
                let why = format!("image {image} is none of shard {shard} of {images} images");
                Err(damaged(path, &why))
            }
        }
    }
}

/// The header in the metadata's `entry`.
fn header(entry: &str, path: &Path) -> Result<Header, PartError> {
    let (hash, text) = entry
        .split_once(' ')
        .ok_or_else(|| damaged(path, &"the header has no hash"))?;
    let found = artifact::sha256(text.as_bytes());
    if found != hash {
        let why = format!("the header says that its hash is {hash}, and it is {found}");
        return Err(damaged(path, &why));
    }
    let value: Value = serde_json::from_str(text).map_err(|e| damaged(path, &e))?;
    let schema = value["schema"].as_str().unwrap_or_default();
    if schema != Part::SCHEMA {
        return Err(PartError::Schema {
            path: path.to_owned(),
            found: schema.to_owned(),
            expected: Part::SCHEMA,
        });
    }
    serde_json::from_value(value).map_err(|e| damaged(path, &e))
}

fn digest(tensor: &Tensor, bytes: &[u8]) -> String {
    format!("{} {}", tensor.form(), artifact::sha256(bytes))
}

fn damaged(path: &Path, why: &impl fmt::Display) -> PartError {
    PartError::Damaged {
        path: path.to_owned(),
        why: why.to_string(),
    }
}

#[cfg(test)]
mod tests;
