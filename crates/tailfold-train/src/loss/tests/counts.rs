//! The terms of the losses that depend on the class counts.

use super::*;

#[test]
fn rarest_class_has_largest_margin() {
    // With 16 and 81 times as many images as the rarest class, the margins are 1/2 and 1/3 of the largest.
    close(
        &ldam_margins(&[81, 16, 1], 0.5),
        &[0.5 / 3.0, 0.25, 0.5],
        1e-15,
    );
    close(&ldam_margins(&[7, 7], 12.0), &[12.0, 12.0], 1e-14);
}

#[test]
fn weights_range_from_equal_to_inverse_counts() {
    let counts = [50, 10, 2];
    close(&effective_number_weights(&counts, 0.0), &[1.0; 3], 1e-15);
    // Inverse counts 1/50, 1/10 and 1/2 with sum 0.62, to first order in (1 - beta) n = 5e-8.
    let inverse = counts.map(|n| 3.0 / 0.62 / f64::from(u32::try_from(n).unwrap()));
    close(
        &effective_number_weights(&counts, 1.0 - 1e-9),
        &inverse,
        1e-5,
    );
    // (1 - b) / (1 - b^n) with b = 1/2: 1/2 and 2/3 for one and two images.
    let half = effective_number_weights(&[1, 2], 0.5);
    close(&half, &[2.0 * 3.0 / 5.0, 2.0 * 2.0 / 5.0], 1e-15);
}

#[test]
fn shift_is_log_prior() {
    let shift = log_prior(&[75, 20, 5], 2.0);
    let expect = [0.75_f64, 0.2, 0.05].map(|p| 2.0 * p.ln());
    close(&shift, &expect, 1e-15);
}
