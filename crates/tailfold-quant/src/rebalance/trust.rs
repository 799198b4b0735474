//! Separates the part of a class's shift that quantization causes from chance in a few images.

use tailfold_spec::{Logits, softmax};

use super::errors::LogitErrors;

/// Returns the factor from 0 to 1 by which each class's shift is reduced, `n t / (n t + s)`, an empirical Bayes
/// estimate.
///
/// `n` is the effective number of images of the class, `t` the variance of the classes' mean logit errors, and `s` the
/// variance of an image's errors about them. One of a thousand classes that hardly occurs in a hundred calibration
/// images would otherwise get the error of a single image as its shift.
pub(super) fn trust(errors: &LogitErrors<'_>, float: &Logits) -> Vec<f64> {
    let classes = float.num_classes();
    let (mut total, mut squares) = (0.0, 0.0);
    let mut means = vec![0.0; classes];
    let (mut shares, mut share_squares) = (vec![0.0; classes], vec![0.0; classes]);
    for (image, (row, row_errors)) in float.rows().zip(&errors.rows).enumerate() {
        let weight = errors.weight(image);
        total += weight;
        squares += weight * weight;
        for (class, p) in softmax(row).into_iter().enumerate() {
            means[class] += weight * row_errors[class];
            shares[class] += weight * p;
            share_squares[class] += (weight * p).powi(2);
        }
    }
    means.iter_mut().for_each(|m| *m /= total);
    let images = total * total / squares;
    let spread = errors.rows.iter().enumerate().map(|(image, row)| {
        let about = row.iter().zip(&means).map(|(e, m)| (e - m).powi(2));
        errors.weight(image) * about.sum::<f64>()
    });
    let within = spread.sum::<f64>() / total / classes as f64 * images / (images - 1.0);
    // Errors have the mean 0 over the classes, and so have their means over the images.
    let of_means = means.iter().map(|m| m * m).sum::<f64>() / classes as f64;
    let between = (of_means - within / images).max(0.0);
    let effective = shares.iter().zip(share_squares).map(|(s, q)| s * s / q);
    effective
        .map(|n| {
            let part = n * between / (n * between + within);
            // Without any error there is nothing to shift, and one image has no variance to estimate.
            if part.is_finite() { part } else { 0.0 }
        })
        .collect()
}
