//! The bisection of a program without tract, whose inner tensors it needs: an error.

use tailfold::Backend;
use tailfold_data::Dataset;
use tailfold_parity::chain::bisect::Finding;
use tailfold_spec::Logits;

use super::load::Ready;

/// Returns the error that names what this program lacks.
pub(super) fn bisect(_: &[Ready], _: &[Logits], _: &Dataset) -> anyhow::Result<Finding> {
    Err(Backend::TractStock.not_built().into())
}
