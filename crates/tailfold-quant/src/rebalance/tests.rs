use super::*;

/// Logits of 40 images and 4 classes, without any two alike.
fn rows() -> Vec<f32> {
    (0..160_u16)
        .map(|i| f32::from(i * 37 % 101) * 0.07)
        .collect()
}

#[test]
fn a_shift_of_the_logits_is_found_and_taken_back() {
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
fn a_class_that_is_never_thought_of_stays_harmless() {
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
