//! Moving pixels: windows, mirror, scaling, holes.

use super::to_byte;
use crate::Pixels;
use crate::draws::Draws;

/// The window of the image's size whose top left corner is `(down, right)` in the image with `padding` black pixels
/// on each side.
pub(super) fn padded_window(image: &Pixels, padding: usize, down: usize, right: usize) -> Pixels {
    let Pixels {
        height,
        width,
        channels,
        ..
    } = *image;
    let mut values = vec![0; image.values.len()];
    let (from, first, columns) = overlap(width, padding, right);
    let (source, target, rows) = overlap(height, padding, down);
    for row in 0..rows {
        let read = ((source + row) * width + from) * channels;
        let write = ((target + row) * width + first) * channels;
        values[write..write + columns * channels]
            .copy_from_slice(&image.values[read..read + columns * channels]);
    }
    Pixels { values, ..*image }
}

/// Along one side: where the window reads from, where it writes to, and how much of the image it sees.
fn overlap(side: usize, padding: usize, shift: usize) -> (usize, usize, usize) {
    let (from, to) = (shift.saturating_sub(padding), padding.saturating_sub(shift));
    if from.max(to) >= side {
        (0, 0, 0)
    } else {
        (from, to, side - from.max(to))
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

/// Blackens a square around `(row, column)`, as far as it is inside the image.
pub(super) fn cut_out(image: &mut Pixels, side: usize, row: usize, column: usize) {
    let Pixels {
        height,
        width,
        channels,
        ..
    } = *image;
    let range = |centre: usize, limit: usize| {
        // The square begins side / 2 before its centre, which may be outside.
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

/// Cuts out a random share of the area and scales it to the image's size; the whole image when no cut of a drawn shape
/// fits in ten attempts.
pub(super) fn resized_crop(image: &Pixels, (min, max): (f32, f32), draws: &mut Draws) -> Pixels {
    let Pixels { height, width, .. } = *image;
    let area = (height * width) as f32;
    for _ in 0..10 {
        let share = area * draws.between(min, max);
        // Uniform on each side of 1 instead of log-uniform: a logarithm's last bit depends on the platform.
        let ratio = draws.between(1.0, 4.0 / 3.0);
        let ratio = if draws.chance(0.5) {
            ratio
        } else {
            1.0 / ratio
        };
        let rows = to_side((share / ratio).sqrt());
        let columns = to_side((share * ratio).sqrt());
        if rows <= height && columns <= width {
            let (top, left) = (
                draws.below(height - rows + 1),
                draws.below(width - columns + 1),
            );
            return stretch(image, top, left, rows, columns);
        }
    }
    image.clone()
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a float to integer cast saturates, and the caller checks the size"
)]
fn to_side(x: f32) -> usize {
    (x.round() as usize).max(1)
}

/// Scales a window to the whole image's size, bilinear between pixel centres.
pub(super) fn stretch(
    image: &Pixels,
    top: usize,
    left: usize,
    rows: usize,
    columns: usize,
) -> Pixels {
    let Pixels {
        height,
        width,
        channels,
        ..
    } = *image;
    let horizontal: Vec<(usize, usize, f32)> = (0..width)
        .map(|x| between(x, width, left, columns))
        .collect();
    let mut values = Vec::with_capacity(image.values.len());
    for y in 0..height {
        let (above, below, down) = between(y, height, top, rows);
        for &(before, after, right) in &horizontal {
            for channel in 0..channels {
                let at = |row: usize, column: usize| {
                    f32::from(image.values[(row * width + column) * channels + channel])
                };
                let upper = at(above, before) + right * (at(above, after) - at(above, before));
                let lower = at(below, before) + right * (at(below, after) - at(below, before));
                values.push(to_byte(upper + down * (lower - upper)));
            }
        }
    }
    Pixels { values, ..*image }
}

/// The two source places that target place `i` of `n` lies between, and its distance from the first.
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
