//! All parts of one run, in the images' order.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::part::damaged;
use crate::{Element, Kind, Part, PartError, PartErrorKind};

mod same;

use same::{check_complete, first_difference, same_run, text};

/// All parts of one run: each shard once, none missing, all asked for the same.
#[derive(Clone, Debug)]
pub struct Parts {
    /// Shard by shard.
    parts: Vec<(PathBuf, Part)>,
    /// Part and row of each image that was covered, ascending by image.
    rows: Vec<(usize, usize)>,
    covered: Vec<usize>,
}

impl Parts {
    /// Reads `paths`, in whatever order.
    ///
    /// # Errors
    /// [`PartError`] naming the file that is damaged, or is of another run than the first one, or is a shard that another one is too;
    /// or the shards that are missing.
    pub fn read(paths: &[PathBuf]) -> Result<Self, PartError> {
        let parts = paths
            .iter()
            .map(|path| Ok((path.clone(), Part::read(path)?)))
            .collect::<Result<Vec<_>, PartError>>()?;
        Self::of(parts)
    }

    /// Parts that have been read, each with its file.
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

    /// The run that they are of.
    pub fn kind(&self) -> Kind {
        self.first().1.kind()
    }

    /// Images of the whole set.
    pub fn images(&self) -> usize {
        self.first().1.images()
    }

    /// The images that they cover, ascending: all, or all that could be used.
    pub fn covered(&self) -> &[usize] {
        &self.covered
    }

    /// What was asked for.
    ///
    /// # Errors
    /// [`PartErrorKind::Damaged`] when it is of another form.
    pub fn asked<T: DeserializeOwned>(&self) -> Result<T, PartError> {
        let (path, part) = self.first();
        let asked = part.asked().clone().into_iter().collect();
        serde_json::from_value(Value::Object(asked)).map_err(|e| damaged(path, &e))
    }

    /// Checks that each field of `asked`, an object, is what the parts were asked for: for a command that goes on from them.
    ///
    /// # Errors
    /// [`PartErrorKind::OtherRun`] with both sides.
    pub fn check_asked(&self, asked: &impl Serialize) -> Result<(), PartError> {
        let (path, part) = self.first();
        let wanted: BTreeMap<String, Value> = serde_json::from_value(serde_json::to_value(asked)?)?;
        let found = |what: &String| part.asked().get(what);
        let differs = first_difference(wanted.keys(), |key| found(key) == wanted.get(key));
        match differs {
            None => Ok(()),
            Some(what) => Err(PartErrorKind::OtherRun.error(format!(
                "{} and this command are not of the same run: `{what}` is {found} in the one and \
                 {expected} in the other",
                path.display(),
                found = text(found(what)),
                expected = text(wanted.get(what))
            ))),
        }
    }

    /// What each shard said beside numbers, shard by shard; never empty.
    ///
    /// # Errors
    /// [`PartErrorKind::Damaged`] naming the file where it is of another form.
    pub fn found<T: DeserializeOwned>(&self) -> Result<Vec<T>, PartError> {
        self.iter().map(|(path, part)| part.found(path)).collect()
    }

    /// Files and parts, shard by shard.
    pub fn iter(&self) -> impl Iterator<Item = (&Path, &Part)> {
        self.parts.iter().map(|(path, part)| (path.as_path(), part))
    }

    /// The file that image `image` belongs to.
    pub fn file_of(&self, image: usize) -> &Path {
        &self.parts[image % self.parts.len()].0
    }

    /// Checks that every image is covered.
    ///
    /// # Errors
    /// [`PartErrorKind::Damaged`] naming the file that lacks one of its images.
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

    /// The tensor `name`, whose first of `dims` dimensions is the images, of all parts as one: the shape of an image's row, and the
    /// rows in the order of [`Parts::covered`].
    ///
    /// # Errors
    /// [`PartErrorKind::Damaged`] naming the file where it is not there, has not a row an image, or rows of another shape.
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
