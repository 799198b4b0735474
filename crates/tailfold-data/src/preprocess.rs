//! Preprocessing from pixels to the network's input.

use std::borrow::Cow;

use image::imageops::{self, FilterType};
use image::{ImageBuffer, Luma, Pixel, Rgb};
use tailfold_spec::{Filter, Preprocess, Resize};

use crate::pixels::check_size;
use crate::{DataError, DataErrorKind, Pixels, PixelsRef};

/// Converts one image to the network's input `[channels, height, width]`, row-major: grey or RGB, resize of the shorter
/// side, centre crop, `(x / 255 - mean) / std` per channel, and channel order blue, green, red if [`Preprocess::bgr`]
/// is set.
///
/// Grey becomes RGB by repetition, and RGB becomes grey by the luma of BT.601, as in Pillow.
///
/// Resize and crop have the geometry of torchvision: the longer side is `int(size * long / short)`, and the first row
/// of the crop is `int(round((height - crop) / 2.0))`, with halves rounded to even; columns likewise.
///
/// # Errors
/// [`DataErrorKind::Configuration`] and [`DataErrorKind::Image`] for contradictory inputs; [`DataErrorKind::Image`]
/// also if the sizes differ and no resize is set; [`DataErrorKind::Limit`] if the image after resizing would be too
/// large.
pub fn preprocess(pixels: &Pixels, preprocess: &Preprocess) -> Result<Vec<f32>, DataError> {
    let normaliser = Normaliser::new(preprocess)?;
    pixels.check()?;
    let fitted = fit(
        Cow::Borrowed(pixels),
        preprocess.channels,
        preprocess.resize,
    )?;
    let (height, width) = (preprocess.height, preprocess.width);
    if preprocess.resize.is_none() && (fitted.height, fitted.width) != (height, width) {
        return Err(wrong_size(fitted.as_pixels(), height, width));
    }
    let mut values = vec![0.0; preprocess.len()];
    normaliser.write(fitted.as_pixels(), &mut values)?;
    Ok(values)
}

/// The last part of [`preprocess()`], for images that already have the right channels and short side: centre crop and
/// `(x / 255 - mean) / std`, by table lookup.
#[derive(Clone, Debug)]
pub struct Normaliser {
    height: usize,
    width: usize,
    /// The normalised value of each byte, per channel of the network's input.
    tables: Vec<[f32; 256]>,
    /// Whether the channel order is reversed: blue, green, red.
    reversed: bool,
}

impl Normaliser {
    /// Computes the tables.
    ///
    /// # Errors
    /// [`DataErrorKind::Configuration`] for an invalid preprocessing.
    pub fn new(preprocess: &Preprocess) -> Result<Self, DataError> {
        preprocess.validate()?;
        let channels = preprocess.mean.iter().zip(&preprocess.std);
        let table = |(mean, std): (&f32, &f32)| {
            std::array::from_fn(|byte| (byte as f32 / 255.0 - mean) / std)
        };
        Ok(Self {
            height: preprocess.height,
            width: preprocess.width,
            tables: channels.map(table).collect(),
            reversed: preprocess.bgr,
        })
    }

    /// Number of values of one image.
    pub fn size(&self) -> usize {
        self.tables.len() * self.height * self.width
    }

    /// Writes the centre crop of `pixels` to `values`, `[channels, height, width]`, row-major.
    ///
    /// # Errors
    /// [`DataErrorKind::Image`] if the number of channels differs, if `values` does not have [`Normaliser::size`]
    /// values, or if the image is smaller than the crop.
    pub fn write(&self, pixels: PixelsRef<'_>, values: &mut [f32]) -> Result<(), DataError> {
        pixels.check()?;
        let channels = self.tables.len();
        if pixels.channels != channels || values.len() != self.size() {
            return Err(DataErrorKind::Image.error(format!(
                "{found} values do not make an image of {height}x{width} pixels with {channels} \
                 channels (1 or 3)",
                found = values.len() / channels * pixels.channels,
                height = self.height,
                width = self.width
            )));
        }
        let rows = pixels.height.checked_sub(self.height);
        let Some((rows, columns)) = rows.zip(pixels.width.checked_sub(self.width)) else {
            return Err(wrong_size(pixels, self.height, self.width));
        };
        let (top, left) = (half(rows), half(columns));
        let planes = values.chunks_exact_mut(self.height * self.width);
        for (channel, (plane, table)) in planes.zip(&self.tables).enumerate() {
            let source = if self.reversed {
                channels - 1 - channel
            } else {
                channel
            };
            for (row, line) in plane.chunks_exact_mut(self.width).enumerate() {
                let start = ((top + row) * pixels.width + left) * channels + source;
                let bytes = pixels.values[start..].iter().step_by(channels);
                for (value, &byte) in line.iter_mut().zip(bytes) {
                    *value = table[usize::from(byte)];
                }
            }
        }
        Ok(())
    }
}

