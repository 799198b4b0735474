use super::*;

#[test]
fn standard_error_is_that_of_the_mean() {
    let found = Mean::of(&[1.0, 2.0, 3.0]).unwrap();
    assert!((found.mean - 2.0).abs() < 1e-12);
    assert!((found.standard_error.unwrap() - (1.0_f64 / 3.0).sqrt()).abs() < 1e-12);
    assert_eq!(found.show(true), "+2.00 +- 0.58");
    let one = Mean::of(&[-5.0]).unwrap();
    assert!(one.standard_error.is_none());
    assert_eq!(one.show(false), "-5.00");
    assert!(Mean::of(&[]).is_none());
}

#[test]
fn median_of_odd_even_and_no_values() {
    assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
    assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    assert_eq!(median(&[]), None);
}
