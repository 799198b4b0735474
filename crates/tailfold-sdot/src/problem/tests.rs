#![expect(clippy::float_cmp, reason = "these quotients are exact")]

use super::*;

#[test]
fn targets_are_normalised_and_checked() {
    let sum: f64 = normalised_target(&[0.5, 0.500_000_5], 2)
        .unwrap()
        .iter()
        .sum();
    assert!((sum - 1.0).abs() < 1e-15);
    let message = |target: &[f64]| normalised_target(target, 2).unwrap_err().to_string();
    assert_eq!(message(&[1.0]), "target masses have 1 values, expected 2");
    assert_eq!(
        message(&[1.0, 0.0]),
        "target mass of class 1 is 0, expected a positive number"
    );
    assert_eq!(
        message(&[-0.5, 1.5]),
        "target mass of class 0 is -0.5, expected a positive number"
    );
    assert_eq!(
        message(&[0.5, f64::NAN]),
        "target mass of class 1 is NaN, expected a positive number"
    );
    assert_eq!(
        message(&[f64::INFINITY, 0.5]),
        "target mass of class 0 is inf, expected a positive number"
    );
    assert_eq!(
        message(&[1.0, 1.0]),
        "the target masses sum to 2, expected 1"
    );
}

#[test]
fn sample_weights_are_normalised_and_checked() {
    let weights = SampleWeights::new(Some(&[1.0, 0.0, 3.0]), 3).unwrap();
    assert_eq!(
        [
            weights.get(0),
            weights.get(1),
            weights.get(2),
            weights.largest()
        ],
        [0.25, 0.0, 0.75, 0.75]
    );
    let equal = SampleWeights::new(None, 4).unwrap();
    assert_eq!([equal.get(3), equal.largest()], [0.25, 0.25]);
    let message = |weights: &[f64]| {
        SampleWeights::new(Some(weights), 2)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(message(&[1.0]), "sample weights have 1 values, expected 2");
    let wanted = "expected a finite number that is not negative";
    assert_eq!(
        message(&[1.0, -1.0]),
        format!("sample weight of row 1 is -1, {wanted}")
    );
    assert_eq!(
        message(&[f64::NAN, 1.0]),
        format!("sample weight of row 0 is NaN, {wanted}")
    );
    assert_eq!(
        message(&[0.0, f64::INFINITY]),
        format!("sample weight of row 1 is inf, {wanted}")
    );
    assert_eq!(message(&[0.0, 0.0]), "the sample weights sum to 0");
    assert_eq!(
        message(&[f64::MAX, f64::MAX]),
        "the sample weights sum to inf"
    );
}

#[test]
fn offsets_must_fit_a_bias() {
    let message = |offsets: &[f64]| {
        check_offsets(offsets, 2, ["offsets", "offset"])
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        check_offsets(&[-3e38, 3e38], 2, ["offsets", "offset"]),
        Ok(())
    );
    assert_eq!(message(&[0.0]), "offsets have 1 values, expected 2");
    assert_eq!(
        message(&[0.0, f64::NAN]),
        "offset of class 1 is NaN, expected a finite f32"
    );
    assert_eq!(
        message(&[0.0, 1e39]),
        "offset of class 1 is 1000000000000000000000000000000000000000, expected a finite f32"
    );
}
