//! The bisection of a program without tract, whose inner tensors it needs: an error.

use tailfold::{Backend, RuntimeError};
use tailfold_data::Dataset;
use tailfold_parity::chain::bisect::Finding;
use tailfold_spec::Logits;

use super::load::Ready;

/// Returns the error that names what this program lacks.
pub(super) fn bisect(_: &[Ready], _: &[Logits], _: &Dataset) -> anyhow::Result<Finding> {
    let backend = Backend::TractStock;
    Err(RuntimeError::NotBuilt {
        backend: backend.name(),
        feature: backend.feature().unwrap_or_default(),
    }
    .into())
}
