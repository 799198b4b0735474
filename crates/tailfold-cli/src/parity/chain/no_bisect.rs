//! The bisection in a program without tract: an error, because it needs tract's inner tensors.

use tailfold::Backend;
use tailfold_data::Dataset;
use tailfold_parity::chain::bisect::Finding;
use tailfold_spec::Logits;

use super::load::Ready;

/// Returns the error that names the missing feature of this program.
pub(super) fn bisect(_: &[Ready], _: &[Logits], _: &Dataset) -> anyhow::Result<Finding> {
    Err(Backend::TractStock.not_built().into())
}
