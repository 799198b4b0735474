//! The exponential for the softmax: branch-free, so that a row is vectorized over classes, and bit-equal on every
//! machine.

/// Below this argument the result is `exp(LOWEST)`, the last power that is not subnormal.
const LOWEST: f32 = -87.0;
/// Adding this constant rounds to an integer, which is then in the low bits of the sum.
const ROUND: f32 = 12_582_912.0;
/// ln 2 in two parts; the first has 9 bits, so that its multiples are exact.
const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];

/// Computes `exp(x)` for `x <= 0` with a relative error of about 1e-7; arguments below -87 are replaced by -87.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    let x = x.max(LOWEST);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * LN_2[0]) - n * LN_2[1];
    // Cephes' minimax polynomial for (exp(r) - 1 - r) / r^2 on |r| <= ln(2) / 2.
    let p = 1.987_569_1e-4;
    let p = p * r + 1.398_199_9e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_5e-1;
    let p = p * r + 0.5;
    let power = f32::from_bits(
        shifted
            .to_bits()
            .wrapping_sub(ROUND.to_bits())
            .wrapping_add(127)
            << 23,
    );
    (p * r * r + r + 1.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_agrees_with_standard_library() {
        for step in 0..=87_000_u32 {
            let x = -(step as f32) / 1_000.0;
            let exact = f64::from(x).exp();
            assert!(
                (f64::from(exp(x)) / exact - 1.0).abs() < 2e-7,
                "exp({x}) = {}, expected {exact}",
                exp(x)
            );
        }
        assert_eq!(exp(0.0).to_bits(), 1.0_f32.to_bits());
        assert_eq!(exp(f32::NEG_INFINITY).to_bits(), exp(LOWEST).to_bits());
        assert!(exp(LOWEST).is_normal());
    }
}
