//! An opened data set: labels in memory, images decoded on demand, cheap subsets.

use std::sync::Arc;

use rayon::prelude::*;

use crate::draws::Draws;
use crate::images::Images;
use crate::left_out::LeftOut;
use crate::loaded::Loaded;
use crate::{
    DataError, DataErrorKind, DataSource, DataSpec, Pixels, Split, embedded, longtail, readers,
};

/// Images with labels. Clones and subsets share the images.
#[derive(Clone, Debug)]
pub struct Dataset {
    spec: Arc<DataSpec>,
    images: Arc<Images>,
    classes: Arc<[String]>,
    /// Index into `images` for each image of this subset.
    indices: Vec<usize>,
    labels: Vec<usize>,
    left_out: Arc<LeftOut>,
}

impl Dataset {
    /// Opens the data of `spec` and applies its options; see [`DataSpec`] for the options and their order.
    ///
    /// # Errors
    /// [`DataError`] naming the file, the record or line, or the class without images.
    pub fn open(spec: &DataSpec) -> Result<Self, DataError> {
        let train = matches!(spec.split(), None | Some(Split::Train));
        let imbalance = spec.imbalance().filter(|_| train);
        let loaded = match spec.source() {
            DataSource::Embedded => embedded::load(
                &embedded::find()?,
                spec.split().unwrap_or(Split::Train),
                imbalance,
            )?,
            DataSource::Cifar10(dir) => {
                readers::cifar::load(&readers::cifar::CIFAR10, dir, spec.split(), imbalance)?
            }
            DataSource::Cifar100(dir) => {
                readers::cifar::load(&readers::cifar::CIFAR100, dir, spec.split(), imbalance)?
            }
            DataSource::Idx(dir) => readers::idx::load(dir, spec.split())?,
            DataSource::Folder(dir) => readers::folder::load(dir, spec.split())?,
            DataSource::List { file, root } => readers::list::load(file, root, spec.split())?,
            DataSource::Json { file, root } => readers::json::load(file, root, spec.split())?,
            DataSource::Csv(file) => readers::csv::load(file, spec.split())?,
        };
        let Loaded {
            images,
            classes,
            labels,
            chosen,
            left_out,
        } = loaded;
        let chosen = match (chosen, imbalance) {
            (Some(chosen), _) => chosen,
            (None, Some(imbalance)) => long_tail(&labels, &classes, imbalance)?,
            (None, None) => (0..labels.len()).collect(),
        };
        let whole = Self {
            spec: Arc::new(spec.clone()),
            images: Arc::new(images),
            classes: classes.into(),
            labels: chosen.iter().map(|&i| labels[i]).collect(),
            indices: chosen,
            left_out: Arc::new(left_out),
        };
        if !spec.allows_empty() {
            whole.check_classes()?;
        }
        let data = match spec.per_class() {
            Some(n) => {
                let mut kept = whole.balanced_indices(n, spec.seed())?;
                kept.sort_unstable();
                whole.subset(&kept)
            }
            None => whole,
        };
        match spec.limit() {
            Some(limit) if limit < data.len() => {
                let all: Vec<usize> = (0..data.len()).collect();
                Ok(data.subset(&Draws::new([spec.seed(), LIMIT, 0, 0]).sample(&all, limit)))
            }
            _ => Ok(data),
        }
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.indices.len()
    }

    /// Returns whether there are no images.
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    /// The specification of the opened data.
    pub fn spec(&self) -> &DataSpec {
        &self.spec
    }

    /// Class names, label order.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Class of each image, `[len]`, below the number of classes.
    pub fn labels(&self) -> &[usize] {
        &self.labels
    }

    /// Returns the number of skipped files of the opened folder (other endings, hidden files), per class and kind.
    ///
    /// A subset has the counts of the whole folder. Data that is not a folder has no counts.
    pub fn left_out(&self) -> &LeftOut {
        &self.left_out
    }

    /// Number of images per class, label order.
    pub fn class_counts(&self) -> Vec<u64> {
        let mut counts = vec![0; self.classes.len()];
        for &label in &self.labels {
            counts[label] += 1;
        }
        counts
    }

    /// Returns image `i`; for folders, lists and CSV files this decodes it.
    ///
    /// # Errors
    /// [`DataError`] naming the file.
    ///
    /// # Panics
    /// When `i` is not below [`Dataset::len`].
    pub fn image(&self, i: usize) -> Result<Pixels, DataError> {
        self.images.get(self.indices[i])
    }

