//! Shear, translation and rotation with nearest-neighbour sampling, equal to Pillow's.

use crate::Pixels;

/// Pillow's `Image.transform(AFFINE, NEAREST)`: the output pixel (x, y) is the input pixel
/// `(a x + b y + c, d x + e y + f)`, in 16.16 fixed point, or `fill` outside the image. `matrix` is
/// `[a, b, c, d, e, f]`, in pixels.
pub(super) fn affine(image: &mut Pixels, matrix: [f64; 6], fill: u8) {
    let [a, b, c, d, e, f] = matrix;
    // Coordinates refer to pixel centres.
    let across = [fixed(a), fixed(d)];
    let down = [fixed(b), fixed(e)];
    let start = [fixed(c + 0.5 * a + 0.5 * b), fixed(f + 0.5 * d + 0.5 * e)];
    image.values = if image.channels == 3 {
        gather::<3>(image, across, down, start, fill)
    } else {
        gather::<1>(image, across, down, start, fill)
    };
}

/// Rotates by `degrees`, counter-clockwise, around the centre; pixels outside the image become `fill`.
pub(super) fn rotate(image: &mut Pixels, degrees: f64, fill: u8) {
    // The fixed point of `affine` absorbs the last bits of sine and cosine, which differ between platforms.
    let (sin, cos) = (-degrees.to_radians()).sin_cos();
    let (x, y) = (image.width as f64 / 2.0, image.height as f64 / 2.0);
    let c = cos * -x + sin * -y + x;
    let f = -sin * -x + cos * -y + y;
    affine(image, [cos, sin, c, -sin, cos, f], fill);
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "slopes and places within some image sides; a cast saturates"
)]
fn fixed(x: f64) -> i64 {
    (x * 65_536.0 + 0.5).floor() as i64
}

/// Samples the image at `[x, y]` in fixed point: starts at `start`, adds `across` for each column and `down` for each
/// row.
fn gather<const CHANNELS: usize>(
    image: &Pixels,
    across: [i64; 2],
    down: [i64; 2],
    start: [i64; 2],
    fill: u8,
) -> Vec<u8> {
    let (pixels, _) = image.values.as_chunks::<CHANNELS>();
    let inside = |place: i64, side: usize| {
        let place = usize::try_from(place >> 16).ok()?;
        (place < side).then_some(place)
    };
    let mut values = Vec::with_capacity(image.values.len());
    let [mut row_x, mut row_y] = start;
    for _ in 0..image.height {
        let [mut x, mut y] = [row_x, row_y];
        for _ in 0..image.width {
            let pixel = match (inside(x, image.width), inside(y, image.height)) {
                (Some(column), Some(row)) => pixels[row * image.width + column],
                _ => [fill; CHANNELS],
            };
            values.extend(pixel);
            x += across[0];
            y += across[1];
        }
        row_x += down[0];
        row_y += down[1];
    }
    values
}
