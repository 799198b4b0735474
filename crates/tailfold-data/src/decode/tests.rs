use std::fs;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder as _};

use super::*;

fn png(values: &[u8], width: u32, height: u32, color: ExtendedColorType) -> Vec<u8> {
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes)
        .write_image(values, width, height, color)
        .unwrap();
    bytes
}

fn read(bytes: &[u8]) -> Result<Pixels, DataError> {
    decode(bytes, Path::new("x"))
}

#[test]
fn grey_stays_grey_and_other_images_become_rgb() {
    let (h, w) = (2, 3);
    let grey: Vec<u8> = (0..6).collect();
    let rgb: Vec<u8> = (0..18).collect();
    let expect = |channels, values: &[u8]| Pixels {
        height: h,
        width: w,
        channels,
        values: values.to_vec(),
    };
    assert_eq!(
        read(&png(&grey, 3, 2, ExtendedColorType::L8)).unwrap(),
        expect(1, &grey)
    );
    assert_eq!(
        read(&png(&rgb, 3, 2, ExtendedColorType::Rgb8)).unwrap(),
        expect(3, &rgb)
    );
    let with_alpha: Vec<u8> = rgb.chunks(3).flat_map(|p| [p[0], p[1], p[2], 9]).collect();
    assert_eq!(
        read(&png(&with_alpha, 3, 2, ExtendedColorType::Rgba8)).unwrap(),
        expect(3, &rgb)
    );
    let grey_alpha: Vec<u8> = grey.iter().flat_map(|&x| [x, 9]).collect();
    assert_eq!(
        read(&png(&grey_alpha, 3, 2, ExtendedColorType::La8)).unwrap(),
        expect(1, &grey)
    );
    assert_eq!(
        read(b"P5 3 2 255\n\x00\x01\x02\x03\x04\x05").unwrap(),
        expect(1, &grey)
    );
}

#[test]
fn exif_orientation_is_applied() {
    let mut jpeg = Vec::new();
    let values: Vec<u8> = (0..16 * 8)
        .map(|i| if i % 16 < 8 { 250 } else { 5 })
        .collect();
    JpegEncoder::new_with_quality(&mut jpeg, 100)
        .write_image(&values, 16, 8, ExtendedColorType::L8)
        .unwrap();
    // After the start marker: an APP1 segment with one little-endian TIFF entry, 0x0112 = 6 (rotate clockwise).
    let exif =
        b"\xff\xe1\x00\x22Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
    let turned = [&jpeg[..2], exif, &jpeg[2..]].concat();
    let plain = read(&jpeg).unwrap();
    let turned = read(&turned).unwrap();
    assert_eq!(
        (plain.height, plain.width, turned.height, turned.width),
        (8, 16, 16, 8)
    );
    assert_eq!(turned.values[0], plain.values[7 * 16]);
    assert!(turned.values[0] > 200 && turned.values[15 * 8] < 50);
}

#[test]
fn damaged_image_is_error_with_file_name() {
    for bytes in [b"".as_slice(), b"P5 0 0 255\n", b"P6 3 0 255\n"] {
        assert_eq!(read(bytes).unwrap_err().to_string(), "x holds no image");
    }
    let whole = png(&[7; 64], 8, 8, ExtendedColorType::L8);
    for bytes in [
        b"not an image".as_slice(),
        &whole[..20],
        &whole[..whole.len() - 20],
    ] {
        assert_eq!(read(bytes).unwrap_err().to_string(), "cannot decode x");
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("gone.png");
    assert_eq!(
        decode_file(&path).unwrap_err().to_string(),
        format!("cannot read {}", path.display())
    );
    fs::write(&path, &whole).unwrap();
    assert_eq!(decode_file(&path).unwrap().values, [7; 64]);
}

#[test]
fn decompression_bomb_is_refused_by_its_header() {
    // A header that claims 2,000 million pixels, without any data.
    let error = read(b"P6 50000 40000 255\n").unwrap_err();
    assert_eq!(
        error.to_string(),
        "x is 40000x50000 pixels, more than 67108864 in all"
    );
}

/// Returns an image with detail everywhere, so that every part of its file matters; its sides are not multiples of a
/// block.
fn picture() -> DynamicImage {
    let value = |x: u32, y: u32, k: u32| u8::try_from((x * x * k + y * y * (k + 4) + x * y) % 251);
    DynamicImage::ImageRgb8(image::RgbImage::from_fn(61, 43, |x, y| {
        image::Rgb([1, 2, 3].map(|k| value(x, y, k).unwrap()))
    }))
}

fn encoded(format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

#[test]
fn every_format_is_decoded_and_refused_when_truncated() {
    let expect = picture().into_rgb8().into_raw();
    for (format, loses) in [
        (ImageFormat::Jpeg, true),
        (ImageFormat::Png, false),
        (ImageFormat::Bmp, false),
        (ImageFormat::WebP, false),
        (ImageFormat::Pnm, false),
        (ImageFormat::Tiff, false),
        (ImageFormat::Gif, true),
    ] {
        let is_optional = matches!(format, ImageFormat::Tiff | ImageFormat::Gif);
        if is_optional && cfg!(not(feature = "gif-tiff")) {
            continue;
        }
        let whole = encoded(format);
        let pixels = read(&whole).unwrap();
        assert_eq!((pixels.height, pixels.width), (43, 61), "{format:?}");
        assert!(loses || pixels.values == expect, "{format:?}");
        let len = whole.len();
        for end in [len * 6 / 100, len / 2, len * 95 / 100, len - 2] {
            let error = read(&whole[..end]).expect_err(&format!("{format:?}, {end} of {len}"));
            assert_eq!(error.to_string(), "cannot decode x", "{format:?}, {end}");
        }
        // Phones append such bytes.
        let longer = [&whole[..], b"trailing bytes \xff\xd8\xff\xd9"].concat();
        assert_eq!(read(&longer).unwrap(), pixels, "{format:?}");
    }
}

#[test]
#[cfg(feature = "gif-tiff")]
fn first_frame_of_animation_is_decoded() {
    let mut bytes = Vec::new();
    let mut encoder = image::codecs::gif::GifEncoder::new(&mut bytes);
    for grey in [0, 255] {
        let frame = image::RgbaImage::from_pixel(4, 3, image::Rgba([grey, grey, grey, 255]));
        encoder.encode_frame(image::Frame::new(frame)).unwrap();
    }
    drop(encoder);
    assert_eq!(read(&bytes).unwrap().values, [0; 36]);
    assert!(read(&bytes[..bytes.len() - 4]).is_err());
}
