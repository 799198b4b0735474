//! The choice of operations: AutoAugment's table and RandAugment's draw.

use super::config::{BINS, RandAugment};
use super::operation::Operation::{
    self, AutoContrast, Brightness, Color, Contrast, Equalize, Identity, Invert, Posterize, Rotate,
    Sharpness, ShearX, ShearY, Solarize, TranslateX, TranslateY,
};
use crate::Pixels;
use crate::draws::Draws;

/// Number of strengths of AutoAugment.
const AUTO_BINS: usize = 10;

/// An operation, its probability, and its strength from 0 to 9.
type Step = (Operation, f32, usize);

/// AutoAugment's sub-policies for CIFAR-10 (Cubuk et al. 2019, table 7), as in torchvision: two consecutive steps each.
pub(super) const CIFAR10: [[Step; 2]; 25] = [
    [(Invert, 0.1, 0), (Contrast, 0.2, 6)],
    [(Rotate, 0.7, 2), (TranslateX, 0.3, 9)],
    [(Sharpness, 0.8, 1), (Sharpness, 0.9, 3)],
    [(ShearY, 0.5, 8), (TranslateY, 0.7, 9)],
    [(AutoContrast, 0.5, 0), (Equalize, 0.9, 0)],
    [(ShearY, 0.2, 7), (Posterize, 0.3, 7)],
    [(Color, 0.4, 3), (Brightness, 0.6, 7)],
    [(Sharpness, 0.3, 9), (Brightness, 0.7, 9)],
    [(Equalize, 0.6, 0), (Equalize, 0.5, 0)],
    [(Contrast, 0.6, 7), (Sharpness, 0.6, 5)],
    [(Color, 0.7, 7), (TranslateX, 0.5, 8)],
    [(Equalize, 0.3, 0), (AutoContrast, 0.4, 0)],
    [(TranslateY, 0.4, 3), (Sharpness, 0.2, 6)],
    [(Brightness, 0.9, 6), (Color, 0.2, 8)],
    [(Solarize, 0.5, 2), (Invert, 0.0, 0)],
    [(Equalize, 0.2, 0), (AutoContrast, 0.6, 0)],
    [(Equalize, 0.2, 0), (Equalize, 0.6, 0)],
    [(Color, 0.9, 9), (Equalize, 0.6, 0)],
    [(AutoContrast, 0.8, 0), (Solarize, 0.2, 8)],
    [(Brightness, 0.1, 3), (Color, 0.7, 0)],
    [(Solarize, 0.4, 5), (AutoContrast, 0.9, 0)],
    [(TranslateY, 0.9, 9), (TranslateY, 0.7, 9)],
    [(AutoContrast, 0.9, 0), (Solarize, 0.8, 3)],
    [(Equalize, 0.8, 0), (Invert, 0.1, 0)],
    [(TranslateY, 0.7, 9), (AutoContrast, 0.9, 0)],
];

/// The operations that RandAugment draws from.
pub(super) const RAND: [Operation; 14] = [
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
];

/// Applies a random sub-policy of `table`.
pub(super) fn auto_augment(image: &mut Pixels, table: &[[Step; 2]], fill: u8, draws: &mut Draws) {
    for &(operation, probability, bin) in &table[draws.below(table.len())] {
        if draws.chance(probability) {
            apply(operation, image, bin, AUTO_BINS, fill, draws);
        }
    }
}

/// Applies `rand.operations` random operations with the same strength.
pub(super) fn rand_augment(image: &mut Pixels, rand: RandAugment, fill: u8, draws: &mut Draws) {
    for _ in 0..rand.operations {
        let operation = RAND[draws.below(RAND.len())];
        apply(operation, image, rand.magnitude, BINS, fill, draws);
    }
}

fn apply(
    operation: Operation,
    image: &mut Pixels,
    bin: usize,
    bins: usize,
    fill: u8,
    draws: &mut Draws,
) {
    let magnitude = operation.magnitude(bin, bins, image.height, image.width);
    let negative = operation.is_signed() && draws.chance(0.5);
    operation.apply(image, if negative { -magnitude } else { magnitude }, fill);
}
