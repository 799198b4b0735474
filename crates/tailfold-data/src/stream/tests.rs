use std::io::{BufReader, Read};

use image::{DynamicImage, ImageFormat};
use proptest::prelude::*;

use super::*;
use crate::Pixels;

/// Returns one image in each format, encoded by the `image` crate.
fn images() -> Vec<Vec<u8>> {
    let picture = DynamicImage::ImageRgb8(image::RgbImage::from_fn(13, 7, |x, y| {
        image::Rgb([x * 19, y * 31, x * y].map(|v| u8::try_from(v % 256).unwrap()))
    }));
    let grey = DynamicImage::ImageLuma8(picture.to_luma8());
    let mut all = Vec::new();
    for (image, format) in [
        (&picture, ImageFormat::Png),
        (&picture, ImageFormat::Jpeg),
        (&picture, ImageFormat::Bmp),
        (&grey, ImageFormat::Pnm),
        (&picture, ImageFormat::WebP),
        #[cfg(feature = "gif-tiff")]
        (&picture, ImageFormat::Gif),
        (&grey, ImageFormat::Jpeg),
        (&picture, ImageFormat::Pnm),
    ] {
        let mut bytes = io::Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).unwrap();
        all.push(bytes.into_inner());
    }
    all.push(b"P5 # a comment\n3\n2\n65535\n123456789012".to_vec());
    all.push(b"P7\nWIDTH 2\nHEIGHT 1\nDEPTH 3\nMAXVAL 255\nTUPLTYPE RGB\nENDHDR\nabcdef".to_vec());
    all.push(b"P6\n1 2\n255\nabcdef".to_vec());
    all.push(b"P4\n9 2\nabcd".to_vec());
    all
}

/// A reader that returns a few bytes at a time.
struct Drip<'a>(&'a [u8], usize);

impl Read for Drip<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let some = buffer.len().min(self.1);
        self.0.read(&mut buffer[..some])
    }
}

#[test]
fn concatenated_images_are_split_again() {
    let all = images();
    let stream = all.concat();
    for bytes in [1, 7, 1 << 20] {
        let source = BufReader::new(Drip(&stream, bytes));
        let found: Vec<Vec<u8>> = ImageStream::new(source).map(Result::unwrap).collect();
        assert_eq!(found, all, "{bytes} bytes at a time");
    }
    // A line break between two images belongs to neither.
    let lines = [&all[3][..], b"\n", &all[0], b"\r\n"].concat();
    let found: Vec<Vec<u8>> = ImageStream::new(&lines[..]).map(Result::unwrap).collect();
    assert_eq!(found, [all[3].clone(), all[0].clone()]);
    assert_eq!(ImageStream::new(&b""[..]).count(), 0);
}

#[test]
fn embedded_thumbnail_is_not_a_separate_image() {
    let images = images();
    let (outer, inner) = (&images[1], &images[5]);
    let mut segment = vec![0xff, 0xe1];
    segment.extend(u16::try_from(inner.len() + 2).unwrap().to_be_bytes());
    segment.extend(inner);
    let nested = [&outer[..2], &segment, &outer[2..]].concat();
    let stream = [&nested[..], &images[0]].concat();
    let found: Vec<Vec<u8>> = ImageStream::new(&stream[..]).map(Result::unwrap).collect();
    assert_eq!(found, [nested, images[0].clone()]);
}

#[test]
fn invalid_image_ends_stream_with_its_offset() {
    let png = Pixels {
        height: 1,
        width: 1,
        channels: 1,
        values: vec![7],
    }
    .to_png()
    .unwrap();
    let check = |tail: &[u8], message: &str| {
        let stream = [&png[..], tail].concat();
        let mut images = ImageStream::new(&stream[..]);
        assert_eq!(images.next().unwrap().unwrap(), png);
        let error = images.next().unwrap().unwrap_err().to_string();
        assert!(
            error.contains(message) && images.next().is_none(),
            "{error}"
        );
    };
    let place = format!("at byte {}", png.len());
    check(b"II*\0\x08\0", "begins like no JPEG");
    check(b"II*\0\x08\0", &place);
    check(b"GIF89a\x01\0", "ends inside image 1");
    check(b"GIFF9a\x01\0\x01\0\0\0\0;", "breaks the rules of GIF");
    check(&png[..20], "ends inside image 1");
    check(b"x", "ends inside image 1");
    check(b"\xff\xd8\xff\xe0\x00\x01", "breaks the rules of JPEG");
    check(b"\x89PNX\r\n\x1a\n", "breaks the rules of PNG");
    check(b"P6\n4294967295 4294967295\n255\n", "claims more than");
    check(
        b"P6\n99999999999999999999 1\n255\n",
        "breaks the rules of PNM",
    );
    check(b"P7\nWIDTH 2\nENDHDR\n", "breaks the rules of PNM");
    check(b"P7\nWIDTH 2", "ends inside image 1");
    check(b"BM\x01\0\0\0", "breaks the rules of BMP");
}

proptest! {
    /// For any bytes, the iterator ends, and no image is longer than the stream.
    #[test]
    fn any_stream_ends(bytes in prop::collection::vec(any::<u8>(), 0..300), which in 0_usize..9, cut in 0_usize..200) {
        let mut stream = images()[which].clone();
        let at = cut % stream.len();
        stream.splice(at.., bytes);
        let mut total = 0;
        for image in ImageStream::new(&stream[..]).filter_map(Result::ok) {
            prop_assert!(!image.is_empty());
            total += image.len();
        }
        prop_assert!(total <= stream.len());
    }
}