/// Returns half of `rest`, with halves rounded to even, as Python's `round` does.
fn half(rest: usize) -> usize {
    rest / 2 + usize::from(rest % 4 == 3)
}

fn wrong_size(pixels: PixelsRef<'_>, height: usize, width: usize) -> DataError {
    DataErrorKind::Image.error(format!(
        "the image is {found_height}x{found_width} pixels, the network takes {height}x{width} and \
         no resize is set",
        found_height = pixels.height,
        found_width = pixels.width
    ))
}

/// The first part of [`preprocess()`]: conversion to grey or RGB, and the resize of the shorter side.
pub(crate) fn fit(
    pixels: Cow<'_, Pixels>,
    channels: usize,
    resize: Option<Resize>,
) -> Result<Cow<'_, Pixels>, DataError> {
    let converted = convert(pixels, channels);
    match resize {
        Some(resize) => Ok(Cow::Owned(resize_short_side(&converted, resize)?)),
        None => Ok(converted),
    }
}

/// Luma of ITU-R BT.601 in 16-bit fixed point, rounded: bit-equal to Pillow's `convert("L")`, which most training code
/// uses. (The `image` crate's own conversion uses the weights of BT.709.)
pub(crate) fn luma([red, green, blue]: [u8; 3]) -> u8 {
    let sum =
        19_595 * u32::from(red) + 38_470 * u32::from(green) + 7_471 * u32::from(blue) + 0x8000;
    // The weights sum to 2^16, so the shifted sum is at most 255.
    u8::try_from(sum >> 16).unwrap_or(u8::MAX)
}

fn convert(pixels: Cow<'_, Pixels>, channels: usize) -> Cow<'_, Pixels> {
    if pixels.channels == channels {
        return pixels;
    }
    let values = if channels == 3 {
        pixels.values.iter().flat_map(|&grey| [grey; 3]).collect()
    } else {
        let (rgb, _) = pixels.values.as_chunks::<3>();
        rgb.iter().map(|&rgb| luma(rgb)).collect()
    };
    Cow::Owned(Pixels {
        height: pixels.height,
        width: pixels.width,
        channels,
        values,
    })
}

/// Scales the image so that its shorter side has the requested length.
fn resize_short_side(pixels: &Pixels, resize: Resize) -> Result<Pixels, DataError> {
    let short = u64::from(resize.short_side);
    let scale =
        |side: usize| short.saturating_mul(side as u64) / pixels.height.min(pixels.width) as u64;
    let (height, width) = (scale(pixels.height), scale(pixels.width));
    check_size("the image after resizing", height, width)?;
    let filter = match resize.filter {
        Filter::Bilinear => FilterType::Triangle,
        Filter::Bicubic => FilterType::CatmullRom,
        Filter::Nearest => FilterType::Nearest,
    };
    resized(pixels, height, width, filter)
}

/// Returns the image in another size, with the same channels.
pub(crate) fn resized(
    pixels: &Pixels,
    height: u64,
    width: u64,
    filter: FilterType,
) -> Result<Pixels, DataError> {
    if pixels.channels == 1 {
        resample::<Luma<u8>>(pixels, height, width, filter)
    } else {
        resample::<Rgb<u8>>(pixels, height, width, filter)
    }
}

fn resample<P: Pixel<Subpixel = u8> + 'static>(
    pixels: &Pixels,
    height: u64,
    width: u64,
    filter: FilterType,
) -> Result<Pixels, DataError> {
    let Pixels {
        height: rows,
        width: columns,
        channels,
        ..
    } = *pixels;
    let found = pixels.values.len();
    let side = |n: usize| u32::try_from(n).ok();
    // `from_raw` returns `None` only for sides beyond 32 bits, which do not fit in memory.
    let image = side(rows).zip(side(columns)).and_then(|(rows, columns)| {
        ImageBuffer::<P, &[u8]>::from_raw(columns, rows, pixels.values.as_slice())
    });
    let target = u32::try_from(width).ok().zip(u32::try_from(height).ok());
    let (Some(image), Some((width, height))) = (image, target) else {
        return Err(DataErrorKind::Image.error(format!(
            "{found} values do not make an image of {rows}x{columns} pixels with {channels} \
             channels (1 or 3)"
        )));
    };
    let values = imageops::resize(&image, width, height, filter).into_raw();
    Ok(Pixels {
        height: height as usize,
        width: width as usize,
        channels,
        values,
    })
}

#[cfg(test)]
mod tests;
