//! That no evaluation image was trained on, where the training images are at hand.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use tailfold_data::{DataSpec, Dataset};
use tailfold_parity::Policy;

use super::Pictures;

/// Refuses more training images of `spec` among `evaluation` than `policy` accepts, by the hashes of their pixels.
///
/// # Errors
/// Naming the first shared image in both sets, with how many there are, and as the training images cannot be opened.
pub(super) fn refuse_shared(
    spec: &DataSpec,
    evaluation: &Pictures,
    policy: &Policy,
) -> anyhow::Result<()> {
    // A class without training images shares none.
    let training = Dataset::open(&spec.allowing_empty()).context("--training")?;
    let hashes = training.pixel_hashes().context("--training")?;
    let by_hash: BTreeMap<&str, usize> = hashes
        .iter()
        .enumerate()
        .map(|(i, hash)| (hash.as_str(), i))
        .rev()
        .collect();
    let shared: Vec<(&str, usize)> = evaluation
        .iter()
        .filter_map(|picture| Some((picture.id.as_str(), *by_hash.get(picture.hash.as_str())?)))
        .collect();
    let Some(&(id, of_training)) = shared.first() else {
        return Ok(());
    };
    let (all, accepted) = (evaluation.iter().len(), policy.max_training_overlap);
    ensure!(
        shared.len() as f64 <= accepted * all as f64,
        "{} of {all} evaluation images are training images of {spec}, the first {id} is {}; policy.max_training_overlap accepts {} %",
        shared.len(),
        training.id(of_training),
        100.0 * accepted
    );
    Ok(())
}
