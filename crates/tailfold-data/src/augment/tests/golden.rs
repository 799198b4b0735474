//! Golden values of torchvision 0.24 and Pillow 13, written by `tests/judges/augment.py`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::super::operation::Operation;
use super::super::{colour, config, filter, policy};
use super::image;
use crate::Pixels;

/// The strength of each bin, and whether its sign is random.
type Space = BTreeMap<String, (Vec<f32>, bool)>;

#[derive(Deserialize)]
struct Golden {
    images: Vec<(usize, usize, usize, Vec<u8>)>,
    cases: Vec<(String, f64, u8, usize, Vec<u8>)>,
    cube: (f32, Vec<u8>),
    cifar10: Vec<[(String, f32, Option<usize>); 2]>,
    auto_augment: Space,
    rand_augment: Space,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("../../../testdata/augment.json")).unwrap()
}

fn operation(name: &str) -> Option<Operation> {
    let all = policy::RAND.into_iter().chain([Operation::Invert]);
    all.into_iter().find(|o| format!("{o:?}") == name)
}

#[test]
fn operations_are_bit_equal_to_torchvision() {
    let golden = golden();
    let mut changed = BTreeMap::<&str, usize>::new();
    for (name, magnitude, fill, index, expect) in &golden.cases {
        let (height, width, channels, values) = &golden.images[*index];
        let mut view = image(*height, *width, *channels, values);
        let magnitude = colour::to_f32(*magnitude);
        match (operation(name), name.as_str()) {
            (Some(operation), _) => operation.apply(&mut view, magnitude, *fill),
            (None, "hue") => colour::hue(&mut view, magnitude),
            (None, "brightness") => colour::brightness(&mut view, magnitude),
            (None, "contrast") => colour::contrast(&mut view, magnitude),
            (None, "saturation") => colour::saturation(&mut view, magnitude),
            (None, "blur") => filter::gaussian_blur(&mut view, magnitude),
            _ => panic!("{name}"),
        }
        assert_eq!(&view.values, expect, "{name} {magnitude} of image {index}");
        *changed.entry(name).or_default() += usize::from(&view.values != values);
    }
    // Each operation changes at least one image.
    assert_eq!(changed.len(), 19);
    assert!(changed.values().all(|&n| n > 0), "{changed:?}");
}

#[test]
fn hue_matches_pillow_for_all_colours() {
    let shades = || (0..=255).step_by(51);
    let cube: Vec<u8> = shades()
        .flat_map(|r| shades().flat_map(move |g| shades().flat_map(move |b| [r, g, b])))
        .collect();
    let (turn, expect) = golden().cube;
    let mut view = image(12, 18, 3, &cube);
    colour::hue(&mut view, turn);
    assert_eq!(view.values, expect);
}

#[test]
fn policy_matches_torchvision() {
    let expect = golden().cifar10;
    assert_eq!(expect.len(), policy::CIFAR10.len());
    for (found, expect) in policy::CIFAR10.iter().zip(expect) {
        for (found, expect) in found.iter().zip(expect) {
            let (operation, probability, bin) = *found;
            let name = format!("{operation:?}");
            assert_eq!(
                (name, probability, bin),
                (expect.0, expect.1, expect.2.unwrap_or(0))
            );
        }
    }
}

#[test]
fn strengths_match_torchvision() {
    let golden = golden();
    let check = |space: Space, bins: usize, height: usize, width: usize| {
        for (name, (magnitudes, signed)) in space {
            let operation = operation(&name).unwrap();
            assert_eq!(operation.is_signed(), signed, "{name}");
            for bin in 0..bins {
                let expect = if magnitudes.len() == 1 {
                    magnitudes[0]
                } else {
                    magnitudes[bin]
                };
                let found = operation.magnitude(bin, bins, height, width);
                // Torch's last bit depends on the vector extension of the CPU.
                let close = found.to_bits().abs_diff(expect.to_bits()) <= 1;
                assert!(close, "{name} {bin}: {found}, expected {expect}");
            }
        }
    };
    assert_eq!(golden.rand_augment.len(), policy::RAND.len());
    check(golden.auto_augment, 10, 24, 32);
    check(golden.rand_augment, config::BINS, 224, 200);
}

#[test]
fn images_smaller_than_kernel_are_accepted() {
    for (height, width) in [(1, 1), (1, 4), (2, 2), (3, 1)] {
        let pixels = image(height, width, 3, &vec![9; height * width * 3]);
        for operation in policy::RAND {
            let mut view = pixels.clone();
            operation.apply(&mut view, operation.magnitude(30, 31, height, width), 5);
            assert!(view.check().is_ok(), "{operation:?}");
        }
        let mut view: Pixels = pixels.clone();
        filter::gaussian_blur(&mut view, 2.0);
        assert_eq!(view, pixels);
    }
}
