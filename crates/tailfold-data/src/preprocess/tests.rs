use super::*;

fn image(height: usize, width: usize, channels: usize, values: &[u8]) -> Pixels {
    Pixels {
        height,
        width,
        channels,
        values: values.to_vec(),
    }
}

fn plain(channels: usize, height: usize, width: usize) -> Preprocess {
    Preprocess {
        channels,
        height,
        width,
        bgr: false,
        resize: None,
        mean: vec![0.0; channels],
        std: vec![1.0; channels],
    }
}

#[test]
fn planes_are_normalised_by_channel() {
    // 3x2 pixels: red 0..=5 fifths of 255, green 255, blue 0.
    let values: Vec<u8> = (0..6).flat_map(|i| [51 * i, 255, 0]).collect();
    let how = Preprocess {
        mean: vec![0.0, 0.5, 0.25],
        std: vec![1.0, 0.5, 0.25],
        ..plain(3, 3, 2)
    };
    let out = preprocess(&image(3, 2, 3, &values), &how).unwrap();
    assert_eq!(out[..6], [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]);
    assert_eq!(out[6..12], [1.0; 6]);
    assert_eq!(out[12..], [-1.0; 6]);
}

#[test]
fn grey_is_repeated_and_colour_becomes_luma() {
    let grey = image(3, 2, 1, &[0, 51, 102, 153, 204, 255]);
    let out = preprocess(&grey, &plain(3, 3, 2)).unwrap();
    assert_eq!(out, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0].repeat(3));
    // 0.299, 0.587 and 0.114 of 255, rounded.
    for (rgb, expect) in [
        ([255, 0, 0], 76),
        ([0, 255, 0], 150),
        ([0, 0, 255], 29),
        ([255; 3], 255),
        ([7; 3], 7),
    ] {
        assert_eq!(luma(rgb), expect, "{rgb:?}");
    }
    let out = preprocess(
        &image(1, 2, 3, &[255, 0, 0, 255, 255, 255]),
        &plain(1, 1, 2),
    )
    .unwrap();
    assert_eq!(out, [76.0 / 255.0, 1.0]);
}

#[test]
fn short_side_is_resized_and_centre_is_kept() {
    // 3 rows and 2 columns, resized (nearest) to short side 4: 6 x 4, each pixel twice in both directions; the crop of
    // 4 x 2 leaves the middle rows (1..5) and the middle columns (1..3).
    let how = Preprocess {
        bgr: false,
        resize: Some(Resize {
            short_side: 4,
            filter: Filter::Nearest,
        }),
        ..plain(1, 4, 2)
    };
    let out = preprocess(&image(3, 2, 1, &[0, 51, 102, 153, 204, 255]), &how).unwrap();
    assert_eq!(out, [0.0, 0.2, 0.4, 0.6, 0.4, 0.6, 0.8, 1.0]);
    // An odd remainder: 3 x 2 cropped to 2 x 2 starts at row 0.
    let how = Preprocess {
        bgr: false,
        resize: Some(Resize {
            short_side: 2,
            filter: Filter::Bicubic,
        }),
        ..plain(1, 2, 2)
    };
    let out = preprocess(&image(3, 2, 1, &[0, 51, 102, 153, 204, 255]), &how).unwrap();
    assert_eq!(out, [0.0, 0.2, 0.4, 0.6]);
    // Bilinear: 1 x 2 to 2 x 4, with weights 3/4 and 1/4 between the centres.
    let how = Preprocess {
        bgr: false,
        resize: Some(Resize {
            short_side: 2,
            filter: Filter::Bilinear,
        }),
        ..plain(1, 2, 2)
    };
    let out = preprocess(&image(1, 2, 1, &[0, 204]), &how).unwrap();
    assert_eq!(out, [0.2, 0.6, 0.2, 0.6]);
}

