//! The augmentation settings: keys, presets and ranges.

use serde::{Deserialize, Serialize};

use super::AugmentError;
use crate::DataError;

/// The augmentation of an image: its operations run in the order of the keys. The default changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(from = "Keys")]
pub struct AugmentConfig {
    /// Smallest and largest share of the area that is cut out, with an aspect ratio between 3/4 and 4/3, and scaled to
    /// the size of the view (bilinear).
    pub resized_crop: Option<(f32, f32)>,
    /// Width in pixels of the black border that is added before a random window of the view's size is cut out.
    pub crop_padding: usize,
    /// Mirrors left and right with probability 1/2.
    pub flip: bool,
    /// A learned policy, such as AutoAugment.
    pub auto_augment: Option<Policy>,
    /// Randomly drawn operations, all with the same strength.
    pub rand_augment: Option<RandAugment>,
    /// Grey value, in every channel, of the pixels that `auto_augment` and `rand_augment` sample outside the image.
    pub fill: u8,
    /// Brightness and then contrast are multiplied by a factor from `1 - jitter .. 1 + jitter`.
    pub jitter: f32,
    /// Changes of brightness, contrast, saturation and hue, in random order.
    pub colour_jitter: Option<ColourJitter>,
    /// Probability that an RGB image becomes grey; it keeps three channels.
    pub greyscale: f32,
    /// Probability of a Gaussian blur with a standard deviation of 0.1 to 2 pixels.
    pub blur: f32,
    /// Side of a black square whose centre is anywhere in the image; 0 draws no square.
    pub cutout: usize,
}

/// A learned augmentation policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// AutoAugment's 25 sub-policies for CIFAR-10 (Cubuk et al. 2019, table 7), as in torchvision.
    Cifar10,
}

/// RandAugment (Cubuk et al. 2020) over torchvision's 14 operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RandAugment {
    /// Number of operations applied one after the other, 1 to 16.
    pub operations: usize,
    /// Strength of every operation, 0 to 30.
    pub magnitude: usize,
}

/// Brightness, contrast, saturation and hue, applied in random order as torchvision's `ColorJitter`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ColourJitter {
    /// Factor drawn from `1 - brightness .. 1 + brightness`.
    pub brightness: f32,
    /// Factor drawn from `1 - contrast .. 1 + contrast`.
    pub contrast: f32,
    /// Factor drawn from `1 - saturation .. 1 + saturation`.
    pub saturation: f32,
    /// Rotation of the colour circle, drawn from `-hue .. hue`; 0.5 is half a turn.
    pub hue: f32,
    /// Probability that an image is changed at all.
    pub probability: f32,
}

impl Default for ColourJitter {
    fn default() -> Self {
        Self {
            brightness: 0.0,
            contrast: 0.0,
            saturation: 0.0,
            hue: 0.0,
            probability: 1.0,
        }
    }
}

/// Published combinations of settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
enum Preset {
    /// PaCo's and ProCo's view for the classifier on 32x32 images: padded crop, mirroring, AutoAugment, cutout.
    Cifar,
    /// ProCo's contrastive view: resized crop, mirroring, colour jitter, random grey.
    Sim,
    /// PaCo's contrastive view: as `sim`, but with at least a fifth of the area, and blurred with probability 1/2.
    SimBlur,
    /// BCL's view for the classifier on photographs: resized crop, mirroring, RandAugment.
    Rand,
}

impl Preset {
    fn config(self) -> AugmentConfig {
        let sim = AugmentConfig {
            resized_crop: Some((0.08, 1.0)),
            flip: true,
            colour_jitter: Some(ColourJitter {
                brightness: 0.4,
                contrast: 0.4,
                saturation: 0.4,
                hue: 0.1,
                probability: 0.8,
            }),
            greyscale: 0.2,
            ..AugmentConfig::default()
        };
        match self {
            Self::Cifar => AugmentConfig {
                crop_padding: 4,
                flip: true,
                auto_augment: Some(Policy::Cifar10),
                fill: 128,
                cutout: 16,
                ..AugmentConfig::default()
            },
            Self::Sim => sim,
            Self::SimBlur => AugmentConfig {
                resized_crop: Some((0.2, 1.0)),
                blur: 0.5,
                ..sim
            },
            Self::Rand => AugmentConfig {
                resized_crop: Some((0.08, 1.0)),
                flip: true,
                rand_augment: Some(RandAugment {
                    operations: 2,
                    magnitude: 10,
                }),
                fill: 128,
                ..AugmentConfig::default()
            },
        }
    }
}

