use std::error::Error as _;
use std::path::Path;

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder as _};
use proptest::prelude::*;

use super::*;
use crate::{DataError, Pixels, decode};

/// Noise of `height` x `width` pixels in `colour`, encoded as a baseline JPEG.
fn jpeg(width: u32, height: u32, colour: ExtendedColorType) -> Vec<u8> {
    let channels = if colour == ExtendedColorType::L8 {
        1
    } else {
        3
    };
    let values: Vec<u8> = (0..width * height * channels)
        .map(|i| u8::try_from(i.wrapping_mul(2_654_435_761) >> 24).unwrap())
        .collect();
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 90)
        .write_image(&values, width, height, colour)
        .unwrap();
    bytes
}

fn read(bytes: &[u8]) -> Result<Pixels, DataError> {
    decode(bytes, Path::new("x"))
}

/// Returns the pixels as the `image` crate decodes them.
fn by_image(bytes: &[u8]) -> Vec<u8> {
    image::load_from_memory(bytes).unwrap().into_bytes()
}

/// Progressive, 4:2:0, 24 x 20 pixels, ten scans; written by Pillow 13.0.
const PROGRESSIVE: &[u8] = include_bytes!("../../../testdata/progressive.jpg");

#[test]
fn complete_images_match_lenient_decoder() {
    for (width, height) in [(1, 1), (8, 8), (17, 3), (64, 48)] {
        for colour in [ExtendedColorType::L8, ExtendedColorType::Rgb8] {
            let bytes = jpeg(width, height, colour);
            assert_eq!(read(&bytes).unwrap().values, by_image(&bytes));
        }
    }
    assert_eq!(read(PROGRESSIVE).unwrap().values, by_image(PROGRESSIVE));
}

#[test]
fn truncated_jpeg_is_error_with_and_without_end_marker() {
    for whole in [
        jpeg(40, 30, ExtendedColorType::Rgb8),
        jpeg(40, 30, ExtendedColorType::L8),
    ] {
        for end in 1..whole.len() {
            assert!(read(&whole[..end]).is_err(), "{end} of {}", whole.len());
        }
        // Some programs repair a truncated download by appending an end marker. The last bytes are not tested: the
        // missing bits of the last code can be 1-bits there.
        for end in whole.len() / 2..whole.len() - 8 {
            let mended = [&whole[..end], &END].concat();
            assert!(read(&mended).is_err(), "{end} of {}", whole.len());
        }
    }
    for end in 1..PROGRESSIVE.len() {
        assert!(read(&PROGRESSIVE[..end]).is_err(), "{end}");
    }
}

#[test]
fn error_names_missing_end_marker() {
    let whole = jpeg(16, 16, ExtendedColorType::L8);
    let error = read(&whole[..whole.len() - 2]).unwrap_err();
    assert_eq!(
        error.source().unwrap().to_string(),
        "the JPEG has no end marker: it was cut short"
    );
}

#[test]
fn end_marker_of_thumbnail_is_skipped() {
    let whole = jpeg(24, 24, ExtendedColorType::Rgb8);
    let small = jpeg(8, 8, ExtendedColorType::Rgb8);
    let length = u16::try_from(small.len() + 2).unwrap().to_be_bytes();
    let with_thumbnail = [&whole[..2], b"\xff\xe1", &length, &small, &whole[2..]].concat();
    assert_eq!(read(&with_thumbnail).unwrap(), read(&whole).unwrap());
    for end in (0..with_thumbnail.len()).step_by(11) {
        assert!(read(&with_thumbnail[..end]).is_err(), "{end}");
    }
}

#[test]
fn stray_and_fill_bytes_are_ignored() {
    let whole = jpeg(24, 24, ExtendedColorType::Rgb8);
    let expect = read(&whole).unwrap();
    let end = whole.len() - 2;
    for stray in [&b"\0\0\0"[..], b"\xff\xff", b"\xff\0"] {
        let bytes = [&whole[..end], stray, &END, b"IMG_0001"].concat();
        assert_eq!(read(&bytes).unwrap(), expect, "{stray:x?}");
    }
    // The stray bytes follow the first segment.
    let first = 4 + usize::from(u16::from_be_bytes([whole[4], whole[5]]));
    let bytes = [&whole[..first], b"\0\0\0\0\0\0", &whole[first..]].concat();
    assert_eq!(read(&bytes).unwrap(), expect);
}

proptest! {
    #[test]
    fn damage_never_panics(at in 2..4000_usize, value: u8, progressive: bool) {
        let whole = jpeg(40, 30, ExtendedColorType::Rgb8);
        let mut bytes = if progressive { PROGRESSIVE.to_vec() } else { whole };
        let at = at % bytes.len();
        bytes[at] = value;
        let _ = read(&bytes);
    }
}
