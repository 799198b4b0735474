//! Decodes image files to pixels; a truncated file is an error in every format.

use std::io::Cursor;
use std::path::Path;

use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader};

use crate::pixels::{MAX_FILE_BYTES, check_size};
use crate::stream::ends_inside_image;
use crate::{DataError, DataErrorKind, Pixels, files};

mod jpeg;

/// The cause of a failed decoding.
type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Decodes a JPEG, PNG, BMP, WebP or PNM, and with the feature `gif-tiff` a TIFF or the first frame of a GIF; `name`
/// names the file in messages.
///
/// A grey image keeps one channel, and every other image becomes 8-bit RGB. Alpha is dropped, and the EXIF orientation
/// is applied.
///
/// A truncated image is an error; its missing part is never filled in. A JPEG needs its end marker and every row of
/// blocks. Bytes after the end marker are ignored, because phones append data, and the end marker of an embedded
/// thumbnail is skipped. In a progressive JPEG every scan up to the end marker has to be complete; a file with fewer
/// refining scans is accepted, because ISO/IEC 10918-1 (G.1.1) allows it. A PNG needs its IEND chunk, a GIF its
/// trailer, and a WebP as many bytes as its RIFF header declares.
///
/// # Errors
/// [`DataErrorKind::Limit`] before an image with more than [`MAX_PIXELS`](crate::MAX_PIXELS) is decoded,
/// [`DataErrorKind::Empty`] for no bytes or no pixels, otherwise [`DataErrorKind::Image`].
pub fn decode(bytes: &[u8], name: &Path) -> Result<Pixels, DataError> {
    let nothing = || DataErrorKind::Empty.error(format!("{} holds no image", name.display()));
    if bytes.is_empty() {
        return Err(nothing());
    }
    let failed = |source: Cause| {
        DataErrorKind::Image
            .error(format!("cannot decode {}", name.display()))
            .caused_by(source)
    };
    let accept = |height: u32, width: u32| match (height, width) {
        (0, _) | (_, 0) => Err(nothing()),
        _ => check_size(&name.display().to_string(), height.into(), width.into()),
    };
    let reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|e| failed(e.into()))?;
    let image = match reader.format() {
        Some(ImageFormat::Jpeg) => {
            let header = jpeg::Header::read(bytes).map_err(failed)?;
            accept(header.height, header.width)?;
            header.decode().map_err(failed)?
        }
        format => {
            let mut decoder = reader.into_decoder().map_err(|e| failed(e.into()))?;
            let (width, height) = decoder.dimensions();
            accept(height, width)?;
            // The decoders of these formats stop at the last pixel or fill in the missing part of a truncated image.
            let counted = [ImageFormat::Png, ImageFormat::Gif, ImageFormat::WebP];
            if format.is_some_and(|format| counted.contains(&format)) && ends_inside_image(bytes) {
                return Err(failed("the image was cut short".into()));
            }
            let orientation = decoder.orientation().map_err(|e| failed(e.into()))?;
            let image = DynamicImage::from_decoder(decoder);
            let mut image = image.map_err(|e| failed(e.into()))?;
            image.apply_orientation(orientation);
            image
        }
    };
    let grey = !image.color().has_color();
    let (height, width) = (image.height() as usize, image.width() as usize);
    let (channels, values) = if grey {
        (1, image.into_luma8().into_raw())
    } else {
        (3, image.into_rgb8().into_raw())
    };
    Ok(Pixels {
        height,
        width,
        channels,
        values,
    })
}

/// Reads and decodes one image file, see [`decode`].
///
/// # Errors
/// [`DataError`] naming the file.
pub fn decode_file(path: &Path) -> Result<Pixels, DataError> {
    decode(&files::read_plain(path, MAX_FILE_BYTES)?, path)
}

#[cfg(test)]
mod tests;
