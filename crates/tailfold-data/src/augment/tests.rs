use proptest::prelude::*;

use super::*;

fn image(height: usize, width: usize, channels: usize, values: &[u8]) -> Pixels {
    Pixels {
        height,
        width,
        channels,
        values: values.to_vec(),
    }
}

fn key(seed: u64, epoch: u64, index: u64, view: u64) -> AugmentKey {
    AugmentKey {
        seed,
        epoch,
        index,
        view,
    }
}

fn everything() -> AugmentConfig {
    AugmentConfig {
        resized_crop: Some((0.2, 1.0)),
        crop_padding: 4,
        flip: true,
        jitter: 0.4,
        greyscale: 0.2,
        cutout: 5,
    }
}

fn noise(height: usize, width: usize, channels: usize) -> Pixels {
    let mut draws = Draws::new([5, 0, 0, 0]);
    let values: Vec<u8> = (0..height * width * channels)
        .map(|_| u8::try_from(draws.below(256)).unwrap())
        .collect();
    image(height, width, channels, &values)
}

#[test]
fn the_default_does_nothing() {
    let pixels = noise(3, 5, 3);
    let augmenter = Augmenter::new(AugmentConfig::default()).unwrap();
    assert_eq!(augmenter.apply(&pixels, key(1, 2, 3, 4)).unwrap(), pixels);
}

#[test]
fn threads_change_nothing_and_every_part_of_the_key_something() {
    use rayon::prelude::*;
    let augmenter = Augmenter::new(everything()).unwrap();
    let pixels = noise(12, 9, 3);
    let view = |i: u64| {
        augmenter
            .apply(&pixels, key(1, i / 16, i % 16, i % 2))
            .unwrap()
    };
    let serial: Vec<Pixels> = (0..64).map(view).collect();
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(4)
        .build()
        .unwrap();
    let parallel: Vec<Pixels> = pool.install(|| (0..64).into_par_iter().map(view).collect());
    assert_eq!(serial, parallel);
    let base = augmenter.apply(&pixels, key(1, 1, 1, 1)).unwrap();
    for other in [
        key(2, 1, 1, 1),
        key(1, 2, 1, 1),
        key(1, 1, 2, 1),
        key(1, 1, 1, 2),
    ] {
        assert_ne!(augmenter.apply(&pixels, other).unwrap(), base, "{other:?}");
    }
}

#[test]
fn the_bits_are_fixed() {
    // A change here makes every recorded training run impossible to repeat.
    let augmenter = Augmenter::new(everything()).unwrap();
    let view = augmenter.apply(&noise(8, 6, 3), key(1, 2, 3, 4)).unwrap();
    assert_eq!(&view.sha256()[..16], "07dfdb77ff99165b");
}

#[test]
fn windows_are_padded_with_black() {
    let pixels = image(2, 3, 1, &[1, 2, 3, 4, 5, 6]);
    let window = |padding, down, right| warp::padded_window(&pixels, padding, down, right).values;
    assert_eq!(window(1, 1, 1), [1, 2, 3, 4, 5, 6]);
    assert_eq!(window(1, 0, 0), [0, 0, 0, 0, 1, 2]);
    assert_eq!(window(1, 2, 2), [5, 6, 0, 0, 0, 0]);
    assert_eq!(window(1, 1, 0), [0, 1, 2, 0, 4, 5]);
    assert_eq!(window(9, 0, 9), [0; 6]);
    assert_eq!(window(9, 18, 18), [0; 6]);
}

#[test]
fn mirrors_swap_whole_pixels() {
    let mut pixels = image(2, 3, 3, &(0..18).collect::<Vec<u8>>());
    warp::mirror(&mut pixels);
    assert_eq!(
        pixels.values,
        [6, 7, 8, 3, 4, 5, 0, 1, 2, 15, 16, 17, 12, 13, 14, 9, 10, 11]
    );
}

#[test]
fn holes_are_clipped_at_the_border() {
    let cut = |side, row, column| {
        let mut pixels = image(3, 4, 1, &[9; 12]);
        warp::cut_out(&mut pixels, side, row, column);
        pixels.values
    };
    assert_eq!(cut(2, 0, 0), [0, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9]);
    assert_eq!(cut(2, 1, 2), [9, 0, 0, 9, 9, 0, 0, 9, 9, 9, 9, 9]);
    assert_eq!(cut(3, 2, 3), [9, 9, 9, 9, 9, 9, 0, 0, 9, 9, 0, 0]);
    assert_eq!(cut(1, 1, 1), [9, 9, 9, 9, 9, 0, 9, 9, 9, 9, 9, 9]);
    assert_eq!(cut(99, 1, 1), [0; 12]);
}

