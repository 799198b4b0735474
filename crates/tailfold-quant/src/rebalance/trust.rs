//! How much of a class's shift is the codes' doing, and how much is the chance of a few images.

use tailfold_spec::{Logits, softmax};

/// For each class the part of its shift to believe, 0 to 1: `n t / (n t + s)` for `n` images that the class is a matter of, the
/// variance `t` of the classes' mean logit errors and the variance `s` of an image's about them (an empirical Bayes estimate).
///
/// A class of a thousand that a hundred calibration images hardly touch has a shift of one image's error; without this it would
/// be handed to all images.
pub(super) fn trust(float: &Logits, quantized: &Logits, weights: Option<&[f64]>) -> Vec<f64> {
    let classes = float.num_classes();
    let weight = |image: usize| weights.map_or(1.0, |w| w[image]);
    let errors: Vec<Vec<f64>> = float
        .rows()
        .zip(quantized.rows())
        .map(|(before, after)| error(before, after))
        .collect();
    let (mut total, mut squares) = (0.0, 0.0);
    let mut means = vec![0.0; classes];
    let (mut shares, mut share_squares) = (vec![0.0; classes], vec![0.0; classes]);
    for (image, (row, errors)) in float.rows().zip(&errors).enumerate() {
        let weight = weight(image);
        total += weight;
        squares += weight * weight;
        for (class, p) in softmax(row).into_iter().enumerate() {
            means[class] += weight * errors[class];
            shares[class] += weight * p;
            share_squares[class] += (weight * p).powi(2);
        }
    }
    means.iter_mut().for_each(|m| *m /= total);
    let images = total * total / squares;
    let spread = errors.iter().enumerate().map(|(image, errors)| {
        let about = errors.iter().zip(&means).map(|(e, m)| (e - m).powi(2));
        weight(image) * about.sum::<f64>()
    });
    let within = spread.sum::<f64>() / total / classes as f64 * images / (images - 1.0);
    // Errors have no mean over classes, so neither have their means.
    let of_means = means.iter().map(|m| m * m).sum::<f64>() / classes as f64;
    let between = (of_means - within / images).max(0.0);
    let effective = shares.iter().zip(share_squares).map(|(s, q)| s * s / q);
    effective
        .map(|n| {
            let part = n * between / (n * between + within);
            // Without any error there is nothing to believe; of one image nothing can be told.
            if part.is_finite() { part } else { 0.0 }
        })
        .collect()
}

/// The error of each logit, without what all classes of the image share: no softmax sees that.
fn error(before: &[f32], after: &[f32]) -> Vec<f64> {
    let errors = before.iter().zip(after).map(|(b, a)| f64::from(a - b));
    let errors: Vec<f64> = errors.collect();
    let mean = errors.iter().sum::<f64>() / errors.len().max(1) as f64;
    errors.into_iter().map(|e| e - mean).collect()
}
