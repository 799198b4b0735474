//! Logits over a data set, with a progress bar.

use tailfold::{LoadedModel, dataset_logits};
use tailfold_data::Dataset;
use tailfold_spec::Logits;

/// Returns the logits of every model, row `i` for image `i`.
pub(crate) fn logits(models: &[&LoadedModel], data: &Dataset) -> anyhow::Result<Vec<Logits>> {
    let bar = tailfold_console::bar("scoring", data.len());
    let logits = dataset_logits(models, data, &|| bar.inc(1));
    bar.finish_and_clear();
    Ok(logits?)
}
