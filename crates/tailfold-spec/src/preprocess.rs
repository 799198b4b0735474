//! Preprocessing from a decoded image to the network's input, recorded with the model so that no runtime has to
//! guess.

use serde::{Deserialize, Serialize};

/// Resampling filter of a [`Resize`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Filter {
    /// Triangle filter.
    Bilinear,
    /// Catmull-Rom filter.
    Bicubic,
    /// Nearest neighbour.
    Nearest,
}

impl Filter {
    /// Returns the name used on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bilinear => "bilinear",
            Self::Bicubic => "bicubic",
            Self::Nearest => "nearest",
        }
    }
}

/// Resize of the shorter side, before the centre crop to the network's input size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resize {
    /// Length of the shorter side after resizing, in pixels.
    pub short_side: u32,
    /// Resampling filter.
    pub filter: Filter,
}

/// Preprocessing of one image: grey or RGB, resize, centre crop, then `(x / 255 - mean) / std` for each channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preprocess {
    /// 1 (luma) or 3 (RGB).
    pub channels: usize,
    /// Height of the network's input, in pixels.
    pub height: usize,
    /// Width of the network's input, in pixels.
    pub width: usize,
    /// Resize before the crop; without a resize, an image must have exactly the network's size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resize: Option<Resize>,
    /// Whether the channel order is blue, green, red, as in OpenCV; red, green, blue otherwise.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bgr: bool,
    /// `[channels]` in the network's order, on the 0..1 scale.
    pub mean: Vec<f32>,
    /// `[channels]`, on the 0..1 scale.
    pub std: Vec<f32>,
}

/// The preprocessing is invalid.
#[derive(Debug, thiserror::Error, PartialEq)]
#[non_exhaustive]
pub enum PreprocessError {
    /// The channels are neither grey nor RGB.
    #[error("preprocess.channels is {0}, expected 1 or 3")]
    Channels(usize),
    /// The input has no pixels.
    #[error("preprocess asks for an input of {height}x{width} pixels")]
    Empty {
        /// Height in pixels.
        height: usize,
        /// Width in pixels.
        width: usize,
    },
    /// `mean` and `std` need one value per channel.
    #[error("preprocess.{field} has {found} values for {channels} channels")]
    Length {
        /// `mean` or `std`.
        field: &'static str,
        /// Number of values given.
        found: usize,
        /// Number of channels.
        channels: usize,
    },
    /// The value would make every pixel infinite or NaN.
    #[error("preprocess.{field}[{channel}] is {value}")]
    Value {
        /// `mean` or `std`.
        field: &'static str,
        /// Index of the channel.
        channel: usize,
        /// The value.
        value: f32,
    },
    /// The crop does not fit into the resized image.
    #[error(
        "preprocess resizes the short side to {short_side}, too small for a crop of {height}x{width}"
    )]
    Crop {
        /// Short side after resizing.
        short_side: u32,
        /// Height of the crop in pixels.
        height: usize,
        /// Width of the crop in pixels.
        width: usize,
    },
}

impl Preprocess {
    /// Checks that every image can be resized and cropped to the input, and that no pixel becomes infinite.
    ///
    /// # Errors
    /// [`PreprocessError`] naming the field.
    pub fn validate(&self) -> Result<(), PreprocessError> {
        if !matches!(self.channels, 1 | 3) {
            return Err(PreprocessError::Channels(self.channels));
        }
        if self.height == 0 || self.width == 0 {
            return Err(PreprocessError::Empty {
                height: self.height,
                width: self.width,
            });
        }
        for (field, values) in [("mean", &self.mean), ("std", &self.std)] {
            if values.len() != self.channels {
                return Err(PreprocessError::Length {
                    field,
                    found: values.len(),
                    channels: self.channels,
                });
            }
            for (channel, &value) in values.iter().enumerate() {
                if !value.is_finite() || (field == "std" && value <= 0.0) {
                    return Err(PreprocessError::Value {
                        field,
                        channel,
                        value,
                    });
                }
            }
        }
        match self.resize {
            Some(Resize { short_side, .. })
                if (short_side as usize) < self.height.max(self.width) =>
            {
                Err(PreprocessError::Crop {
                    short_side,
                    height: self.height,
                    width: self.width,
                })
            }
            _ => Ok(()),
        }
    }

    /// Number of values of one preprocessed image: channels * height * width.
    pub fn len(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// Returns whether the input has no pixels.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_values_are_named() {
        let good = Preprocess {
            channels: 1,
            height: 28,
            width: 26,
            bgr: false,
            resize: None,
            mean: vec![0.5],
            std: vec![0.25],
        };
        assert_eq!(good.validate(), Ok(()));
        let check = |edit: &dyn Fn(&mut Preprocess), message: &str| {
            let mut bad = good.clone();
            edit(&mut bad);
            assert_eq!(bad.validate().unwrap_err().to_string(), message);
        };
        check(
            &|p| p.channels = 4,
            "preprocess.channels is 4, expected 1 or 3",
        );
        check(
            &|p| p.mean = vec![0.5, 0.5],
            "preprocess.mean has 2 values for 1 channels",
        );
        check(&|p| p.std = vec![0.0], "preprocess.std[0] is 0");
        check(&|p| p.mean = vec![f32::NAN], "preprocess.mean[0] is NaN");
        check(
            &|p| p.width = 0,
            "preprocess asks for an input of 28x0 pixels",
        );
        check(
            &|p| {
                p.resize = Some(Resize {
                    short_side: 27,
                    filter: Filter::Bicubic,
                })
            },
            "preprocess resizes the short side to 27, too small for a crop of 28x26",
        );
    }
}
