//! Class weights by the effective number of samples.

/// Class weights `(1 - beta) / (1 - beta^n_j)`, scaled to sum `C`; `[C]`, dimensionless.
///
/// `counts [C]` is the number of training images per class; all counts are positive, and `0 <= beta < 1`. In Cui et al.
/// (CVPR 2019), `beta = 0` weights all classes equally, and `beta` near 1 weights by inverse count.
pub fn effective_number_weights(counts: &[u64], beta: f64) -> Vec<f64> {
    let raw: Vec<f64> = counts
        .iter()
        .map(|&n| (1.0 - beta) / (1.0 - beta.powf(n as f64)))
        .collect();
    let scale = counts.len() as f64 / raw.iter().sum::<f64>();
    raw.iter().map(|w| w * scale).collect()
}
