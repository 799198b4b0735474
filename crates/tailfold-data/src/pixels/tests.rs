use std::fs;

use image::codecs::jpeg::JpegEncoder;

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
fn grey_stays_and_everything_else_becomes_rgb() {
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
fn the_orientation_is_applied() {
    let mut jpeg = Vec::new();
    let values: Vec<u8> = (0..16 * 8)
        .map(|i| if i % 16 < 8 { 250 } else { 5 })
        .collect();
    JpegEncoder::new_with_quality(&mut jpeg, 100)
        .write_image(&values, 16, 8, ExtendedColorType::L8)
        .unwrap();
    // After the start marker: an APP1 segment with one little-endian TIFF entry, 0x0112 = 6 (turn clockwise).
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
fn damage_is_named() {
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
fn a_bomb_is_refused_by_its_header() {
    // 2,000 million pixels claimed by a header without any data.
    let error = read(b"P6 50000 40000 255\n").unwrap_err();
    assert_eq!(
        error.to_string(),
        "x is 40000x50000 pixels, more than 67108864 in all"
    );
}

#[test]
fn the_hash_covers_the_shape() {
    let pixels = Pixels {
        height: 1,
        width: 2,
        channels: 1,
        values: vec![1, 2],
    };
    // printf '\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\1\2' | sha256sum
    assert_eq!(
        pixels.sha256(),
        "c2e5c44e54ac2a3f30d3929635504e216a5cbff923bbdf21135eaa495762c40b"
    );
    let turned = Pixels {
        height: 2,
        width: 1,
        ..pixels.clone()
    };
    assert_ne!(turned.sha256(), pixels.sha256());
}

#[test]
fn shapes_are_checked() {
    let check = |height, width, channels, values: usize| {
        Pixels {
            height,
            width,
            channels,
            values: vec![0; values],
        }
        .check()
        .map_err(|e| e.to_string())
    };
    assert_eq!(check(2, 3, 3, 18), Ok(()));
    let error = "17 values do not make an image of 2x3 pixels with 3 channels (1 or 3)";
    assert_eq!(check(2, 3, 3, 17), Err(error.to_owned()));
    assert!(check(2, 3, 2, 12).is_err());
    assert!(check(0, 3, 1, 0).is_err());
    assert!(check(usize::MAX, 2, 1, 0).is_err());
}

#[test]
fn encoding_loses_nothing() {
    for channels in [1, 3] {
        let values = (0..2 * 5 * channels)
            .map(|i| u8::try_from(7 * i).unwrap())
            .collect();
        let pixels = Pixels {
            height: 2,
            width: 5,
            channels,
            values,
        };
        assert_eq!(read(&pixels.to_png().unwrap()).unwrap(), pixels);
    }
    let bad = Pixels {
        height: 2,
        width: 5,
        channels: 1,
        values: vec![0; 9],
    };
    assert!(bad.to_png().is_err());
}