#[test]
fn longer_side_is_rounded_down() {
    let resize = Resize {
        short_side: 3,
        filter: Filter::Nearest,
    };
    let out = resize_short_side(&image(2, 5, 3, &[0; 30]), resize).unwrap();
    assert_eq!((out.height, out.width, out.values.len()), (3, 7, 63));
}

#[test]
fn mismatched_shapes_are_named() {
    let check = |pixels: &Pixels, how: &Preprocess, expect: &str| {
        assert_eq!(preprocess(pixels, how).unwrap_err().to_string(), expect);
    };
    let small = image(3, 2, 1, &[0; 6]);
    check(
        &small,
        &plain(1, 28, 26),
        "the image is 3x2 pixels, the network takes 28x26 and no resize is set",
    );
    check(
        &small,
        &plain(2, 3, 2),
        "preprocess.channels is 2, expected 1 or 3",
    );
    check(
        &image(3, 2, 1, &[0; 5]),
        &plain(1, 3, 2),
        "5 values do not make an image of 3x2 pixels with 1 channels (1 or 3)",
    );
    let long = image(1, 100_000, 1, &[0; 100_000]);
    let how = Preprocess {
        bgr: false,
        resize: Some(Resize {
            short_side: 224,
            filter: Filter::Bicubic,
        }),
        ..plain(1, 224, 224)
    };
    check(
        &long,
        &how,
        "the image after resizing is 224x22400000 pixels, more than 67108864 in all",
    );
}

/// Image size, short side, crop side, size after the resize, first row and column of the crop. Sizes are height, width.
///
/// The last two are results of `_compute_resized_output_size` and `center_crop` of torchvision 0.29.2
/// (transforms/functional.py).
type Geometry = ([usize; 2], u32, usize, [usize; 2], [usize; 2]);

const TORCHVISION: [Geometry; 17] = [
    ([427, 640], 256, 224, [256, 383], [16, 80]),
    ([640, 427], 256, 224, [383, 256], [80, 16]),
    ([480, 640], 256, 224, [256, 341], [16, 58]),
    ([375, 500], 256, 224, [256, 341], [16, 58]),
    ([333, 500], 256, 224, [256, 384], [16, 80]),
    ([500, 334], 256, 224, [383, 256], [80, 16]),
    ([500, 335], 256, 224, [382, 256], [79, 16]),
    ([500, 400], 256, 224, [320, 256], [48, 16]),
    ([1200, 1600], 256, 224, [256, 341], [16, 58]),
    ([1067, 1600], 256, 224, [256, 383], [16, 80]),
    ([1600, 1065], 232, 224, [348, 232], [62, 4]),
    ([299, 299], 299, 299, [299, 299], [0, 0]),
    ([225, 224], 224, 224, [225, 224], [0, 0]),
    ([227, 226], 224, 224, [224, 224], [0, 0]),
    ([400, 301], 225, 224, [299, 225], [38, 0]),
    ([512, 768], 342, 299, [342, 513], [22, 107]),
    ([768, 511], 342, 299, [514, 342], [108, 22]),
];

#[test]
fn resize_and_crop_have_torchvision_geometry() {
    for ([height, width], short_side, side, resized, [top, left]) in TORCHVISION {
        let photo = image(height, width, 1, &vec![0; height * width]);
        let filter = Filter::Nearest;
        let mut small = resize_short_side(&photo, Resize { short_side, filter }).unwrap();
        assert_eq!([small.height, small.width], resized, "{height}x{width}");
        // One white pixel at the first row and column of the crop.
        small.values[top * small.width + left] = 255;
        let normaliser = Normaliser::new(&plain(1, side, side)).unwrap();
        let mut values = vec![0.0; side * side];
        normaliser.write(small.as_pixels(), &mut values).unwrap();
        let white = (0..values.len()).filter(|&i| values[i] > 0.0);
        assert_eq!(white.collect::<Vec<_>>(), [0], "{height}x{width}");
    }
}