/// The keys of an augmentation table, before the preset is applied.
#[derive(Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
struct Keys {
    /// Published combination. It sets the default of every other key in this table.
    preset: Option<Preset>,
    /// Smallest and largest share of the area that is cut out, `[0.08, 1.0]` for example. The cut has an aspect ratio between
    /// 3/4 and 4/3 and is scaled to the size of the view. No such cut when absent.
    resized_crop: Option<(f32, f32)>,
    /// Black pixels added on each side before a window of the view's size is cut out at a random place.
    #[cfg_attr(feature = "schema", schemars(extend("default" = AugmentConfig::default().crop_padding)))]
    crop_padding: Option<usize>,
    /// Mirrors left and right with probability 1/2.
    #[cfg_attr(feature = "schema", schemars(extend("default" = AugmentConfig::default().flip)))]
    flip: Option<bool>,
    /// Learned augmentation policy; none when absent.
    auto_augment: Option<Policy>,
    /// Random operations of one strength; none when absent.
    rand_augment: Option<RandAugment>,
    /// Grey value, in every channel, of the pixels that `auto_augment` and `rand_augment` sample outside the image.
    #[cfg_attr(feature = "schema", schemars(extend("default" = AugmentConfig::default().fill)))]
    fill: Option<u8>,
    /// Brightness, then contrast, are multiplied by a factor drawn from `1 - jitter .. 1 + jitter`.
    #[cfg_attr(feature = "schema", schemars(extend("default" = AugmentConfig::default().jitter)))]
    jitter: Option<f32>,
    /// Changes of brightness, contrast, saturation and hue, in random order; none when absent.
    colour_jitter: Option<ColourJitter>,
    /// Probability that an RGB image becomes grey; it keeps three channels.
    #[cfg_attr(feature = "schema", schemars(extend("default" = AugmentConfig::default().greyscale)))]
    greyscale: Option<f32>,
    /// Probability of a Gaussian blur with a standard deviation of 0.1 to 2 pixels.
    #[cfg_attr(feature = "schema", schemars(extend("default" = AugmentConfig::default().blur)))]
    blur: Option<f32>,
    /// Side of a black square with its centre anywhere in the image, in pixels; 0 draws none.
    #[cfg_attr(feature = "schema", schemars(extend("default" = AugmentConfig::default().cutout)))]
    cutout: Option<usize>,
}

impl From<Keys> for AugmentConfig {
    fn from(keys: Keys) -> Self {
        let base = keys.preset.map(Preset::config).unwrap_or_default();
        Self {
            resized_crop: keys.resized_crop.or(base.resized_crop),
            crop_padding: keys.crop_padding.unwrap_or(base.crop_padding),
            flip: keys.flip.unwrap_or(base.flip),
            auto_augment: keys.auto_augment.or(base.auto_augment),
            rand_augment: keys.rand_augment.or(base.rand_augment),
            fill: keys.fill.unwrap_or(base.fill),
            jitter: keys.jitter.unwrap_or(base.jitter),
            colour_jitter: keys.colour_jitter.or(base.colour_jitter),
            greyscale: keys.greyscale.unwrap_or(base.greyscale),
            blur: keys.blur.unwrap_or(base.blur),
            cutout: keys.cutout.unwrap_or(base.cutout),
        }
    }
}

/// Largest padding or cutout in pixels; it keeps sums of sizes far from overflow.
const MAX_SIDE: usize = 1 << 16;

/// Number of strengths of RandAugment, as in torchvision.
pub(super) const BINS: usize = 31;

/// Largest number of operations of RandAugment.
const MAX_OPERATIONS: usize = 16;

impl AugmentConfig {
    /// Checks every field.
    pub(super) fn check(&self) -> Result<(), DataError> {
        fn ensure(
            field: &'static str,
            ok: bool,
            value: impl ToString,
            expected: &'static str,
        ) -> Result<(), DataError> {
            if ok {
                return Ok(());
            }
            let value = value.to_string();
            Err(AugmentError {
                field,
                value,
                expected,
            }
            .into())
        }
        let share =
            |field, value: f32| ensure(field, (0.0..=1.0).contains(&value), value, "0 to 1");
        let side =
            |field, value: usize| ensure(field, value <= MAX_SIDE, value, "0 to 65536 pixels");
        if let Some((min, max)) = self.resized_crop {
            ensure(
                "resized_crop",
                min > 0.0 && min <= max && max <= 1.0,
                format!("[{min}, {max}]"),
                "two ascending numbers above 0 and at most 1",
            )?;
        }
        side("crop_padding", self.crop_padding)?;
        if let Some(rand) = self.rand_augment {
            let (n, m) = (rand.operations, rand.magnitude);
            ensure(
                "rand_augment.operations",
                (1..=MAX_OPERATIONS).contains(&n),
                n,
                "1 to 16",
            )?;
            ensure("rand_augment.magnitude", m < BINS, m, "0 to 30")?;
        }
        share("jitter", self.jitter)?;
        if let Some(jitter) = self.colour_jitter {
            share("colour_jitter.brightness", jitter.brightness)?;
            share("colour_jitter.contrast", jitter.contrast)?;
            share("colour_jitter.saturation", jitter.saturation)?;
            let half = (0.0..=0.5).contains(&jitter.hue);
            ensure("colour_jitter.hue", half, jitter.hue, "0 to 0.5")?;
            share("colour_jitter.probability", jitter.probability)?;
        }
        share("greyscale", self.greyscale)?;
        share("blur", self.blur)?;
        side("cutout", self.cutout)
    }
}
