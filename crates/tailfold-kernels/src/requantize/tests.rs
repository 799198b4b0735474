#![expect(
    unsafe_code,
    clippy::cast_possible_truncation,
    reason = "vectors are read and written through pointers; sums are made from real numbers"
)]

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::lanes::{Isa, Task};

/// Requantizes blocks of sums, in the order of channels, as a kernel does.
struct Requantized<'a> {
    requantize: &'a Requantize,
    sums: &'a [[i32; LANES]],
    codes: &'a mut Vec<[i16; LANES]>,
}

impl Task for Requantized<'_> {
    fn run<L: Lanes>(self) {
        for sums in self.sums {
            let lanes = ORDER.map(|channel| sums[channel]);
            let mut codes = [0; LANES];
            // SAFETY: both arrays have sixteen elements.
            unsafe {
                let found = self.requantize.block(0, 1).codes(L::load(lanes.as_ptr()));
                L::store_codes(found, codes.as_mut_ptr(), LANES);
            }
            self.codes.push(codes);
        }
    }
}

/// Random sums with results on ties, near ties, and far from them.
fn sums(rng: &mut ChaCha8Rng, multiplier: &[f64], offset: &[f64]) -> [i32; LANES] {
    std::array::from_fn(|i| {
        let half = f64::from(rng.random_range(-600..600)) * 0.5;
        let near = ((half - offset[i]) / multiplier[i]).clamp(-2e9, 2e9) as i32;
        match rng.random_range(0..8) {
            0 => rng.random(),
            1 => rng.random_range(-1000..1000),
            _ => near.saturating_add(rng.random_range(-2..=2)),
        }
    })
}

#[test]
fn every_isa_rounds_ties_and_near_ties_by_definition() {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let layers = if cfg!(debug_assertions) { 400 } else { 4000 };
    let mut cases = 0;
    for _ in 0..layers {
        let dyadic = rng.random_bool(0.5);
        let largest: f64 = *[1.0, 300.0, 1e6].get(rng.random_range(0..3)).unwrap();
        let multiplier: Vec<f64> = (0..LANES)
            .map(|_| {
                let scale = 10.0_f64.powf(rng.random_range(-7.0..1.0));
                if dyadic {
                    scale.log2().round().exp2()
                } else {
                    scale
                }
            })
            .collect();
        let offset: Vec<f64> = (0..LANES)
            .map(|_| {
                let value: f64 = rng.random_range(-largest..largest);
                if dyadic {
                    (value * 4.0).round() / 4.0
                } else {
                    value
                }
            })
            .collect();
        let clamp = *[[-128, 127], [0, 255], [-255, 0], [-7, 93]]
            .get(rng.random_range(0..4))
            .unwrap();
        let blocks: Vec<_> = (0..64)
            .map(|_| sums(&mut rng, &multiplier, &offset))
            .collect();
        let requantize = Requantize::new(multiplier, offset, clamp)
            .unwrap()
            .within(&[u64::from(i32::MAX.unsigned_abs()); LANES]);
        let expected: Vec<[i16; LANES]> = blocks
            .iter()
            .map(|sums| std::array::from_fn(|i| requantize.code(i, sums[i])))
            .collect();
        for isa in Isa::available() {
            let mut codes = Vec::new();
            isa.run(Requantized {
                requantize: &requantize,
                sums: &blocks,
                codes: &mut codes,
            });
            assert!(codes == expected, "{isa:?} {requantize:?}");
            cases += codes.len() * LANES;
        }
    }
    assert!(cases >= layers * 1000, "only {cases} cases");
}

#[test]
fn ties_round_to_even_and_results_are_clamped() {
    let requantize = Requantize::new(vec![0.5], vec![0.0], [-3, 4]).unwrap();
    let codes: Vec<i16> = [-9, -5, -3, -1, 0, 1, 3, 5, 7, 9, i32::MIN, i32::MAX]
        .map(|sum| requantize.code(0, sum))
        .to_vec();
    assert_eq!(codes, [-3, -2, -2, 0, 0, 0, 2, 2, 4, 4, -3, 4]);
}

#[test]
fn invalid_ratio_length_or_clamp_is_error() {
    let error = |m: Vec<f64>, o: Vec<f64>, clamp| Requantize::new(m, o, clamp).unwrap_err();
    assert_eq!(
        error(vec![1.0, f64::NAN], vec![0.0; 2], [0, 1]).to_string(),
        "channel 1: the ratio of scales, or of bias and scale, is NaN, beyond 1e30"
    );
    let infinite = error(vec![1.0], vec![f64::INFINITY], [0, 1]);
    assert!(matches!(infinite, KernelError::Ratio { channel: 0, .. }));
    let lengths = error(vec![1.0], vec![], [0, 1]);
    assert!(matches!(
        lengths,
        KernelError::Length {
            found: 0,
            expected: 1,
            ..
        }
    ));
    for clamp in [[1, 0], [-256, 0], [0, 256]] {
        let clamp = error(vec![1.0], vec![0.0], clamp);
        assert!(matches!(clamp, KernelError::Clamp { .. }));
    }
}
