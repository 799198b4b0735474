//! From pixels to the network's input.

use std::borrow::Cow;

use image::imageops::{self, FilterType};
use image::{ImageBuffer, Luma, Pixel, Rgb};
use tailfold_spec::{Filter, Preprocess, Resize};

use crate::pixels::check_size;
use crate::{DataError, Pixels};

/// Brings one image to `[channels, height, width]`, row-major: grey or RGB, resize of the shorter side, centre crop,
/// `(x / 255 - mean) / std` for each channel.
///
/// Grey becomes RGB by repetition, RGB becomes grey by the luma of BT.601, as in Pillow. The longer side after the resize and the first row and
/// column of the crop are rounded down.
///
/// # Errors
/// [`DataError::Preprocess`] and [`DataError::Shape`] for inputs that contradict themselves, [`DataError::ImageSize`]
/// without a resize when the sizes differ, [`DataError::TooManyPixels`] when resizing a very long image would need them.
pub fn preprocess(pixels: &Pixels, preprocess: &Preprocess) -> Result<Vec<f32>, DataError> {
    preprocess.validate()?;
    pixels.check()?;
    let converted = convert(pixels, preprocess.channels);
    let sized = match preprocess.resize {
        Some(resize) => Cow::Owned(resize_short_side(&converted, resize)?),
        None => converted,
    };
    let (height, width) = (preprocess.height, preprocess.width);
    if preprocess.resize.is_none() && (sized.height, sized.width) != (height, width) {
        let (found_height, found_width) = (sized.height, sized.width);
        return Err(DataError::ImageSize {
            found_height,
            found_width,
            height,
            width,
        });
    }
    let top = (sized.height - height) / 2;
    let left = (sized.width - width) / 2;
    let mut values = Vec::with_capacity(preprocess.len());
    for channel in 0..preprocess.channels {
        let (mean, std) = (preprocess.mean[channel], preprocess.std[channel]);
        for row in top..top + height {
            for column in left..left + width {
                let value = sized.values[(row * sized.width + column) * sized.channels + channel];
                values.push((f32::from(value) / 255.0 - mean) / std);
            }
        }
    }
    Ok(values)
}

/// Luma of ITU-R BT.601 in 16-bit fixed point, rounded: bit-equal to Pillow's `convert("L")`, which most training
/// code uses. (The `image` crate's own conversion has the weights of BT.709.)
pub(crate) fn luma([red, green, blue]: [u8; 3]) -> u8 {
    let sum =
        19_595 * u32::from(red) + 38_470 * u32::from(green) + 7_471 * u32::from(blue) + 0x8000;
    // The weights add up to 2^16: the shifted sum is at most 255.
    u8::try_from(sum >> 16).unwrap_or(u8::MAX)
}

fn convert(pixels: &Pixels, channels: usize) -> Cow<'_, Pixels> {
    if pixels.channels == channels {
        return Cow::Borrowed(pixels);
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

/// Scales so that the shorter side has the length asked for.
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
    // `None` only for sides beyond 32 bits, which no memory holds.
    let image = side(rows).zip(side(columns)).and_then(|(rows, columns)| {
        ImageBuffer::<P, &[u8]>::from_raw(columns, rows, pixels.values.as_slice())
    });
    let target = u32::try_from(width).ok().zip(u32::try_from(height).ok());
    let (Some(image), Some((width, height))) = (image, target) else {
        return Err(DataError::Shape {
            height: rows,
            width: columns,
            channels,
            found,
        });
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
