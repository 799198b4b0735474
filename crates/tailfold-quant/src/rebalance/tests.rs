use super::*;

/// Logits of 40 images and 4 classes; no two images are equal.
fn rows() -> Vec<f32> {
    (0..160_u16)
        .map(|i| f32::from(i * 37 % 101) * 0.07)
        .collect()
}

#[test]
fn shift_of_quantized_logits_is_recovered() {
    let planted = [0.5_f32, -0.25, 0.1, -0.35];
    let float = Logits::new(rows(), 4).unwrap();
    let shifted = rows()
        .iter()
        .enumerate()
        .map(|(i, v)| v - planted[i % 4])
        .collect();
    let found = shifts(&float, &Logits::new(shifted, 4).unwrap(), None).unwrap();
    let near = found
        .iter()
        .zip(planted)
        .all(|(a, b)| (a - f64::from(b)).abs() < 1e-3);
    assert!(near, "{found:?}");
}

#[test]
fn images_count_by_their_weight() {
    let float = Logits::new(rows(), 4).unwrap();
    let once: Vec<f64> = (0..40).map(|i| if i < 8 { 1.0 } else { 0.0 }).collect();
    let few = masses(&float, Some(&once));
    let same = masses(&Logits::new(rows()[..32].to_vec(), 4).unwrap(), None);
    assert!(few.iter().zip(same).all(|(a, b)| (a - b).abs() < 1e-12));
    assert!((few.iter().sum::<f64>() - 1.0).abs() < 1e-12);
}

#[test]
fn class_without_mass_gets_finite_shift() {
    let with_dead = |rows: Vec<f32>| {
        let rows: Vec<f32> = rows
            .chunks(4)
            .flat_map(|r| [r[0], r[1], r[2], -1e4])
            .collect();
        Logits::new(rows, 4).unwrap()
    };
    let found = shifts(&with_dead(rows()), &with_dead(rows()), None).unwrap();
    assert!(found.iter().all(|h| h.is_finite()), "{found:?}");
    let living = [found[0] - found[1], found[1] - found[2]];
    assert!(living.iter().all(|d| d.abs() < 1e-3), "{found:?}");
}

#[test]
fn logit_difference_beyond_f32_gives_finite_limits() {
    let float = Logits::new(vec![3e38, -3e38, 0.0], 3).unwrap();
    let quantized = Logits::new(vec![-3e38, 3e38, 0.0], 3).unwrap();
    let limits = LogitErrors::of(&float, &quantized, None).root_mean_squares();
    assert!(limits.iter().all(|limit| limit.is_finite()), "{limits:?}");
    let shifts = limited(vec![1.0, -2.0, 1.0], &limits);
    assert!(shifts.iter().all(|h| h.is_finite()), "{shifts:?}");
}

#[test]
fn infinite_float_logit_leaves_the_correction_out() {
    let float = Logits::new(vec![f32::INFINITY, 0.0, 1.0], 3).unwrap();
    let quantized = Logits::new(vec![2.0, 0.0, 1.0], 3).unwrap();
    let found = shifts(&float, &quantized, None);
    assert!(matches!(found, Err(LeftOut::Solve(_))), "{found:?}");
}

/// Uncertain logits of 40 images over 4 classes, and the same logits with a shift and noise.
fn noisy(shift: [f32; 4], noise: f32) -> [Logits; 2] {
    let answers: Vec<f32> = (0..160_u16)
        .map(|i| f32::from(i * 37 % 101) * 0.01)
        .collect();
    let moved = answers.iter().enumerate().map(|(i, v)| {
        // Noise without a pattern that classes or images share.
        let chance = f32::from(u8::try_from(i * i * 31 % 127).unwrap()) / 63.0 - 1.0;
        v - shift[i % 4] + noise * chance
    });
    let moved = moved.collect();
    [answers, moved].map(|values| Logits::new(values, 4).unwrap())
}

fn trusted(float: &Logits, quantized: &Logits) -> Vec<f64> {
    trust(&LogitErrors::of(float, quantized, None), float)
}

#[test]
fn trust_is_low_for_noise_and_high_for_a_common_shift() {
    let [float, shifted] = noisy([0.5, -0.25, 0.1, -0.35], 0.05);
    assert!(trusted(&float, &shifted).iter().all(|t| *t > 0.9));
    let [float, noise] = noisy([0.0; 4], 0.5);
    let believed = trusted(&float, &noise);
    assert!(believed.iter().all(|t| *t < 0.5), "{believed:?}");
    // One image has no variance to estimate.
    let one = [float, noise].map(|l| Logits::new(l.values()[..4].to_vec(), 4).unwrap());
    assert!(trusted(&one[0], &one[1]).iter().all(|t| *t < 1e-9));
}
