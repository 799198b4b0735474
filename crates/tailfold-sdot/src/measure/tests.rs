use crate::SolveError;

use super::*;

fn features(points: &[f32], weights: Option<&[f64]>) -> Result<SampledMeasure, SolveError> {
    SampledMeasure::features(points.to_vec(), weights.map(<[f64]>::to_vec), 2)
}

#[test]
fn features_keep_their_points_and_weights() {
    let measure = features(&[1.0, 2.0, 3.0, 4.0], Some(&[5.0, 0.0])).unwrap();
    assert_eq!((measure.len(), measure.dim()), (2, 2));
    assert_eq!(measure.points(), [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(measure.weights(), Some(&[5.0, 0.0][..]));
    assert!(!measure.is_empty());
    assert_eq!(features(&[1.0, 2.0], None).unwrap().weights(), None);
}

#[test]
fn invalid_features_are_named() {
    let check = |points: &[f32], weights: Option<&[f64]>, expect: &str| {
        assert_eq!(features(points, weights).unwrap_err().to_string(), expect);
    };
    let two = [1.0, 2.0, 3.0, 4.0];
    check(&[], None, "the sample is empty");
    check(
        &two[..3],
        None,
        "features have 3 values, not whole rows of 2",
    );
    check(
        &[1.0, 2.0, f32::NAN, 4.0],
        None,
        "feature 0 of row 1 is NaN",
    );
    check(
        &two,
        Some(&[1.0]),
        "sample weights have 1 values, expected 2",
    );
    check(
        &two,
        Some(&[1.0, -1.0]),
        "sample weight of row 1 is -1, expected a finite number that is not negative",
    );
    check(&two, Some(&[0.0, 0.0]), "the sample weights sum to 0");
    let error = SampledMeasure::features(Vec::new(), None, 0).unwrap_err();
    assert_eq!(error.to_string(), "features must have at least one column");
}

#[test]
fn each_part_of_a_mixture_has_its_share() {
    // Parts of different sizes; the weights of one part have a sum other than 1.
    let weighted = features(&[0.0; 6], Some(&[30.0, 10.0, 0.0])).unwrap();
    let equal = features(&[1.0; 20], None).unwrap();
    // The shares are 3 to 1 and do not sum to 1.
    let mixture = SampledMeasure::mixture(&[(6.0, &weighted), (2.0, &equal)]).unwrap();
    assert_eq!((mixture.len(), mixture.dim()), (13, 2));
    assert_eq!(mixture.points()[..6], [0.0; 6]);
    assert_eq!(mixture.points()[6..], [1.0; 20]);
    let weights = mixture.weights().unwrap();
    let expected: Vec<f64> = [0.75 * 0.75, 0.75 * 0.25, 0.0]
        .into_iter()
        .chain([0.025; 10])
        .collect();
    for (row, (found, expected)) in weights.iter().zip(&expected).enumerate() {
        assert!((found - expected).abs() < 1e-15, "row {row}: {found}");
    }
    // In a mixture of a mixture, shares multiply.
    let nested = SampledMeasure::mixture(&[(1.0, &mixture), (1.0, &equal)]).unwrap();
    let first: f64 = nested.weights().unwrap()[..3].iter().sum();
    assert!((first - 0.375).abs() < 1e-15, "{first}");
}

#[test]
fn invalid_mixtures_are_named() {
    let check = |parts: &[(f64, &SampledMeasure)], expect: &str| {
        let error = SampledMeasure::mixture(parts).unwrap_err();
        assert_eq!(error.to_string(), expect);
    };
    let plane = features(&[1.0, 2.0], None).unwrap();
    let line = SampledMeasure::features(vec![1.0], None, 1).unwrap();
    check(&[], "a mixture of no measures");
    for share in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let expect = format!("the share of part 1 is {share}, expected a positive number");
        check(&[(1.0, &plane), (share, &plane)], &expect);
    }
    check(
        &[(f64::MAX, &plane), (f64::MAX, &plane)],
        "the shares of the mixture sum to inf",
    );
    check(
        &[(1.0, &plane), (1.0, &line)],
        "part 1 of the mixture has points of 1 coordinates, part 0 of 2",
    );
}
