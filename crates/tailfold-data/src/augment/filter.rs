//! Neighbourhood operations (sharpening and blurring), equal to Pillow's.

use super::colour::blend;
use crate::Pixels;

/// Multiplies the distance from a smoothed image by `factor`: below 1 blurs, above 1 sharpens.
pub(super) fn sharpness(image: &mut Pixels, factor: f32) {
    let smooth = smooth(image);
    for (value, smooth) in image.values.iter_mut().zip(smooth) {
        *value = blend(smooth, *value, factor);
    }
}

/// Pillow's `SMOOTH`: a 3x3 kernel with 5 in the middle and 1 around it, divided by 13; the border does not change.
fn smooth(image: &Pixels) -> Vec<u8> {
    let Pixels {
        height,
        width,
        channels,
        ..
    } = *image;
    let mut values = image.values.clone();
    if height < 3 || width < 3 {
        return values;
    }
    let line = width * channels;
    let at = |i: usize| u16::from(image.values[i]);
    for (row, inner) in values
        .chunks_exact_mut(line)
        .enumerate()
        .skip(1)
        .take(height - 2)
    {
        let inner = &mut inner[channels..line - channels];
        for (i, value) in (row * line + channels..).zip(inner) {
            let three = |i: usize| at(i - channels) + at(i) + at(i + channels);
            let sum = three(i - line) + three(i) + three(i + line) + 4 * at(i);
            // An odd divisor has no ties, so integers round as Pillow's floats do.
            *value = u8::try_from((sum + 6) / 13).unwrap_or(u8::MAX);
        }
    }
    values
}

/// Pillow's `GaussianBlur`: three box blurs with a fractional radius along each axis.
pub(super) fn gaussian_blur(image: &mut Pixels, sigma: f32) {
    let radius = box_radius(sigma, PASSES);
    let Pixels {
        height,
        width,
        channels,
        ..
    } = *image;
    let mut line = Vec::new();
    for row in 0..height {
        for channel in 0..channels {
            let start = row * width * channels + channel;
            blur_line(&mut image.values, start, channels, width, radius, &mut line);
        }
    }
    for start in 0..width * channels {
        blur_line(
            &mut image.values,
            start,
            width * channels,
            height,
            radius,
            &mut line,
        );
    }
}

const PASSES: u8 = 3;

/// Radius of the box whose `passes`-fold convolution has standard deviation `sigma` (Gwosdek et al. 2011, "Theoretical
/// foundations of Gaussian convolution by extended box filtering", equations 7, 11 and 14).
fn box_radius(sigma: f32, passes: u8) -> f32 {
    let variance = sigma * sigma / f32::from(passes);
    let length = super::colour::to_f32((12.0 * f64::from(variance) + 1.0).sqrt());
    let whole = super::colour::to_f32(((f64::from(length) - 1.0) / 2.0).floor());
    let share = (2.0 * whole + 1.0) * (whole * (whole + 1.0) - 3.0 * variance)
        / (6.0 * (variance - (whole + 1.0) * (whole + 1.0)));
    whole + share
}

/// Blurs `count` values, `step` apart from `start` on; the end values are repeated beyond the ends. `line` is scratch.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a radius of a few pixels, and weights below 2^24"
)]
fn blur_line(
    values: &mut [u8],
    start: usize,
    step: usize,
    count: usize,
    radius: f32,
    line: &mut Vec<u8>,
) {
    let whole = radius as usize;
    // 8.24 fixed point: the weight of a pixel inside the box, and of the two pixels at the ends of the box.
    let weight = (16_777_216.0 / (radius * 2.0 + 1.0)) as u32;
    let end = (16_777_216 - (2 * whole as u32 + 1) * weight) / 2;
    for _ in 0..PASSES {
        line.clear();
        line.extend((0..count).map(|i| values[start + i * step]));
        let at = |i: usize, offset: usize| {
            let i = (i + offset).saturating_sub(whole + 1).min(count - 1);
            u32::from(line[i])
        };
        for i in 0..count {
            let sum: u32 = (1..=2 * whole + 1).map(|offset| at(i, offset)).sum();
            let far = at(i, 0) + at(i, 2 * whole + 2);
            let value = (sum * weight + far * end + (1 << 23)) >> 24;
            values[start + i * step] = u8::try_from(value).unwrap_or(u8::MAX);
        }
    }
}