    /// Display name of image `i`: its file, and `#` with its record (from 0) if the file has many records.
    ///
    /// # Panics
    /// When `i` is not below [`Dataset::len`].
    pub fn id(&self, i: usize) -> String {
        self.images.id(self.indices[i])
    }

    /// Returns the images whose file is missing or empty, without decoding any. A record of a larger file is never
    /// missing.
    pub fn missing_files(&self) -> Vec<usize> {
        let missing = |&i: &usize| self.images.is_missing(self.indices[i]);
        (0..self.len()).into_par_iter().filter(missing).collect()
    }

    /// See [`Images::fingerprint`].
    pub(crate) fn fingerprint(&self, i: usize) -> Result<String, DataError> {
        self.images.fingerprint(self.indices[i])
    }

    /// First 16 hexadecimal digits of [`Pixels::sha256`] of each image, computed on all cores.
    ///
    /// # Errors
    /// [`DataError`] naming a file that cannot be decoded.
    pub fn pixel_hashes(&self) -> Result<Vec<String>, DataError> {
        (0..self.len())
            .into_par_iter()
            .map(|i| {
                let mut hash = self.image(i)?.sha256();
                hash.truncate(16);
                Ok(hash)
            })
            .collect()
    }

    /// Returns the images at `indices` (repeats allowed), in that order, with the same classes.
    ///
    /// # Panics
    /// When an index is not below [`Dataset::len`].
    #[must_use]
    pub fn subset(&self, indices: &[usize]) -> Self {
        Self {
            indices: indices.iter().map(|&i| self.indices[i]).collect(),
            labels: indices.iter().map(|&i| self.labels[i]).collect(),
            spec: Arc::clone(&self.spec),
            images: Arc::clone(&self.images),
            classes: Arc::clone(&self.classes),
            left_out: Arc::clone(&self.left_out),
        }
    }

    /// Draws up to `per_class` images of each class without repeats: class by class, ascending within a class.
    ///
    /// The draw for a class depends only on the seed, its label and its images, not on the other classes.
    ///
    /// # Errors
    /// [`DataErrorKind::Classes`] naming the first class without images, unless the specification allows such classes.
    pub fn balanced_indices(&self, per_class: usize, seed: u64) -> Result<Vec<usize>, DataError> {
        if !self.spec.allows_empty() {
            self.check_classes()?;
        }
        let mut members = vec![Vec::new(); self.classes.len()];
        for (i, &label) in self.labels.iter().enumerate() {
            members[label].push(i);
        }
        let draw = |(class, list): (usize, &Vec<usize>)| {
            Draws::new([seed, BALANCED, class as u64, 0]).sample(list, per_class)
        };
        Ok(members.iter().enumerate().flat_map(draw).collect())
    }

    fn check_classes(&self) -> Result<(), DataError> {
        match self.class_counts().iter().position(|&count| count == 0) {
            None => Ok(()),
            Some(class) => {
                let name = &self.classes[class];
                let only = match self.left_out.of_folder(name) {
                    Some(files) => format!(", only {files}"),
                    None => String::new(),
                };
                Err(DataErrorKind::Classes.error(format!(
                    "class {class} (`{name}`) has no image in {}{only}; `empty=allow` accepts that",
                    self.spec
                )))
            }
        }
    }
}

/// Separates the random draws of `per-class` and `limit` under one seed.
const BALANCED: u64 = 1;
const LIMIT: u64 = 2;

/// LDAM-DRW's subset with seed 0; an error if a class has too few images.
fn long_tail(
    labels: &[usize],
    classes: &[String],
    imbalance: f64,
) -> Result<Vec<usize>, DataError> {
    let lists = longtail::ldam_subset(labels, classes.len(), imbalance, 0);
    let sizes = longtail::class_sizes(
        labels.len() / classes.len().max(1),
        classes.len(),
        imbalance,
    );
    for (class, (list, &needed)) in lists.iter().zip(&sizes).enumerate() {
        if list.len() < needed {
            let name = classes[class].clone();
            return Err(DataErrorKind::Classes.error(format!(
                "class {class} (`{name}`) has {found} images, imbalance {imbalance} needs {needed}",
                found = list.len()
            )));
        }
    }
    Ok(lists.concat())
}

#[cfg(test)]
mod tests;
