//! Opaque colours of classes, so that shapes below do not shine through.

use plotters::style::RGBColor;

use crate::axis::byte;

/// Class colours by Okabe and Ito, distinguishable with any kind of colour vision.
pub const CLASS_COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(213, 94, 0),
    RGBColor(240, 228, 66),
];

/// The colour of a class mixed with white.
pub(super) fn tint(class: usize, strength: f64) -> RGBColor {
    mixed(CLASS_COLOURS[class % CLASS_COLOURS.len()], 255.0, strength)
}

/// The colour of a class mixed with black.
pub(super) fn dark(class: usize) -> RGBColor {
    mixed(CLASS_COLOURS[class % CLASS_COLOURS.len()], 0.0, 0.6)
}

fn mixed(RGBColor(r, g, b): RGBColor, with: f64, strength: f64) -> RGBColor {
    let mix = |v: u8| byte(strength * f64::from(v) + (1.0 - strength) * with);
    RGBColor(mix(r), mix(g), mix(b))
}
