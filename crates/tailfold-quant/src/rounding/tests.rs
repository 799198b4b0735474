use proptest::prelude::*;

use super::*;

/// Returns the second moments of random inputs with similar neighbours.
fn moments(inputs: &[Vec<f64>]) -> DMatrix<f64> {
    let columns: Vec<DVector<f64>> = inputs
        .iter()
        .map(|x| {
            let shared: f64 = x.iter().sum();
            DVector::from_iterator(x.len(), x.iter().map(|v| v + shared))
        })
        .collect();
    let values = DMatrix::from_columns(&columns);
    &values * values.transpose() / columns.len() as f64
}

fn error(quadratic: &Quadratic, row: &[f32], codes: &[i8], scale: f32) -> f64 {
    let errors = row
        .iter()
        .zip(codes)
        .map(|(&w, &c)| f64::from(w) - value(c, scale));
    let errors = DVector::from_iterator(row.len(), errors);
    errors.dot(&(&quadratic.0[0] * &errors))
}

proptest! {
    /// After the descent, no single move gains, and the error is at most the error of rounding to nearest.
    #[test]
    fn no_single_change_lowers_the_error(
        inputs in prop::collection::vec(prop::collection::vec(-1.0_f64..1.0, 6), 12),
        row in prop::collection::vec(-2.0_f32..2.0, 6),
        bits in 4_u8..=8,
    ) {
        let bits = WeightBits::new(bits).unwrap();
        let quadratic = Quadratic::new(vec![moments(&inputs)]);
        let scale = 0.3_f32;
        let codes = descend(&quadratic.0[0], &row, scale, bits);
        let found = error(&quadratic, &row, &codes, scale);
        let nearest: Vec<i8> = row.iter().map(|w| code(w / scale, bits)).collect();
        prop_assert!(found <= error(&quadratic, &row, &nearest, scale) * (1.0 + 1e-9));
        for i in 0..row.len() {
            prop_assert!((f32::from(codes[i]) - row[i] / scale).abs() < 1.0 || codes[i].abs() == bits.largest());
            let Some(other) = other_side(row[i] / scale, codes[i], bits) else { continue };
            let mut changed = codes.clone();
            changed[i] = other;
            prop_assert!(error(&quadratic, &row, &changed, scale) >= found * (1.0 - 1e-6) - 1e-9);
        }
    }
}

#[test]
fn weights_of_equal_inputs_are_rounded_in_opposite_directions() {
    // Two inputs that are always equal: only the sum of their weights counts, so 0.4 + 0.4 is best rounded to
    // 0 + 1 or 1 + 0.
    let second = DMatrix::from_element(2, 2, 1.0);
    let codes = descend(
        &Quadratic::new(vec![second]).0[0],
        &[0.4, 0.4],
        1.0,
        WeightBits::default(),
    );
    assert_eq!(codes.iter().map(|&c| i32::from(c)).sum::<i32>(), 1);
}

#[test]
fn blocks_of_independent_inputs_round_like_one_matrix() {
    let blocks = [
        DMatrix::from_row_slice(2, 2, &[1.0, 0.9, 0.9, 1.0]),
        DMatrix::from_row_slice(1, 1, &[2.0]),
    ];
    let mut whole = DMatrix::zeros(3, 3);
    whole.view_mut((0, 0), (2, 2)).copy_from(&blocks[0]);
    whole.view_mut((2, 2), (1, 1)).copy_from(&blocks[1]);
    let row = [0.4, 0.45, -1.3];
    let bits = WeightBits::new(4).unwrap();
    let round = |quadratic: Quadratic| quadratic.round(&row, 0.0, bits);
    assert_eq!(
        round(Quadratic::new(blocks.to_vec())),
        round(Quadratic::new(vec![whole]))
    );
}

#[test]
fn zero_inputs_round_weights_to_nearest() {
    let quadratic = Quadratic::new(vec![DMatrix::zeros(3, 3)]);
    let (scale, codes) = quadratic.round(&[0.9, -0.4, 0.1], 0.0, WeightBits::new(4).unwrap());
    let nearest: Vec<i8> = [0.9_f32, -0.4, 0.1]
        .iter()
        .map(|w| code(w / scale, WeightBits::new(4).unwrap()))
        .collect();
    assert_eq!(codes, nearest);
}

#[test]
fn scale_is_at_least_the_floor() {
    let quadratic = Quadratic::new(vec![DMatrix::identity(2, 2)]);
    let (scale, codes) = quadratic.round(&[0.01, -0.02], 0.5, WeightBits::default());
    assert_eq!((scale, codes), (0.5, vec![0, 0]));
}

#[test]
fn rounding_name_round_trips_and_unknown_name_is_error() {
    assert_eq!("adaptive".parse::<Rounding>().unwrap(), Rounding::Adaptive);
    let error = "up".parse::<Rounding>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "unknown rounding `up`: expected `nearest` or `adaptive`"
    );
}
