//! The computations on one row of scores, inlined so that they are compiled for the vector extension of each caller.

use crate::exp::exp;

/// Fills `shifted` with `s + h` and returns the lowest class of the largest value, and that value.
#[inline(always)]
pub(crate) fn shift(scores: &[f32], offsets: &[f64], shifted: &mut [f64]) -> (usize, f64) {
    for ((sum, &score), &offset) in shifted.iter_mut().zip(scores).zip(offsets) {
        *sum = f64::from(score) + offset;
    }
    // Several running maxima: a single one would be a dependency chain over all classes.
    let mut lanes = [f64::NEG_INFINITY; 16];
    let (whole, rest) = shifted.as_chunks::<16>();
    for values in whole {
        for (max, &value) in lanes.iter_mut().zip(values) {
            *max = if value > *max { value } else { *max };
        }
    }
    let max = lanes
        .iter()
        .chain(rest)
        .copied()
        .fold(
            f64::NEG_INFINITY,
            |max, value| if value > max { value } else { max },
        );
    // The search first checks sixteen classes at a time, because a search with an exit at every class is not
    // vectorized.
    let at = whole.iter().position(|values| {
        values
            .iter()
            .fold(false, |any, &value| any | (value >= max))
    });
    let start = at.unwrap_or(whole.len()) * 16;
    let class = shifted[start..].iter().position(|&value| value >= max);
    (start + class.unwrap_or(0), max)
}

/// Fills `out` with `exp((shifted - max) / epsilon)` and returns the sum.
#[inline(always)]
pub(crate) fn numerators(shifted: &[f64], max: f64, inverse_epsilon: f64, out: &mut [f32]) -> f64 {
    // Two loops, because in one loop the exponentials would use only as many lanes as `f64` values have.
    for (e, &sum) in out.iter_mut().zip(shifted) {
        *e = narrow((sum - max) * inverse_epsilon);
    }
    for e in out.iter_mut() {
        *e = exp(*e);
    }
    let mut lanes = [0.0_f32; 8];
    let (eights, rest) = out.as_chunks::<8>();
    for eight in eights {
        lanes.iter_mut().zip(eight).for_each(|(sum, e)| *sum += e);
    }
    lanes.iter().chain(rest).map(|&e| f64::from(e)).sum()
}

/// Replaces `shifted` by `exp((shifted - max) / epsilon)`, in double precision, and returns the sum.
#[inline(always)]
pub(crate) fn exact_numerators(shifted: &mut [f64], max: f64, inverse_epsilon: f64) -> f64 {
    for value in shifted.iter_mut() {
        *value = ((*value - max) * inverse_epsilon).exp();
    }
    shifted.iter().sum()
}

/// Adds rows of numerators, `[shares, C]`, to `soft` `[C]`, each multiplied by its share.
#[inline(always)]
pub(crate) fn add_soft(rows: &[f32], shares: &[f64], soft: &mut [f64]) {
    let classes = soft.len();
    let (eights, rest) = soft.as_chunks_mut::<8>();
    for (at, masses) in eights.iter_mut().enumerate() {
        let mut sums = [0.0_f64; 8];
        for (row, &share) in rows.chunks_exact(classes).zip(shares) {
            let values = &row[at * 8..at * 8 + 8];
            for (sum, &e) in sums.iter_mut().zip(values) {
                *sum += share * f64::from(e);
            }
        }
        masses
            .iter_mut()
            .zip(sums)
            .for_each(|(mass, sum)| *mass += sum);
    }
    let start = eights.len() * 8;
    for (row, &share) in rows.chunks_exact(classes).zip(shares) {
        for (mass, &e) in rest.iter_mut().zip(&row[start..]) {
            *mass += share * f64::from(e);
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "f32 is the precision of probabilities; too large becomes infinite"
)]
#[inline(always)]
pub(crate) fn narrow(x: f64) -> f32 {
    x as f32
}
