//! An image in memory.

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder as _};
use tailfold_spec::artifact;

use crate::{DataError, DataErrorKind};

/// Largest number of pixels of an image: an image that claims more is refused before anything is allocated.
pub const MAX_PIXELS: u64 = 1 << 26;

/// Largest size in bytes of an image file.
pub(crate) const MAX_FILE_BYTES: u64 = 1 << 28;

/// An image: `values` is row-major `[height, width, channels]`, channels 1 (grey) or 3 (red, green, blue).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pixels {
    /// Height in pixels.
    pub height: usize,
    /// Width in pixels.
    pub width: usize,
    /// Number of channels, 1 or 3.
    pub channels: usize,
    /// `[height, width, channels]`, row-major.
    pub values: Vec<u8>,
}

/// Borrowed [`Pixels`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PixelsRef<'a> {
    /// Height in pixels.
    pub height: usize,
    /// Width in pixels.
    pub width: usize,
    /// Number of channels, 1 or 3.
    pub channels: usize,
    /// `[height, width, channels]`, row-major.
    pub values: &'a [u8],
}

impl PixelsRef<'_> {
    /// Returns an owned copy.
    pub fn to_pixels(self) -> Pixels {
        Pixels {
            height: self.height,
            width: self.width,
            channels: self.channels,
            values: self.values.to_vec(),
        }
    }

    /// Like [`Pixels::check`].
    ///
    /// # Errors
    /// [`DataErrorKind::Image`].
    pub fn check(self) -> Result<(), DataError> {
        let Self {
            height,
            width,
            channels,
            ..
        } = self;
        let found = self.values.len();
        let filled = height
            .checked_mul(width)
            .and_then(|n| n.checked_mul(channels))
            == Some(found);
        if filled && found > 0 && matches!(channels, 1 | 3) {
            Ok(())
        } else {
            Err(DataErrorKind::Image.error(format!(
                "{found} values do not make an image of {height}x{width} pixels with {channels} \
                 channels (1 or 3)"
            )))
        }
    }
}

impl Pixels {
    /// Borrows the image.
    pub fn as_pixels(&self) -> PixelsRef<'_> {
        PixelsRef {
            height: self.height,
            width: self.width,
            channels: self.channels,
            values: &self.values,
        }
    }

    /// Checks that the values fill the shape, that there is at least one value, and that the image is grey or RGB.
    ///
    /// # Errors
    /// [`DataErrorKind::Image`].
    pub fn check(&self) -> Result<(), DataError> {
        self.as_pixels().check()
    }

    /// SHA-256 in lower-case hexadecimal over height, width and channels (each 8 bytes, little-endian) and the values.
    pub fn sha256(&self) -> String {
        let mut bytes = Vec::with_capacity(24 + self.values.len());
        for dimension in [self.height, self.width, self.channels] {
            bytes.extend((dimension as u64).to_le_bytes());
        }
        bytes.extend(&self.values);
        artifact::sha256(&bytes)
    }

    /// Encodes the image as a PNG; decoding it returns the same pixels.
    ///
    /// # Errors
    /// [`DataErrorKind::Image`], also for sides beyond 32 bits.
    pub fn to_png(&self) -> Result<Vec<u8>, DataError> {
        self.encode(FilterType::Adaptive)
    }

    /// Encodes the image as a PNG with the given filter, at the best compression: the same pixels give the same bytes.
    pub(crate) fn encode(&self, filter: FilterType) -> Result<Vec<u8>, DataError> {
        self.check()?;
        let Self { height, width, .. } = *self;
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| {
            DataErrorKind::Image
                .error(format!(
                    "cannot encode an image of {height}x{width} pixels as PNG"
                ))
                .caused_by(source)
        };
        let rows = u32::try_from(height).map_err(|e| failed(e.into()))?;
        let columns = u32::try_from(width).map_err(|e| failed(e.into()))?;
        let color = if self.channels == 1 {
            ExtendedColorType::L8
        } else {
            ExtendedColorType::Rgb8
        };
        let mut png = Vec::new();
        PngEncoder::new_with_quality(&mut png, CompressionType::Best, filter)
            .write_image(&self.values, columns, rows, color)
            .map_err(|e| failed(e.into()))?;
        Ok(png)
    }
}

/// Returns an error for an image with more than [`MAX_PIXELS`].
pub(crate) fn check_size(name: &str, height: u64, width: u64) -> Result<(), DataError> {
    match height.checked_mul(width) {
        Some(pixels) if pixels <= MAX_PIXELS => Ok(()),
        _ => Err(DataErrorKind::Limit.error(format!(
            "{name} is {height}x{width} pixels, more than {limit} in all",
            limit = MAX_PIXELS
        ))),
    }
}

#[cfg(test)]
mod tests;
