//! Random views of an image for training. The same key gives the same bits on any number of threads.

use crate::draws::Draws;
use crate::pixels::PixelsRef;
use crate::preprocess::luma;
use crate::{DataError, DataErrorKind, Pixels};

mod colour;
mod config;
mod error;
mod filter;
mod geometry;
mod operation;
mod policy;
mod warp;

pub use config::{AugmentConfig, ColourJitter, Policy, RandAugment};
pub use error::AugmentError;

/// The key of one view: it alone determines the view's random draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AugmentKey {
    /// Seed of the run.
    pub seed: u64,
    /// Epoch.
    pub epoch: u64,
    /// Index of the image in the data set.
    pub index: u64,
    /// Number of the view, if an image has several.
    pub view: u64,
}

/// Makes views as a valid [`AugmentConfig`] describes.
#[derive(Clone, Debug, PartialEq)]
pub struct Augmenter(AugmentConfig);

/// Standard deviations of the blur, in pixels.
const BLUR: (f32, f32) = (0.1, 2.0);

impl Augmenter {
    /// Checks every field.
    ///
    /// # Errors
    /// [`DataErrorKind::Configuration`] naming the field.
    pub fn new(config: AugmentConfig) -> Result<Self, DataError> {
        config.check()?;
        Ok(Self(config))
    }

    /// The configuration.
    pub fn config(&self) -> &AugmentConfig {
        &self.0
    }

    /// Returns one view of `pixels` with the same size.
    ///
    /// # Errors
    /// [`DataErrorKind::Image`] when the values do not fill the image's shape.
    pub fn apply(&self, pixels: &Pixels, key: AugmentKey) -> Result<Pixels, DataError> {
        self.view(pixels.as_pixels(), pixels.height, pixels.width, key)
    }

    /// Returns one view of `pixels` with `height` rows and `width` columns: a resized crop if one is configured,
    /// otherwise a window at a random position.
    ///
    /// # Errors
    /// [`DataErrorKind::Image`] when the values do not fill the image's shape, or when the padded image is smaller than
    /// the view.
    pub fn view(
        &self,
        pixels: PixelsRef<'_>,
        height: usize,
        width: usize,
        key: AugmentKey,
    ) -> Result<Pixels, DataError> {
        pixels.check()?;
        let config = &self.0;
        let mut draws = Draws::new([key.seed, key.epoch, key.index, key.view]);
        let mut view = self.window(pixels, height, width, &mut draws)?;
        if config.flip && draws.chance(0.5) {
            warp::mirror(&mut view);
        }
        if let Some(config::Policy::Cifar10) = config.auto_augment {
            policy::auto_augment(&mut view, &policy::CIFAR10, config.fill, &mut draws);
        }
        if let Some(rand) = config.rand_augment {
            policy::rand_augment(&mut view, rand, config.fill, &mut draws);
        }
        if config.jitter > 0.0 {
            let brightness = draws.between(1.0 - config.jitter, 1.0 + config.jitter);
            let contrast = draws.between(1.0 - config.jitter, 1.0 + config.jitter);
            scale_around(&mut view, 0.0, brightness);
            let mean = mean_luma(&view);
            scale_around(&mut view, mean, contrast);
        }
        if let Some(jitter) = config.colour_jitter {
            colour_jitter(&mut view, jitter, &mut draws);
        }
        if view.channels == 3 && config.greyscale > 0.0 && draws.chance(config.greyscale) {
            for rgb in view.values.as_chunks_mut::<3>().0 {
                *rgb = [luma(*rgb); 3];
            }
        }
        if config.blur > 0.0 && draws.chance(config.blur) {
            filter::gaussian_blur(&mut view, draws.between(BLUR.0, BLUR.1));
        }
        if config.cutout > 0 {
            let (row, column) = (draws.below(view.height), draws.below(view.width));
            warp::cut_out(&mut view, config.cutout, row, column);
        }
        Ok(view)
    }

    /// Cuts the view's part out of the image, in the view's size.
    fn window(
        &self,
        pixels: PixelsRef<'_>,
        height: usize,
        width: usize,
        draws: &mut Draws,
    ) -> Result<Pixels, DataError> {
        let padding = self.0.crop_padding;
        let cropped = self
            .0
            .resized_crop
            .map(|scale| warp::resized_crop(pixels, scale, height, width, draws));
        let image = cropped.as_ref().map_or(pixels, Pixels::as_pixels);
        if padding == 0 && (image.height, image.width) == (height, width) {
            return Ok(cropped.unwrap_or_else(|| pixels.to_pixels()));
        }
        let room = |side: usize, view: usize| (side + 2 * padding).checked_sub(view);
        let Some((down, right)) = room(image.height, height).zip(room(image.width, width)) else {
            return Err(DataErrorKind::Image.error(format!(
                "the image is {found_height}x{found_width} pixels, the network takes \
                 {height}x{width} and no resize is set",
                found_height = image.height,
                found_width = image.width
            )));
        };
        let (down, right) = (draws.below(down + 1), draws.below(right + 1));
        Ok(warp::padded_window(
            image, padding, down, right, height, width,
        ))
    }
}

/// Torchvision's `ColorJitter`: draws all factors, then applies them in a random order.
fn colour_jitter(view: &mut Pixels, jitter: ColourJitter, draws: &mut Draws) {
    if !draws.chance(jitter.probability) {
        return;
    }
    let mut order = [0, 1, 2, 3];
    for place in 0..3 {
        order.swap(place, place + draws.below(4 - place));
    }
    let around_one = |draws: &mut Draws, spread: f32| draws.between(1.0 - spread, 1.0 + spread);
    let brightness = around_one(draws, jitter.brightness);
    let contrast = around_one(draws, jitter.contrast);
    let saturation = around_one(draws, jitter.saturation);
    let hue = draws.between(-jitter.hue, jitter.hue);
    for step in order {
        match step {
            0 => colour::brightness(view, brightness),
            1 => colour::contrast(view, contrast),
            2 => colour::saturation(view, saturation),
            _ => colour::hue(view, hue),
        }
    }
}

/// Replaces each value `x` by `centre + factor * (x - centre)`, rounded and clamped.
fn scale_around(view: &mut Pixels, centre: f32, factor: f32) {
    colour::map(view, |x| to_byte(centre + factor * (f32::from(x) - centre)));
}

fn mean_luma(view: &Pixels) -> f32 {
    // An integer sum does not depend on the order of summation.
    colour::luma_sum(view) as f32 / (view.height * view.width) as f32
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
