//! In-place colour operations, equal to Pillow's `ImageEnhance` and `ImageOps`.

use crate::Pixels;
use crate::preprocess::luma;

/// Replaces each value `v` by `new(v)`, through a table.
pub(super) fn map(image: &mut Pixels, new: impl Fn(u8) -> u8) {
    let table = table(new);
    for value in &mut image.values {
        *value = table[usize::from(*value)];
    }
}

/// Returns the table of `new` over all bytes.
fn table(new: impl Fn(u8) -> u8) -> [u8; 256] {
    let mut table = [0; 256];
    for (entry, x) in table.iter_mut().zip(0..=u8::MAX) {
        *entry = new(x);
    }
    table
}

/// Pillow's `Image.blend`: gives `from` for factor 0 and `to` for factor 1, and extrapolates beyond; truncates instead
/// of rounding.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "cutting off is the definition, and the value is within 0..=255"
)]
pub(super) fn blend(from: u8, to: u8, factor: f32) -> u8 {
    let (from, to) = (f32::from(from), f32::from(to));
    (from + factor * (to - from)).clamp(0.0, 255.0) as u8
}

/// Multiplies by `factor`.
pub(super) fn brightness(image: &mut Pixels, factor: f32) {
    map(image, |x| blend(0, x, factor));
}

/// Multiplies the distance from the mean luma by `factor`.
pub(super) fn contrast(image: &mut Pixels, factor: f32) {
    let count = (image.height * image.width) as u64;
    // The mean is rounded half up.
    let mean = (2 * luma_sum(image) + count) / (2 * count);
    let mean = u8::try_from(mean).unwrap_or(u8::MAX);
    map(image, |x| blend(mean, x, factor));
}

/// Sum of the pixels' lumas.
pub(super) fn luma_sum(image: &Pixels) -> u64 {
    if image.channels == 3 {
        let (pixels, _) = image.values.as_chunks::<3>();
        pixels.iter().map(|&rgb| u64::from(luma(rgb))).sum()
    } else {
        image.values.iter().map(|&x| u64::from(x)).sum()
    }
}

/// Multiplies the distance from grey by `factor`; a grey image does not change.
pub(super) fn saturation(image: &mut Pixels, factor: f32) {
    if image.channels == 3 {
        for rgb in image.values.as_chunks_mut::<3>().0 {
            let grey = luma(*rgb);
            *rgb = rgb.map(|x| blend(grey, x, factor));
        }
    }
}

/// Keeps the upper `bits` bits of each value.
pub(super) fn posterize(image: &mut Pixels, bits: f32) {
    let mut mask = 0_u8;
    for bit in 0_u8..8 {
        if f32::from(bit) < bits {
            mask |= 0x80 >> bit;
        }
    }
    map(image, |x| x & mask);
}

/// Inverts the values at or above `threshold`.
pub(super) fn solarize(image: &mut Pixels, threshold: f32) {
    map(
        image,
        |x| {
            if f32::from(x) < threshold { x } else { 255 - x }
        },
    );
}

/// Returns the number of occurrences of each value in channel `channel`.
fn histogram(image: &Pixels, channel: usize) -> [usize; 256] {
    let mut counts = [0; 256];
    for value in image.values[channel..].iter().step_by(image.channels) {
        counts[usize::from(*value)] += 1;
    }
    counts
}

fn map_channel(image: &mut Pixels, channel: usize, new: impl Fn(u8) -> u8) {
    let table = table(new);
    for value in image.values[channel..].iter_mut().step_by(image.channels) {
        *value = table[usize::from(*value)];
    }
}

/// Stretches each channel to 0..=255.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "cutting off is Pillow's definition, and the value is within 0..=255"
)]
pub(super) fn auto_contrast(image: &mut Pixels) {
    for channel in 0..image.channels {
        let counts = histogram(image, channel);
        let low = counts.iter().position(|&n| n > 0).unwrap_or(0);
        let high = counts.iter().rposition(|&n| n > 0).unwrap_or(0);
        if high > low {
            let scale = 255.0 / (high - low) as f64;
            let offset = -(low as f64) * scale;
            map_channel(image, channel, |x| {
                (f64::from(x) * scale + offset).clamp(0.0, 255.0) as u8
            });
        }
    }
}

/// Makes each channel's histogram as uniform as possible.
pub(super) fn equalize(image: &mut Pixels) {
    for channel in 0..image.channels {
        let counts = histogram(image, channel);
        let last = counts.iter().rfind(|&&n| n > 0).copied().unwrap_or(0);
        let step = (image.height * image.width - last) / 255;
        if step == 0 {
            continue;
        }
        let mut below = step / 2;
        let table = counts.map(|n| {
            let shade = u8::try_from(below / step).unwrap_or(u8::MAX);
            below += n;
            shade
        });
        map_channel(image, channel, |x| table[usize::from(x)]);
    }
}

/// Rotates the hue by `factor` of a full turn; a grey image does not change.
///
/// The rotation happens in Pillow's 8-bit HSV, as in torchvision's `adjust_hue` of a Pillow image.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "cut off towards zero and wrapped around the circle, as NumPy does"
)]
pub(super) fn hue(image: &mut Pixels, factor: f32) {
    if image.channels == 3 {
        let turn = (f64::from(factor) * 255.0) as i32 as u8;
        for rgb in image.values.as_chunks_mut::<3>().0 {
            let [hue, saturation, value] = to_hsv(*rgb);
            *rgb = to_rgb([hue.wrapping_add(turn), saturation, value]);
        }
    }
}

/// Pillow's RGB to HSV, with Pillow's mixture of f32 and f64.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "cutting off is the definition, and the values are within 0..=255"
)]
fn to_hsv([red, green, blue]: [u8; 3]) -> [u8; 3] {
    let (most, least) = (red.max(green).max(blue), red.min(green).min(blue));
    if most == least {
        return [0, 0, most];
    }
    let range = f32::from(most - least);
    let saturation = range / f32::from(most);
    let distance = |x: u8| f32::from(most - x) / range;
    let (r, g, b) = (distance(red), distance(green), distance(blue));
    let sector = if red == most {
        b - g
    } else if green == most {
        to_f32(2.0 + f64::from(r) - f64::from(b))
    } else {
        to_f32(4.0 + f64::from(g) - f64::from(r))
    };
    let hue = to_f32((f64::from(sector) / 6.0 + 1.0) % 1.0);
    let byte = |x: f32| (f64::from(x) * 255.0).clamp(0.0, 255.0) as u8;
    [byte(hue), byte(saturation), most]
}

/// Pillow's HSV to RGB.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rounded, and the values are within 0..=255"
)]
fn to_rgb([hue, saturation, value]: [u8; 3]) -> [u8; 3] {
    if saturation == 0 {
        return [value; 3];
    }
    let place = f64::from(hue) * 6.0 / 255.0;
    let sector = place.floor();
    let rest = f64::from(to_f32(place - sector));
    let strength = f64::from(to_f32(f64::from(saturation) / 255.0));
    let shade = |x: f64| (f64::from(value) * x).round().clamp(0.0, 255.0) as u8;
    let low = shade(1.0 - strength);
    let falling = shade(1.0 - strength * rest);
    let rising = shade(1.0 - strength * (1.0 - rest));
    match sector as u8 % 6 {
        0 => [value, rising, low],
        1 => [falling, value, low],
        2 => [low, value, rising],
        3 => [low, falling, value],
        4 => [rising, low, value],
        _ => [value, low, falling],
    }
}

#[expect(clippy::cast_possible_truncation, reason = "rounds to nearest")]
pub(super) fn to_f32(x: f64) -> f32 {
    x as f32
}
