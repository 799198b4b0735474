//! Casts: from double to single precision, and from a tensor to values in this process's memory.

use burn::prelude::*;

use crate::error::{TrainError, TrainErrorKind};

#[expect(
    clippy::cast_possible_truncation,
    reason = "tensors are in single precision; every value is far inside its range"
)]
pub(crate) fn to_f32(value: f64) -> f32 {
    value as f32
}

/// Returns the error of a failed back end.
pub(crate) fn failed(message: String) -> TrainError {
    TrainErrorKind::Device.error(format!("the back end failed: {message}"))
}

/// Copies the values of a tensor to the host, row-major.
pub(crate) fn to_host<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, TrainError> {
    let data = tensor.try_into_data();
    let data = data.map_err(|e| failed(e.to_string()))?;
    data.try_to_vec::<f32>()
        .map_err(|e| failed(format!("{e:?}")))
}
