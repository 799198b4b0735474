//! Strict JPEG decoding: `zune-jpeg` alone fills the missing part of a truncated image with grey, without an error.

use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, RgbImage};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::Cause;

/// 1-bits that are inserted before the end marker, as stuffed bytes (ISO/IEC 10918-1, B.1.1.5).
///
/// No Huffman code consists of 1-bits only (C.2), so a decoder that needs more coded data than the file has fails here.
/// If the end marker followed the data directly, the decoder would read 0-bits, which are a valid code, and fill the
/// image with them. The decoder reads at most eight bytes ahead of the current code.
const ONES: [u8; 32] = {
    let mut bytes = [0; 32];
    let mut i = 0;
    while i < bytes.len() {
        bytes[i] = 0xff;
        i += 2;
    }
    bytes
};

const END: [u8; 2] = [0xff, 0xd9];

/// A JPEG with a parsed header.
pub(super) struct Header {
    pub(super) height: u32,
    pub(super) width: u32,
    decoder: JpegDecoder<ZCursor<Vec<u8>>>,
}

impl Header {
    /// Finds the end marker and parses the header.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Cause> {
        let layout = Layout::of(bytes).ok_or("the JPEG has no end marker: it was cut short")?;
        let mut picture = [&bytes[..layout.end], &ONES].concat();
        if layout.is_progressive {
            // The progressive decoder needs the marker after the last scan, and skips stuffed bytes before it.
            picture.extend(END);
        }
        let options = DecoderOptions::default()
            .set_max_width(usize::MAX)
            .set_max_height(usize::MAX);
        let mut decoder = JpegDecoder::new_with_options(ZCursor::new(picture), options);
        decoder.decode_headers()?;
        let (width, height) = decoder.dimensions().ok_or("the JPEG has no frame header")?;
        Ok(Self {
            height: u32::try_from(height)?,
            width: u32::try_from(width)?,
            decoder,
        })
    }

    /// Decodes the image and applies its EXIF orientation; a grey image stays grey, every other image becomes RGB.
    pub(super) fn decode(mut self) -> Result<DynamicImage, Cause> {
        let is_grey = self.decoder.input_colorspace() == Some(ColorSpace::Luma);
        let colours = if is_grey {
            ColorSpace::Luma
        } else {
            ColorSpace::RGB
        };
        // Strict mode starts here: stray bytes between header segments are harmless, but damage in a scan is not.
        let options = *self.decoder.options();
        let options = options
            .set_strict_mode(true)
            .jpeg_set_out_colorspace(colours);
        self.decoder.set_options(options);
        let values = self.decoder.decode()?;
        let (width, height) = (self.width, self.height);
        let image = if is_grey {
            GrayImage::from_raw(width, height, values).map(DynamicImage::ImageLuma8)
        } else {
            RgbImage::from_raw(width, height, values).map(DynamicImage::ImageRgb8)
        };
        let mut image = image.ok_or("the JPEG has fewer pixels than its header claims")?;
        let exif = self.decoder.exif();
        if let Some(turn) = exif.and_then(|exif| Orientation::from_exif_chunk(exif)) {
            image.apply_orientation(turn);
        }
        Ok(image)
    }
}

/// The end marker and the kind of a JPEG, found from its segments.
#[derive(Debug, PartialEq, Eq)]
struct Layout {
    /// Byte offset of the end marker.
    end: usize,
    is_progressive: bool,
}

impl Layout {
    /// Skips segments by their lengths, and coded data up to the next marker (B.1); `None` without an end marker.
    ///
    /// The end marker of a thumbnail lies inside a segment and is skipped with it.
    fn of(bytes: &[u8]) -> Option<Self> {
        let mut is_progressive = false;
        let mut at = 2;
        loop {
            // Skips coded data, stuffed bytes, and stray bytes between segments, which decoders accept.
            at += bytes.get(at..)?.iter().position(|&byte| byte == 0xff)?;
            let place = at;
            at += bytes[at..].iter().position(|&byte| byte != 0xff)?;
            let marker = bytes[at];
            at += 1;
            match marker {
                0xd9 => {
                    return Some(Self {
                        end: place,
                        is_progressive,
                    });
                }
                // Markers without a segment.
                0x00 | 0x01 | 0xd0..=0xd8 => continue,
                0xc2 => is_progressive = true,
                _ => {}
            }
            let length = bytes.get(at..at + 2)?;
            at += usize::from(u16::from_be_bytes([length[0], length[1]])).max(2);
        }
    }
}

#[cfg(test)]
mod tests;
