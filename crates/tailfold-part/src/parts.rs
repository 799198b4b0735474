//! All parts of one run, with their rows in the order of the images.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::part::damaged;
use crate::{Element, Kind, Part, PartError, PartErrorKind};

mod same;

use same::{check_complete, first_difference, same_run, text};

/// All parts of one run: each shard exactly once, all with the same settings.
#[derive(Clone, Debug)]
pub struct Parts {
    /// Files and parts, ordered by shard.
    parts: Vec<(PathBuf, Part)>,
    /// Part and row of each covered image, ascending by image.
    rows: Vec<(usize, usize)>,
    covered: Vec<usize>,
}

impl Parts {
    /// Reads the files `paths`, in any order.
    ///
    /// # Errors
    /// [`PartError`] when a file is damaged, belongs to another run than the first file, or repeats the shard of
    /// another file; the message names the file. Missing shards are an error too, which lists them.
    pub fn read(paths: &[PathBuf]) -> Result<Self, PartError> {
        let parts = paths
            .iter()
            .map(|path| Ok((path.clone(), Part::read(path)?)))
            .collect::<Result<Vec<_>, PartError>>()?;
        Self::of(parts)
    }

    /// Combines parts that have been read, each with its file.
    ///
    /// # Errors
    /// As [`Parts::read`].
    pub fn of(mut parts: Vec<(PathBuf, Part)>) -> Result<Self, PartError> {
        if let Some((first, rest)) = parts.split_first() {
            rest.iter().try_for_each(|part| same_run(part, first))?;
        }
        parts.sort_by_key(|(_, part)| part.shard());
        for pair in parts.windows(2) {
            if pair[0].1.shard() == pair[1].1.shard() {
                return Err(PartErrorKind::Twice.error(format!(
                    "{} and {} are both shard {shard}",
                    pair[0].0.display(),
                    pair[1].0.display(),
                    shard = pair[0].1.shard()
                )));
            }
        }
        check_complete(&parts)?;
        let mut rows: Vec<(usize, (usize, usize))> = Vec::new();
        for (number, (_, part)) in parts.iter().enumerate() {
            let covered = part.covered().into_iter().enumerate();
            rows.extend(covered.map(|(row, image)| (image, (number, row))));
        }
        rows.sort_unstable();
        let (covered, rows) = rows.into_iter().unzip();
        Ok(Self {
            parts,
            rows,
            covered,
        })
    }

    /// The kind of run that the parts belong to.
    pub fn kind(&self) -> Kind {
        self.first().1.kind()
    }

    /// Number of images in the whole set.
    pub fn images(&self) -> usize {
        self.first().1.images()
    }

    /// The indices of the images that the parts cover, ascending. Images that could not be used are left out.
    pub fn covered(&self) -> &[usize] {
        &self.covered
    }

    /// The run's settings.
    ///
    /// # Errors
    /// [`PartErrorKind::Damaged`] when the settings cannot be read as `T`.
    pub fn asked<T: DeserializeOwned>(&self) -> Result<T, PartError> {
        let (path, part) = self.first();
        let asked = part.asked().clone().into_iter().collect();
        serde_json::from_value(Value::Object(asked)).map_err(|e| damaged(path, &e))
    }

    /// Checks that each field of `asked`, an object, equals the setting of the parts. A command that continues from
    /// the parts calls this with its own settings.
    ///
    /// # Errors
    /// [`PartErrorKind::OtherRun`] with both values of the first setting that differs.
    pub fn check_asked(&self, asked: &impl Serialize) -> Result<(), PartError> {
        let (path, part) = self.first();
        let wanted: BTreeMap<String, Value> = serde_json::from_value(serde_json::to_value(asked)?)?;
        let found = |key: &String| part.asked().get(key);
        let differs = first_difference(wanted.keys(), |key| found(key) == wanted.get(key));
        match differs {
            None => Ok(()),
            Some(key) => Err(PartErrorKind::OtherRun.error(format!(
                "{} and this command are not of the same run: `{key}` is {found} in the one and \
                 {expected} in the other",
                path.display(),
                found = text(found(key)),
                expected = text(wanted.get(key))
            ))),
        }
    }

    /// Reads each shard's results that are not tensors, ordered by shard; never empty.
    ///
    /// # Errors
    /// [`PartErrorKind::Damaged`] naming the file whose results cannot be read as `T`.
    pub fn found<T: DeserializeOwned>(&self) -> Result<Vec<T>, PartError> {
        self.iter().map(|(path, part)| part.found(path)).collect()
    }

    /// Files and parts, ordered by shard.
    pub fn iter(&self) -> impl Iterator<Item = (&Path, &Part)> {
        self.parts.iter().map(|(path, part)| (path.as_path(), part))
    }

    /// The file of the shard that contains image `image`.
    pub fn file_of(&self, image: usize) -> &Path {
        &self.parts[image % self.parts.len()].0
    }

    /// Checks that the parts cover every image.
    ///
    /// # Errors
    /// [`PartErrorKind::Damaged`] naming the first file that lacks an image of its shard.
    pub fn check_whole(&self) -> Result<(), PartError> {
        for (path, part) in &self.parts {
            let (found, expected) = (
                part.covered().len(),
                part.shard().images(part.images()).len(),
            );
            if found != expected {
                return Err(PartErrorKind::Damaged
                    .error(format!(
                        "the part is cut short or damaged: it covers {found} images, but its shard \
                         has {expected}"
                    ))
                    .at(path.display()));
            }
        }
        Ok(())
    }

    /// Concatenates the tensor `name` of all parts. The tensor must have `dims` dimensions, the first one over the
    /// images. Returns the shape of one image's row, and the rows in the order of [`Parts::covered`].
    ///
    /// # Errors
    /// [`PartErrorKind::Damaged`] naming the file whose tensor is missing, does not have one row per covered image,
    /// or has rows of another shape.
    pub fn rows<T: Element>(
        &self,
        name: &str,
        dims: usize,
    ) -> Result<(Vec<usize>, Vec<T>), PartError> {
        let mut tensors = Vec::with_capacity(self.parts.len());
        let mut row_shape: Option<&[usize]> = None;
        for (path, part) in &self.parts {
            let (shape, values) = part.tensor::<T>(path, name, dims)?;
            let row = row_shape.get_or_insert(&shape[1..]);
            let covered = part.covered().len();
            if shape[0] != covered || &shape[1..] != *row {
                return Err(PartErrorKind::Damaged
                    .error(format!(
                        "tensor `{name}` is {} {shape:?}, expected {covered} rows of {row:?}",
                        T::NAME
                    ))
                    .at(path.display()));
            }
            tensors.push(values);
        }
        let row_shape = row_shape.unwrap_or_default().to_vec();
        let len: usize = row_shape.iter().product();
        let rows = self.rows.iter();
        let values = rows.flat_map(|&(part, row)| &tensors[part][row * len..][..len]);
        Ok((row_shape, values.copied().collect()))
    }

    fn first(&self) -> &(PathBuf, Part) {
        // Without parts, shard 0/1 would be missing.
        &self.parts[0]
    }
}

#[cfg(test)]
mod tests;
