//! Checks that no evaluation image is a training image, if the training images are given.

use anyhow::{Context as _, ensure};
use tailfold_data::{DataSpec, Dataset, Overlap};
use tailfold_parity::Policy;

use super::Pictures;

/// Refuses more training images of `spec` among `evaluation` than `policy` accepts, by the hashes of their pixels.
///
/// # Errors
/// An error that names the first shared image in both sets and the number of shared images, or the reason why the
/// training images cannot be opened.
pub(super) fn refuse_shared(
    spec: &DataSpec,
    evaluation: &Pictures,
    policy: &Policy,
) -> anyhow::Result<()> {
    // A class without training images shares none.
    let training = Dataset::open(&spec.allowing_empty()).context("--training")?;
    let hashes = training.pixel_hashes().context("--training")?;
    let keys = evaluation.iter().map(|picture| picture.hash.as_str());
    let Overlap { shared, first } = Overlap::of(keys, hashes.iter().map(String::as_str));
    let Some((of_evaluation, of_training)) = first else {
        return Ok(());
    };
    let first = evaluation.iter().nth(of_evaluation);
    let id = first.map_or("", |picture| &picture.id);
    let (all, accepted) = (evaluation.iter().len(), policy.max_training_overlap);
    ensure!(
        shared as f64 <= accepted * all as f64,
        "{} of {all} evaluation images are training images of {spec}, the first {id} is {}; policy.max_training_overlap accepts {} %",
        shared,
        training.id(of_training),
        100.0 * accepted
    );
    Ok(())
}
