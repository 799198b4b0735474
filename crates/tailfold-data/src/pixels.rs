//! An image in memory.

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder as _};
use tailfold_spec::artifact;

use crate::{DataError, DataErrorKind};

/// Pixels of one image that are ever decoded: a claim of more is refused before anything is allocated.
pub const MAX_PIXELS: u64 = 1 << 26;

/// Bytes of one image file that are ever read.
pub(crate) const MAX_FILE_BYTES: u64 = 1 << 28;

/// An image: `values` is row-major `[height, width, channels]`, channels 1 (grey) or 3 (red, green, blue).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pixels {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// 1 or 3.
    pub channels: usize,
    /// `[height, width, channels]`, row-major.
    pub values: Vec<u8>,
}

/// [`Pixels`] that lie elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PixelsRef<'a> {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// 1 or 3.
    pub channels: usize,
    /// `[height, width, channels]`, row-major.
    pub values: &'a [u8],
}

impl PixelsRef<'_> {
    /// A copy.
    pub fn to_pixels(self) -> Pixels {
        Pixels {
            height: self.height,
            width: self.width,
            channels: self.channels,
            values: self.values.to_vec(),
        }
    }

    /// As [`Pixels::check`].
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
    /// The image without its memory.
    pub fn as_pixels(&self) -> PixelsRef<'_> {
        PixelsRef {
            height: self.height,
            width: self.width,
            channels: self.channels,
            values: &self.values,
        }
    }

    /// Checks that the values fill the shape, that there is at least one and that the image is grey or RGB.
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

    /// The image as a PNG; decoding it gives the same pixels.
    ///
    /// # Errors
    /// [`DataErrorKind::Image`], also for sides beyond 32 bits.
    pub fn to_png(&self) -> Result<Vec<u8>, DataError> {
        self.encode(FilterType::Adaptive)
    }

    /// A PNG under one of the encoder's filters, at its best compression: the same pixels give the same bytes.
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

/// Refuses more than [`MAX_PIXELS`].
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
