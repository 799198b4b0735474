//! The error function.

/// Computes `erf(x)`, `2 / sqrt(pi)` times the integral of `exp(-t^2)` from 0 to `x`, to a few units in the last place.
///
/// The series `exp(-x^2) * sum of 2^n x^(2n + 1) / (1 * 3 * ... * (2n + 1))` (Abramowitz and Stegun, 7.1.6)
/// adds terms of the same sign, so no digits cancel. Beyond |x| = 6 the result rounds to 1 or -1.
pub(super) fn erf(x: f64) -> f64 {
    let size = x.abs();
    if size > 6.0 {
        return x.signum();
    }
    let square = x * x;
    let (mut term, mut sum, mut odd) = (x, x, 1.0);
    while term.abs() > f64::EPSILON / 4.0 * sum.abs() {
        odd += 2.0;
        term *= 2.0 * square / odd;
        sum += term;
    }
    (std::f64::consts::FRAC_2_SQRT_PI * (-square).exp() * sum).clamp(-1.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::erf;

    #[test]
    fn erf_matches_reference_values() {
        for (x, expected) in [
            (0.0, 0.0),
            (1e-9, 1.128_379_167_095_512_5e-9),
            (0.1, 0.112_462_916_018_284_9),
            (0.5, 0.520_499_877_813_046_5),
            (1.0, 0.842_700_792_949_714_9),
            (1.5, 0.966_105_146_475_310_7),
            (2.0, 0.995_322_265_018_952_7),
            (3.0, 0.999_977_909_503_001_4),
            (4.0, 0.999_999_984_582_742_1),
            (6.0, 1.0),
            (7.0, 1.0),
            (f64::INFINITY, 1.0),
        ] {
            for (x, expected) in [(x, expected), (-x, -expected)] {
                let found = erf(x);
                assert!(
                    (found - expected).abs() <= 1e-15 * expected.abs(),
                    "{x}: {found}"
                );
            }
        }
        assert!(erf(f64::NAN).is_nan());
    }
}
