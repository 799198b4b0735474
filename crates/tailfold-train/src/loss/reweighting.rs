//! Class weights by the effective number of samples.

/// Weights of the classes, `(1 - beta) / (1 - beta^n_j)`, scaled to sum `C`; `[C]`, without unit.
///
/// `counts [C]`: training images a class, none of them 0; `0 <= beta < 1`. Cui et al., CVPR 2019: `beta = 0` weighs every
/// class alike, `beta` near 1 by the inverse of its count.
pub fn effective_number_weights(counts: &[u64], beta: f64) -> Vec<f64> {
    let raw: Vec<f64> = counts
        .iter()
        .map(|&n| (1.0 - beta) / (1.0 - beta.powf(n as f64)))
        .collect();
    let scale = counts.len() as f64 / raw.iter().sum::<f64>();
    raw.iter().map(|w| w * scale).collect()
}
