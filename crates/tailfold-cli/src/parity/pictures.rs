//! The evaluation images with the hashes of their pixels, which show repeated images.

use std::collections::BTreeMap;

use anyhow::ensure;
use serde::{Deserialize, Serialize};
use tailfold_data::Dataset;
use tailfold_parity::Policy;

/// One evaluation image.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Picture {
    /// Number in the whole set.
    pub(super) number: usize,
    /// First 16 hexadecimal digits of the SHA-256 of its pixels.
    pub(super) hash: String,
    /// Id of the image in its data set.
    pub(super) id: String,
}

/// The evaluation images of the whole set or of one shard.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Pictures(Vec<Picture>);

impl Pictures {
    /// Hashes the images of `data`; image `i` has the number `numbers[i]` in the whole set.
    ///
    /// # Errors
    /// An error of the data that names the file that cannot be decoded.
    pub(super) fn of(data: &Dataset, numbers: &[usize]) -> anyhow::Result<Self> {
        let hashes = data.pixel_hashes()?.into_iter().zip(numbers).enumerate();
        let picture = |(i, (hash, &number))| Picture {
            number,
            hash,
            id: data.id(i),
        };
        Ok(Self(hashes.map(picture).collect()))
    }

    /// Joins the images of all shards.
    pub(super) fn merge(shards: impl Iterator<Item = Self>) -> Self {
        let mut all: Vec<Picture> = shards.flat_map(|shard| shard.0).collect();
        all.sort_by_key(|picture| picture.number);
        Self(all)
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = &Picture> {
        self.0.iter()
    }

    /// Refuses more repeated images than `policy` accepts: a repeated image counts as another one, so bounds are too
    /// narrow.
    ///
    /// # Errors
    /// An error that names the first two equal images and the number of repeated images.
    pub(super) fn refuse_duplicates(&self, policy: &Policy) -> anyhow::Result<()> {
        let mut first_of: BTreeMap<&str, &Picture> = BTreeMap::new();
        let (mut repeated, mut pair) = (0_usize, None);
        for picture in &self.0 {
            match first_of.get(picture.hash.as_str()) {
                Some(&before) => {
                    repeated += 1;
                    pair.get_or_insert((before, picture));
                }
                None => drop(first_of.insert(&picture.hash, picture)),
            }
        }
        let Some((a, b)) = pair else { return Ok(()) };
        let (all, accepted) = (self.0.len(), policy.max_duplicates);
        ensure!(
            repeated as f64 <= accepted * all as f64,
            "{repeated} of {all} evaluation images repeat another one, the first {} (image {}) is {} (image {}); policy.max_duplicates accepts {} %",
            b.id,
            b.number,
            a.id,
            a.number,
            100.0 * accepted
        );
        Ok(())
    }
}
