use super::*;
use crate::decode;

#[test]
fn hash_covers_shape() {
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
fn png_encoding_is_lossless() {
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
        assert_eq!(
            decode(&pixels.to_png().unwrap(), "x".as_ref()).unwrap(),
            pixels
        );
    }
    let bad = Pixels {
        height: 2,
        width: 5,
        channels: 1,
        values: vec![0; 9],
    };
    assert!(bad.to_png().is_err());
}
