//! Geometric operations: windows, mirror, scaling, cutout.

use super::to_byte;
use crate::Pixels;
use crate::draws::Draws;
use crate::pixels::PixelsRef;

/// Returns the window of `height` rows and `width` columns with its top left corner at `(down, right)` in the image
/// with `padding` black pixels on each side.
pub(super) fn padded_window(
    image: PixelsRef<'_>,
    padding: usize,
    down: usize,
    right: usize,
    height: usize,
    width: usize,
) -> Pixels {
    let channels = image.channels;
    let mut values = vec![0; height * width * channels];
    let (from, first, columns) = overlap(image.width, width, padding, right);
    let (source, target, rows) = overlap(image.height, height, padding, down);
    for row in 0..rows {
        let read = ((source + row) * image.width + from) * channels;
        let write = ((target + row) * width + first) * channels;
        values[write..write + columns * channels]
            .copy_from_slice(&image.values[read..read + columns * channels]);
    }
    Pixels {
        height,
        width,
        channels,
        values,
    }
}

/// Along one axis, returns the first pixel read, the first pixel written, and the number of pixels of the image in the
/// window.
fn overlap(side: usize, window: usize, padding: usize, shift: usize) -> (usize, usize, usize) {
    let (from, to) = (shift.saturating_sub(padding), padding.saturating_sub(shift));
    if from >= side || to >= window {
        (0, 0, 0)
    } else {
        (from, to, (side - from).min(window - to))
    }
}

/// Mirrors left and right.
pub(super) fn mirror(image: &mut Pixels) {
    let Pixels {
        width, channels, ..
    } = *image;
    for row in image.values.chunks_exact_mut(width * channels) {
        for column in 0..width / 2 {
            for channel in 0..channels {
                row.swap(
                    column * channels + channel,
                    (width - 1 - column) * channels + channel,
                );
            }
        }
    }
}

/// Blackens the part of a square around `(row, column)` that lies inside the image.
pub(super) fn cut_out(image: &mut Pixels, side: usize, row: usize, column: usize) {
    let Pixels {
        height,
        width,
        channels,
        ..
    } = *image;
    let range = |centre: usize, limit: usize| {
        // The square begins `side / 2` before its centre, possibly outside the image.
        let end = (centre + side).saturating_sub(side / 2).min(limit);
        centre.saturating_sub(side / 2)..end
    };
    for row in range(row, height) {
        let columns = range(column, width);
        image.values
            [(row * width + columns.start) * channels..(row * width + columns.end) * channels]
            .fill(0);
    }
}

/// Cuts out a random share of the area and scales it to `height` by `width`; returns the scaled whole image if no
/// random crop fits in ten attempts.
pub(super) fn resized_crop(
    image: PixelsRef<'_>,
    (min, max): (f32, f32),
    height: usize,
    width: usize,
    draws: &mut Draws,
) -> Pixels {
    let area = (image.height * image.width) as f32;
    for _ in 0..10 {
        let share = area * draws.between(min, max);
        // The ratio is uniform on each side of 1 instead of log-uniform, because the last bit of a logarithm depends on
        // the platform.
        let ratio = draws.between(1.0, 4.0 / 3.0);
        let ratio = if draws.chance(0.5) {
            ratio
        } else {
            1.0 / ratio
        };
        let rows = to_side((share / ratio).sqrt());
        let columns = to_side((share * ratio).sqrt());
        if rows <= image.height && columns <= image.width {
            let (top, left) = (
                draws.below(image.height - rows + 1),
                draws.below(image.width - columns + 1),
            );
            return stretch(image, [top, left], [rows, columns], [height, width]);
        }
    }
    stretch(image, [0, 0], [image.height, image.width], [height, width])
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a float to integer cast saturates, and the caller checks the size"
)]
fn to_side(x: f32) -> usize {
    (x.round() as usize).max(1)
}

/// Scales the window of `[rows, columns]` at `[top, left]` to `[height, width]`, with bilinear interpolation between
/// pixel centres.
pub(super) fn stretch(
    image: PixelsRef<'_>,
    [top, left]: [usize; 2],
    [rows, columns]: [usize; 2],
    [height, width]: [usize; 2],
) -> Pixels {
    let channels = image.channels;
    let horizontal: Vec<(usize, usize, f32)> = (0..width)
        .map(|x| between(x, width, left, columns))
        .map(|(before, after, right)| (before * channels, after * channels, right))
        .collect();
    let line = image.width * channels;
    let mut values = Vec::with_capacity(height * width * channels);
    for y in 0..height {
        let (above, below, down) = between(y, height, top, rows);
        let above = &image.values[above * line..][..line];
        let below = &image.values[below * line..][..line];
        for &(before, after, right) in &horizontal {
            for channel in 0..channels {
                let mix = |line: &[u8]| {
                    let (first, second) = (
                        f32::from(line[before + channel]),
                        f32::from(line[after + channel]),
                    );
                    first + right * (second - first)
                };
                let (upper, lower) = (mix(above), mix(below));
                values.push(to_byte(upper + down * (lower - upper)));
            }
        }
    }
    Pixels {
        height,
        width,
        channels,
        values,
    }
}

/// Returns the two source positions around target position `i` of `n`, and the distance from the first.
#[expect(clippy::cast_possible_truncation, reason = "clamped to the window")]
fn between(i: usize, n: usize, start: usize, length: usize) -> (usize, usize, f32) {
    let place =
        ((i as f32 + 0.5) * (length as f32 / n as f32) - 0.5).clamp(0.0, (length - 1) as f32);
    let first = (place as usize).min(length - 1);
    (
        start + first,
        start + (first + 1).min(length - 1),
        place - first as f32,
    )
}
