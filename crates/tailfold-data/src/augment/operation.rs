//! The operations of AutoAugment and RandAugment, with torchvision's strengths.

use super::{colour, filter, geometry};
use crate::Pixels;

/// One operation, bit-equal to torchvision's on Pillow images with nearest-neighbour resampling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Identity,
    ShearX,
    ShearY,
    TranslateX,
    TranslateY,
    Rotate,
    Brightness,
    Color,
    Contrast,
    Sharpness,
    Posterize,
    Solarize,
    AutoContrast,
    Equalize,
    Invert,
}

impl Operation {
    /// Returns whether the sign of the magnitude is random.
    pub(super) fn is_signed(self) -> bool {
        use Operation::{
            Brightness, Color, Contrast, Rotate, Sharpness, ShearX, ShearY, TranslateX, TranslateY,
        };
        matches!(
            self,
            ShearX
                | ShearY
                | TranslateX
                | TranslateY
                | Rotate
                | Brightness
                | Color
                | Contrast
                | Sharpness
        )
    }

    /// Returns strength number `bin` of `bins` for an image of this size: a slope, pixels, degrees, a difference from
    /// factor 1, bits or a threshold.
    pub(super) fn magnitude(self, bin: usize, bins: usize, height: usize, width: usize) -> f32 {
        /// Largest translation along a side: the policies were searched with up to 150 of 331 pixels.
        fn reach(side: usize) -> f32 {
            colour::to_f32(150.0 / 331.0 * side as f64)
        }
        let upto = |end| linspace(0.0, end, bin, bins);
        match self {
            Self::ShearX | Self::ShearY => upto(0.3),
            Self::TranslateX => upto(reach(width)),
            Self::TranslateY => upto(reach(height)),
            Self::Rotate => upto(30.0),
            Self::Brightness | Self::Color | Self::Contrast | Self::Sharpness => upto(0.9),
            Self::Posterize => 8.0 - (bin as f32 / ((bins - 1) as f32 / 4.0)).round(),
            Self::Solarize => linspace(255.0, 0.0, bin, bins),
            Self::Identity | Self::AutoContrast | Self::Equalize | Self::Invert => 0.0,
        }
    }

    /// Applies the operation; sampled pixels outside the image get the grey value `fill`.
    pub(super) fn apply(self, image: &mut Pixels, magnitude: f32, fill: u8) {
        let slope = f64::from(magnitude);
        // Pillow's enhancements take the factor as f32 after a sum in f64.
        let factor = colour::to_f32(1.0 + slope);
        match self {
            Self::Identity => {}
            Self::ShearX => geometry::affine(image, [1.0, slope, 0.0, 0.0, 1.0, 0.0], fill),
            Self::ShearY => geometry::affine(image, [1.0, 0.0, 0.0, slope, 1.0, 0.0], fill),
            Self::TranslateX => {
                geometry::affine(image, [1.0, 0.0, -slope.trunc(), 0.0, 1.0, 0.0], fill);
            }
            Self::TranslateY => {
                geometry::affine(image, [1.0, 0.0, 0.0, 0.0, 1.0, -slope.trunc()], fill);
            }
            Self::Rotate => geometry::rotate(image, slope, fill),
            Self::Brightness => colour::brightness(image, factor),
            Self::Color => colour::saturation(image, factor),
            Self::Contrast => colour::contrast(image, factor),
            Self::Sharpness => filter::sharpness(image, factor),
            Self::Posterize => colour::posterize(image, magnitude),
            Self::Solarize => colour::solarize(image, magnitude),
            Self::AutoContrast => colour::auto_contrast(image),
            Self::Equalize => colour::equalize(image),
            Self::Invert => colour::map(image, |x| 255 - x),
        }
    }
}

/// `torch.linspace` in f32, which computes each value from the nearer end.
fn linspace(start: f32, end: f32, bin: usize, bins: usize) -> f32 {
    let step = (end - start) / (bins - 1) as f32;
    if bin < bins / 2 {
        start + step * bin as f32
    } else {
        end - step * (bins - 1 - bin) as f32
    }
}
