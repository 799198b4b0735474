use proptest::prelude::*;

use super::*;

mod golden;

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
        ..AugmentConfig::default()
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
fn default_changes_nothing() {
    let pixels = noise(3, 5, 3);
    let augmenter = Augmenter::new(AugmentConfig::default()).unwrap();
    assert_eq!(augmenter.apply(&pixels, key(1, 2, 3, 4)).unwrap(), pixels);
}

#[test]
fn views_depend_on_every_part_of_key_and_not_on_threads() {
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
fn view_bits_are_fixed() {
    // A change of these bits makes every recorded training run impossible to repeat.
    let augmenter = Augmenter::new(everything()).unwrap();
    let view = augmenter.apply(&noise(8, 6, 3), key(1, 2, 3, 4)).unwrap();
    assert_eq!(&view.sha256()[..16], "07dfdb77ff99165b");
}

#[test]
fn preset_view_bits_are_fixed() {
    // The presets on 32x32 images, and views with another size than the image.
    let view = |toml: &str, pixels: &Pixels, height, width| {
        let config: AugmentConfig = serde_json::from_str(toml).unwrap();
        let augmenter = Augmenter::new(config).unwrap();
        let views = (0..20).flat_map(|index| {
            let view = augmenter.view(pixels.as_pixels(), height, width, key(1, 2, index, 3));
            view.unwrap().values
        });
        let view = image(
            20 * height,
            width,
            pixels.channels,
            &views.collect::<Vec<_>>(),
        );
        view.sha256()[..16].to_owned()
    };
    let small = noise(32, 32, 3);
    let large = noise(40, 50, 3);
    for (preset, same_size, other_size) in [
        ("cifar", "1b06570725f3f36f", "54ce4a8001a3b2a1"),
        ("sim", "99a567a529524350", "ae2a6d9de89f56f5"),
        ("sim-blur", "431a0970f17e4861", "86a59cb67b9ad3a8"),
        ("rand", "f27e0586124f06d6", "7032c1b5beb2f0e2"),
    ] {
        let config = format!(r#"{{"preset": "{preset}"}}"#);
        assert_eq!(view(&config, &small, 32, 32), same_size, "{preset}");
        assert_eq!(view(&config, &large, 36, 28), other_size, "{preset}");
    }
}

#[test]
fn presets_set_keys_that_are_absent() {
    let read = |text: &str| serde_json::from_str::<AugmentConfig>(text).unwrap();
    let cifar = read(r#"{"preset": "cifar"}"#);
    let expect = AugmentConfig {
        crop_padding: 4,
        flip: true,
        auto_augment: Some(Policy::Cifar10),
        fill: 128,
        cutout: 16,
        ..AugmentConfig::default()
    };
    assert_eq!(cifar, expect);
    let changed = read(r#"{"preset": "cifar", "flip": false, "cutout": 8, "fill": 0}"#);
    let expect = AugmentConfig {
        flip: false,
        cutout: 8,
        fill: 0,
        ..expect
    };
    assert_eq!(changed, expect);
    for preset in ["cifar", "sim", "sim-blur", "rand"] {
        let config = read(&format!(r#"{{"preset": "{preset}"}}"#));
        assert!(Augmenter::new(config.clone()).is_ok());
        // A saved run contains the configuration itself.
        let saved = serde_json::to_string(&config).unwrap();
        assert_eq!(read(&saved), config);
    }
    let error = serde_json::from_str::<AugmentConfig>(r#"{"preset": "simm"}"#).unwrap_err();
    assert!(error.to_string().contains("`simm`"), "{error}");
}

#[test]
fn smaller_view_is_window_of_image() {
    let pixels = noise(9, 7, 3);
    let windows = Augmenter::new(AugmentConfig::default()).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for index in 0..200 {
        let view = windows
            .view(pixels.as_pixels(), 7, 6, key(0, 0, index, 0))
            .unwrap();
        let place = (0..=2).flat_map(|down| (0..=1).map(move |right| (down, right)));
        let place = place.into_iter().find(|&(down, right)| {
            warp::padded_window(pixels.as_pixels(), 0, down, right, 7, 6) == view
        });
        seen.insert(place.expect("a window"));
    }
    assert_eq!(seen.len(), 6);
    let error = windows
        .view(pixels.as_pixels(), 10, 7, key(0, 0, 0, 0))
        .unwrap_err();
    assert_eq!(error.kind(), DataErrorKind::Image);
    let text = error.to_string();
    assert!(
        text.contains("is 9x") && text.contains("takes 10x"),
        "{text}"
    );
}

#[test]
fn colour_jitter_follows_its_probability_and_draws_every_order() {
    let pixels = noise(4, 5, 3);
    let jitter = |probability, hue| {
        Augmenter::new(AugmentConfig {
            colour_jitter: Some(ColourJitter {
                brightness: 0.4,
                contrast: 0.4,
                saturation: 0.4,
                hue,
                probability,
            }),
            ..AugmentConfig::default()
        })
        .unwrap()
    };
    let changed = |augmenter: &Augmenter| {
        let views = (0..1000).map(|i| augmenter.apply(&pixels, key(3, 0, i, 0)).unwrap());
        views.filter(|view| *view != pixels).count()
    };
    // 1000 draws of 0.8: three standard deviations are 38.
    assert!((762..=838).contains(&changed(&jitter(0.8, 0.1))));
    assert_eq!(changed(&jitter(0.0, 0.1)), 0);
    assert_eq!(changed(&jitter(1.0, 0.1)), 1000);
    let grey = noise(4, 5, 1);
    let only_hue = AugmentConfig {
        colour_jitter: Some(ColourJitter {
            hue: 0.5,
            saturation: 1.0,
            ..ColourJitter::default()
        }),
        ..AugmentConfig::default()
    };
    let view = Augmenter::new(only_hue)
        .unwrap()
        .apply(&grey, key(0, 0, 0, 0));
    assert_eq!(view.unwrap(), grey);
}

#[test]
fn windows_are_padded_with_black() {
    let pixels = image(2, 3, 1, &[1, 2, 3, 4, 5, 6]);
    let window = |padding, down, right| {
        warp::padded_window(pixels.as_pixels(), padding, down, right, 2, 3).values
    };
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
fn cutout_is_clipped_at_border() {
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
    assert_eq!(
        warp::stretch(pixels.as_pixels(), [0, 0], [7, 5], [7, 5]),
        pixels
    );
    // Two of four columns: target centres fall on -0.25 (clamped), 0.25, 0.75 and 1.25 (clamped) of the window.
    let row = image(1, 4, 1, &[0, 100, 200, 40]);
    assert_eq!(
        warp::stretch(row.as_pixels(), [0, 1], [1, 2], [1, 4]).values,
        [100, 125, 175, 200]
    );
    let column = image(4, 1, 1, &[0, 100, 200, 40]);
    assert_eq!(
        warp::stretch(column.as_pixels(), [1, 0], [2, 1], [4, 1]).values,
        [100, 125, 175, 200]
    );
}

#[test]
fn crop_that_never_fits_keeps_image() {
    // The full area of a 1x16 image would need 4 x 4 pixels at an aspect ratio of at most 4/3.
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
    check(&|c| c.blur = -0.5, "augment.blur is -0.5, expected 0 to 1");
    let jitter = |edit: &dyn Fn(&mut ColourJitter), expect: &str| {
        let mut jitter = ColourJitter::default();
        edit(&mut jitter);
        check(&|c| c.colour_jitter = Some(jitter), expect);
    };
    jitter(
        &|j| j.hue = 0.6,
        "augment.colour_jitter.hue is 0.6, expected 0 to 0.5",
    );
    jitter(
        &|j| j.probability = 2.0,
        "augment.colour_jitter.probability is 2, expected 0 to 1",
    );
    let rand = |operations, magnitude, expect: &str| {
        let rand = RandAugment {
            operations,
            magnitude,
        };
        check(&|c| c.rand_augment = Some(rand), expect);
    };
    rand(
        2,
        31,
        "augment.rand_augment.magnitude is 31, expected 0 to 30",
    );
    rand(
        0,
        9,
        "augment.rand_augment.operations is 0, expected 1 to 16",
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
    fn shape_never_changes(h in 1..9_usize, w in 1..9_usize, rgb: bool, padding in 0..12_usize, index: u64) {
        let pixels = noise(h, w, if rgb { 3 } else { 1 });
        let config = AugmentConfig { crop_padding: padding, ..everything() };
        let view = Augmenter::new(config).unwrap().apply(&pixels, key(0, 0, index, 0)).unwrap();
        prop_assert_eq!((view.height, view.width, view.channels), (h, w, pixels.channels));
        prop_assert!(view.check().is_ok());
    }

    #[test]
    fn flat_image_stays_flat_when_stretched(h in 1..9_usize, w in 1..9_usize, shade: u8, index: u64) {
        let config = AugmentConfig { resized_crop: Some((0.1, 1.0)), flip: true, ..AugmentConfig::default() };
        let pixels = image(h, w, 1, &vec![shade; h * w]);
        prop_assert_eq!(Augmenter::new(config).unwrap().apply(&pixels, key(0, 0, index, 0)).unwrap(), pixels);
    }
}
