//! That no evaluation image was used to calibrate a model.

use anyhow::anyhow;
use serde::{Deserialize, Serialize};
use tailfold::LoadedModel;
use tailfold_data::Overlap;

use super::Pictures;

/// Evaluation images that a model was calibrated on, by the hashes of their pixels: of all, or of one shard's.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Seen {
    /// The model's file, as given.
    model: String,
    images: usize,
    /// Number in the whole set, and where it comes from.
    first: Option<(usize, String)>,
}

impl Seen {
    /// What `model`, of the file `file`, has seen of `pictures`.
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

    /// Of all shards, of both models.
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
            // The number is the first to be compared.
            first: [self.first, other.first].into_iter().flatten().min(),
        }
    }

    /// Refuses a model that has seen an image.
    ///
    /// # Errors
    /// Naming the model's file and the first image, with how many there are.
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
