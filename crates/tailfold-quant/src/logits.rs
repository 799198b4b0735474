//! Logits of a network on a set of images.

use rayon::prelude::*;
use tailfold_onnx::Model;
use tailfold_spec::{Classifier as _, ImageBatch, Logits};
use tailfold_tract::TractClassifier;

use crate::error::QuantError;
use crate::images::CalibrationSet;

/// Returns the logits of `model` on the images of `set`, in their order; for a model that returns
/// probabilities, their logarithms.
///
/// # Errors
/// The [`QuantError`] of the first image that fails.
pub(crate) fn logits(
    model: &Model,
    name: &str,
    set: &CalibrationSet,
    progress: &(dyn Fn() + Sync),
) -> Result<Logits, QuantError> {
    let all: Vec<usize> = (0..set.len()).collect();
    logits_of_some(model, name, set, &all, progress)
}

/// Returns the logits of `model` on the images `indices` of `set`, as [`logits`] does for all images.
///
/// # Errors
/// As [`logits`].
pub(crate) fn logits_of_some(
    model: &Model,
    name: &str,
    set: &CalibrationSet,
    indices: &[usize],
    progress: &(dyn Fn() + Sync),
) -> Result<Logits, QuantError> {
    let classifier = TractClassifier::from_onnx(&model.to_bytes(), name)?;
    let [c, h, w] = classifier.input_shape();
    let rows: Vec<Result<Vec<f32>, QuantError>> = indices
        .par_iter()
        .map_init(
            || classifier.fork(),
            |classifier, &index| {
                let image = ImageBatch::new(set.input(index)?, [1, c, h, w])?;
                let answer = classifier.logits(&image)?;
                progress();
                Ok(answer.values().to_vec())
            },
        )
        .collect();
    let rows = rows.into_iter().collect::<Result<Vec<_>, _>>()?;
    of_rows(model, rows, classifier.num_classes())
}

/// Converts the outputs of `model`, one row per image, to logits; probabilities become their logarithms,
/// which give the same softmax.
///
/// # Errors
/// [`QuantError`] when the length of a row is not the number of classes.
pub(crate) fn of_rows(
    model: &Model,
    rows: Vec<Vec<f32>>,
    classes: usize,
) -> Result<Logits, QuantError> {
    let images = rows.len();
    let mut values = rows.concat();
    if ends_in_softmax(model) {
        // A probability that underflowed to 0 still needs a finite logit.
        values
            .iter_mut()
            .for_each(|p| *p = p.max(f32::MIN_POSITIVE).ln());
    }
    Ok(Logits::answer(values, images, classes)?)
}

/// Returns the number of images with the same top-1 class in both networks. An image without a top-1 class does not
/// count.
pub(crate) fn same_decisions(float: &Logits, quantized: &Logits) -> usize {
    let decided = |row: &[f32]| Logits::top1(row).map(|(class, _)| class);
    let rows = float.rows().zip(quantized.rows());
    rows.filter(|(a, b)| decided(a).is_some() && decided(a) == decided(b))
        .count()
}

/// Returns `after - before`, rounded to an f32 unless the difference of large logits is beyond its range.
pub(crate) fn difference(before: f32, after: f32) -> f64 {
    let rounded = after - before;
    if rounded.is_finite() {
        f64::from(rounded)
    } else {
        f64::from(after) - f64::from(before)
    }
}

fn ends_in_softmax(model: &Model) -> bool {
    let output = model
        .output()
        .ok()
        .and_then(|o| model.graph().producer(o.name()));
    output.is_some_and(|node| node.is("Softmax"))
}

#[cfg(test)]
mod tests;
