//! Random views of an image for training, the same bits for the same key on any number of threads.

use serde::{Deserialize, Serialize};

use crate::draws::Draws;
use crate::preprocess::luma;
use crate::{DataError, Pixels};

mod warp;

/// What is done to an image, in the order of the fields. The default does nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AugmentConfig {
    /// Least and greatest share of the area that is cut out and scaled back to the image's size (bilinear), with an
    /// aspect ratio between 3/4 and 4/3.
    pub resized_crop: Option<(f32, f32)>,
    /// Black pixels added on each side before a window of the image's size is cut out at random.
    pub crop_padding: usize,
    /// Mirrors left and right, half of the time.
    pub flip: bool,
    /// Brightness, then contrast, are multiplied by `1 - jitter .. 1 + jitter`.
    pub jitter: f32,
    /// Probability of an RGB image losing its colour; it keeps three channels.
    pub greyscale: f32,
    /// Side of a black square, its centre anywhere in the image; 0 for none.
    pub cutout: usize,
}

/// What the random draws of one view depend on, and all they depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AugmentKey {
    /// Seed of the run.
    pub seed: u64,
    /// Epoch.
    pub epoch: u64,
    /// The image's place in the data set.
    pub index: u64,
    /// Which of several views of one image.
    pub view: u64,
}

/// A checked [`AugmentConfig`].
#[derive(Clone, Debug, PartialEq)]
pub struct Augmenter(AugmentConfig);

/// An augmentation value out of its range.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("augment.{field} is {value}, expected {expected}")]
pub struct AugmentError {
    /// Field.
    pub field: &'static str,
    /// Value found.
    pub value: String,
    /// What is accepted.
    pub expected: &'static str,
}

/// Most pixels of padding or cutout: keeps sums of sizes far from overflow.
const MAX_SIDE: usize = 1 << 16;

impl Augmenter {
    /// Checks every field.
    ///
    /// # Errors
    /// [`DataError::Augment`] naming the field.
    pub fn new(config: AugmentConfig) -> Result<Self, DataError> {
        let range = |field, ok: bool, value: String, expected| {
            if ok {
                Ok(())
            } else {
                Err(DataError::from(AugmentError {
                    field,
                    value,
                    expected,
                }))
            }
        };
        let AugmentConfig {
            resized_crop,
            crop_padding,
            jitter,
            greyscale,
            cutout,
            ..
        } = config;
        if let Some((min, max)) = resized_crop {
            let ok = min > 0.0 && min <= max && max <= 1.0;
            range(
                "resized_crop",
                ok,
                format!("[{min}, {max}]"),
                "two ascending numbers above 0 and at most 1",
            )?;
        }
        range(
            "crop_padding",
            crop_padding <= MAX_SIDE,
            crop_padding.to_string(),
            "0 to 65536 pixels",
        )?;
        range(
            "jitter",
            (0.0..=1.0).contains(&jitter),
            jitter.to_string(),
            "0 to 1",
        )?;
        range(
            "greyscale",
            (0.0..=1.0).contains(&greyscale),
            greyscale.to_string(),
            "0 to 1",
        )?;
        range(
            "cutout",
            cutout <= MAX_SIDE,
            cutout.to_string(),
            "0 to 65536 pixels",
        )?;
        Ok(Self(config))
    }

    /// The configuration.
    pub fn config(&self) -> &AugmentConfig {
        &self.0
    }

    /// One view of `pixels`, of the same size.
    ///
    /// # Errors
    /// [`DataError::Shape`] when the values do not fill the image's shape.
    pub fn apply(&self, pixels: &Pixels, key: AugmentKey) -> Result<Pixels, DataError> {
        pixels.check()?;
        let mut draws = Draws::new([key.seed, key.epoch, key.index, key.view]);
        let mut view = pixels.clone();
        if let Some(scale) = self.0.resized_crop {
            view = warp::resized_crop(&view, scale, &mut draws);
        }
        if self.0.crop_padding > 0 {
            let shift = |draws: &mut Draws| draws.below(2 * self.0.crop_padding + 1);
            let (down, right) = (shift(&mut draws), shift(&mut draws));
            view = warp::padded_window(&view, self.0.crop_padding, down, right);
        }
        if self.0.flip && draws.chance(0.5) {
            warp::mirror(&mut view);
        }
        if self.0.jitter > 0.0 {
            let brightness = draws.between(1.0 - self.0.jitter, 1.0 + self.0.jitter);
            let contrast = draws.between(1.0 - self.0.jitter, 1.0 + self.0.jitter);
            scale_around(&mut view, 0.0, brightness);
            let mean = mean_luma(&view);
            scale_around(&mut view, mean, contrast);
        }
        if view.channels == 3 && self.0.greyscale > 0.0 && draws.chance(self.0.greyscale) {
            for rgb in view.values.as_chunks_mut::<3>().0 {
                *rgb = [luma(*rgb); 3];
            }
        }
        if self.0.cutout > 0 {
            let (row, column) = (draws.below(view.height), draws.below(view.width));
            warp::cut_out(&mut view, self.0.cutout, row, column);
        }
        Ok(view)
    }
}

/// `centre + factor * (x - centre)`, rounded and clamped.
fn scale_around(view: &mut Pixels, centre: f32, factor: f32) {
    let table: [u8; 256] = std::array::from_fn(|x| to_byte(centre + factor * (x as f32 - centre)));
    for value in &mut view.values {
        *value = table[usize::from(*value)];
    }
}

fn mean_luma(view: &Pixels) -> f32 {
    let sum: u64 = if view.channels == 3 {
        view.values
            .as_chunks::<3>()
            .0
            .iter()
            .map(|&rgb| u64::from(luma(rgb)))
            .sum()
    } else {
        view.values.iter().map(|&x| u64::from(x)).sum()
    };
    // Whole numbers first: the order of a floating-point sum would matter.
    sum as f32 / (view.height * view.width) as f32
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "rounded and clamped to 0..=255"
)]
fn to_byte(x: f32) -> u8 {
    (x + 0.5).clamp(0.0, 255.0) as u8
}

#[cfg(test)]
mod tests;
