//! The comparison of the float model with the goldens of the training framework.

use tailfold::Golden;
use tailfold_parity::chain::{Against, Closeness};

use super::load::Ready;

/// Compares the float model `first` with the answers of the training framework, on the goldens' own inputs.
pub(super) fn against_golden(
    golden: &Golden,
    first: &Ready,
    tolerance: f64,
) -> anyhow::Result<Against> {
    golden.check_checkpoint(&first.model.card)?;
    let expected = golden.expected(&first.model.card)?;
    let mut classifier = first.model.classifier.fork();
    let found = classifier.logits(&golden.inputs)?;
    let found = Closeness::of(&expected, &found, tolerance)?;
    Ok(Against::golden(
        &golden.path().display().to_string(),
        &found,
    ))
}