#[test]
fn colours_follow_their_definitions() {
    let mut pixels = image(1, 2, 1, &[10, 201]);
    scale_around(&mut pixels, 0.0, 1.5);
    assert_eq!(pixels.values, [15, 255]);
    let mut pixels = image(1, 2, 1, &[10, 30]);
    let mean = mean_luma(&pixels);
    scale_around(&mut pixels, mean, 0.5);
    assert_eq!(pixels.values, [15, 25]);
    let grey = Augmenter::new(AugmentConfig {
        greyscale: 1.0,
        ..AugmentConfig::default()
    })
    .unwrap();
    let out = grey
        .apply(&image(1, 1, 3, &[255, 0, 0]), key(0, 0, 0, 0))
        .unwrap();
    assert_eq!(out.values, [76; 3]);
}

#[test]
fn stretching_interpolates_between_pixel_centres() {
    let pixels = noise(7, 5, 3);
    assert_eq!(warp::stretch(&pixels, 0, 0, 7, 5), pixels);
    // Two of four columns: target centres fall on -0.25 (clamped), 0.25, 0.75 and 1.25 (clamped) of the window.
    let row = image(1, 4, 1, &[0, 100, 200, 40]);
    assert_eq!(warp::stretch(&row, 0, 1, 1, 2).values, [100, 125, 175, 200]);
    let column = image(4, 1, 1, &[0, 100, 200, 40]);
    assert_eq!(
        warp::stretch(&column, 1, 0, 2, 1).values,
        [100, 125, 175, 200]
    );
}

#[test]
fn a_cut_that_never_fits_leaves_the_image() {
    // The whole area of a 1x16 image with an aspect of at most 4/3 would be 4 x 4.
    let pixels = noise(1, 16, 1);
    let whole = AugmentConfig {
        resized_crop: Some((1.0, 1.0)),
        ..AugmentConfig::default()
    };
    assert_eq!(
        Augmenter::new(whole)
            .unwrap()
            .apply(&pixels, key(0, 0, 0, 0))
            .unwrap(),
        pixels
    );
}

#[test]
fn bad_values_are_named() {
    let check = |edit: &dyn Fn(&mut AugmentConfig), expect: &str| {
        let mut config = everything();
        edit(&mut config);
        assert_eq!(Augmenter::new(config).unwrap_err().to_string(), expect);
    };
    let shares = "expected two ascending numbers above 0 and at most 1";
    check(
        &|c| c.resized_crop = Some((0.5, 0.4)),
        &format!("augment.resized_crop is [0.5, 0.4], {shares}"),
    );
    check(
        &|c| c.resized_crop = Some((0.0, 1.0)),
        &format!("augment.resized_crop is [0, 1], {shares}"),
    );
    check(
        &|c| c.resized_crop = Some((f32::NAN, 1.0)),
        &format!("augment.resized_crop is [NaN, 1], {shares}"),
    );
    check(
        &|c| c.jitter = 1.5,
        "augment.jitter is 1.5, expected 0 to 1",
    );
    check(
        &|c| c.greyscale = f32::NAN,
        "augment.greyscale is NaN, expected 0 to 1",
    );
    check(
        &|c| c.crop_padding = 70_000,
        "augment.crop_padding is 70000, expected 0 to 65536 pixels",
    );
    check(
        &|c| c.cutout = usize::MAX,
        &format!(
            "augment.cutout is {}, expected 0 to 65536 pixels",
            usize::MAX
        ),
    );
    let error = serde_json::from_str::<AugmentConfig>(r#"{"cut_out": 3}"#).unwrap_err();
    assert!(
        error.to_string().starts_with("unknown field `cut_out`"),
        "{error}"
    );
    let bad = image(2, 2, 1, &[0; 3]);
    assert!(
        Augmenter::new(everything())
            .unwrap()
            .apply(&bad, key(0, 0, 0, 0))
            .is_err()
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn the_shape_never_changes(h in 1..9_usize, w in 1..9_usize, rgb: bool, padding in 0..12_usize, index: u64) {
        let pixels = noise(h, w, if rgb { 3 } else { 1 });
        let config = AugmentConfig { crop_padding: padding, ..everything() };
        let view = Augmenter::new(config).unwrap().apply(&pixels, key(0, 0, index, 0)).unwrap();
        prop_assert_eq!((view.height, view.width, view.channels), (h, w, pixels.channels));
        prop_assert!(view.check().is_ok());
    }

    #[test]
    fn a_flat_image_stays_flat_when_stretched(h in 1..9_usize, w in 1..9_usize, shade: u8, index: u64) {
        let config = AugmentConfig { resized_crop: Some((0.1, 1.0)), flip: true, ..AugmentConfig::default() };
        let pixels = image(h, w, 1, &vec![shade; h * w]);
        prop_assert_eq!(Augmenter::new(config).unwrap().apply(&pixels, key(0, 0, index, 0)).unwrap(), pixels);
    }
}
