//! Checks that no evaluation image was used to calibrate a model.

use anyhow::anyhow;
use serde::{Deserialize, Serialize};
use tailfold::LoadedModel;
use tailfold_data::Overlap;

use super::Pictures;

/// Evaluation images that a model was calibrated on, found by the hashes of their pixels, in the whole set or in one
/// shard.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Seen {
    /// The model's file, as given.
    model: String,
    images: usize,
    /// Number of the first such image in the whole set, and its id.
    first: Option<(usize, String)>,
}

impl Seen {
    /// Finds the `pictures` that `model`, of the file `file`, was calibrated on.
    pub(super) fn of(model: &LoadedModel, file: &str, pictures: &Pictures) -> Self {
        let calibrated = model.card.quantization.iter();
        let calibrated = calibrated.flat_map(|record| &record.calibration_images);
        let keys = pictures.iter().map(|picture| picture.hash.as_str());
        let Overlap { shared, first } = Overlap::of(keys, calibrated.map(String::as_str));
        let first = first.and_then(|(index, _)| pictures.iter().nth(index));
        Self {
            model: file.to_owned(),
            images: shared,
            first: first.map(|picture| (picture.number, picture.id.clone())),
        }
    }

    /// Combines the results of all shards, separately for the two models.
    pub(super) fn merge(shards: Vec<[Self; 2]>) -> Vec<Self> {
        let merged = shards
            .into_iter()
            .reduce(|[a, b], [c, d]| [a.and(c), b.and(d)]);
        merged.into_iter().flatten().collect()
    }

    fn and(self, other: Self) -> Self {
        Self {
            model: self.model,
            images: self.images + other.images,
            // Pairs are compared by their number first.
            first: [self.first, other.first].into_iter().flatten().min(),
        }
    }

    /// Refuses a model that was calibrated on an evaluation image.
    ///
    /// # Errors
    /// An error that names the model's file, the number of images and the first image.
    pub(super) fn refuse(&self) -> anyhow::Result<()> {
        let Some((_, first)) = &self.first else {
            return Ok(());
        };
        let why = format!(
            "calibrated on {} of the evaluation images, the first {first}",
            self.images
        );
        Err(anyhow!(why).context(self.model.clone()))
    }
}
