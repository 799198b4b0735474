//! The bisection of a program without tract, whose inner tensors it needs: an error.

use serde::Serialize;
use tailfold::{Backend, RuntimeError};
use tailfold_data::Dataset;
use tailfold_spec::Logits;

use super::load::Ready;

/// There is none.
#[derive(Serialize)]
pub(super) enum Finding {}

impl Finding {
    pub(super) fn text(&self) -> String {
        match *self {}
    }
}

/// Says what this program lacks.
pub(super) fn bisect(_: &[Ready], _: &[Logits], _: &Dataset) -> anyhow::Result<Finding> {
    Err(RuntimeError::not_built(Backend::TractStock).into())
}
