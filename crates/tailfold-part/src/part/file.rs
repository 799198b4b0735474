//! Writes and reads the file of a part; reading checks every hash.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use safetensors::tensor::TensorView;
use serde_json::Value;
use tailfold_spec::{Tensors, TensorsError, artifact};

use super::{Header, IMAGES, Part, damaged};
use crate::{PartError, PartErrorKind, Tensor};

/// Key of the header in the file's metadata.
const KEY: &str = "tailfold.part";

impl Part {
    /// The content of the file. Equal parts give equal bytes.
    ///
    /// # Errors
    /// [`PartErrorKind::File`] when JSON cannot represent the header, or when the values of a tensor do not fill its
    /// shape.
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
        file.map_err(|cause| {
            PartErrorKind::File
                .error("the header of a part has no JSON form")
                .caused_by(cause)
        })
    }

    /// Writes the file `path` atomically: a failed write leaves no partial file.
    ///
    /// # Errors
    /// As [`Part::to_bytes`], and [`PartErrorKind::File`].
    pub fn write(&self, path: &Path) -> Result<(), PartError> {
        Ok(artifact::write(path, &self.to_bytes()?)?)
    }

    /// Reads the file `path` and checks every hash in it.
    ///
    /// # Errors
    /// [`PartError`] naming the file.
    pub fn read(path: &Path) -> Result<Self, PartError> {
        let bytes = artifact::read(path)?;
        let file = Tensors::read(&bytes, "the file").map_err(|e| of_file(path, e))?;
        let entry = file.metadata(KEY).ok_or_else(|| {
            PartErrorKind::NotAPart.error(format!(
                "{} is not a part of a sharded run: its header has no `tailfold.part`",
                path.display()
            ))
        })?;
        let header = header(&entry, path)?;
        let mut tensors = BTreeMap::new();
        for name in file.names() {
            let view = file.view(name).map_err(|e| of_file(path, e))?;
            let tensor = Tensor::from_bytes(view.dtype(), view.shape(), view.data())
                .ok_or_else(|| damaged(path, &format!("tensor `{name}` is {}", view.dtype())))?;
            if header.tensors.get(name) != Some(&digest(&tensor, view.data())) {
                return Err(damaged(
                    path,
                    &format!("tensor `{name}` has not the hash that the header names"),
                ));
            }
            tensors.insert(name.to_owned(), tensor);
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

    /// Checks that every covered image belongs to the shard, and that the indices ascend.
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
                let why =
                    format!("image {image} is out of place in shard {shard} of {images} images");
                Err(damaged(path, &why))
            }
        }
    }
}

/// Converts an error about the safetensors file into an error of the part.
fn of_file(path: &Path, error: TensorsError) -> PartError {
    match error {
        TensorsError::Damaged { source, .. } => damaged(path, &source),
        other => damaged(path, &other),
    }
}

/// Parses the header in the metadata entry `entry` and checks its hash.
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
        return Err(PartErrorKind::Damaged.error(format!(
            "{} has the schema `{schema}`, expected `{expected}`",
            path.display(),
            expected = Part::SCHEMA
        )));
    }
    serde_json::from_value(value).map_err(|e| damaged(path, &e))
}

fn digest(tensor: &Tensor, bytes: &[u8]) -> String {
    format!("{} {}", tensor.form(), artifact::sha256(bytes))
}
