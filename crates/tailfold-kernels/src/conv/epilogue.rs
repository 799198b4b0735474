//! Conversion of a layer's sums to codes or to real values.

use crate::KernelError;
use crate::requantize::Requantize;

/// The conversion of a layer's sums to its results.
#[derive(Clone, Debug, PartialEq)]
pub enum Epilogue {
    /// Requantizes the sums to codes.
    Codes(Requantize),
    /// Real values, `sum * scale + bias`, for a layer without quantized output, such as the logits of a head.
    Real {
        /// Input scale times weight scale, one per channel.
        scale: Vec<f64>,
        /// Bias, one per channel.
        bias: Vec<f64>,
    },
}

impl Epilogue {
    pub(crate) fn check(&self, filters: usize) -> Result<(), KernelError> {
        let (what, found) = match self {
            Self::Codes(requantize) => ("multipliers", requantize.channels()),
            Self::Real { scale, bias } if scale.len() == filters => ("biases", bias.len()),
            Self::Real { scale, .. } => ("scales", scale.len()),
        };
        if found == filters {
            return Ok(());
        }
        Err(KernelError::Length {
            what,
            found,
            expected: filters,
        })
    }

    /// The real value of a channel's sum, computed in double precision and rounded to single.
    ///
    /// # Panics
    /// When the epilogue makes codes.
    #[expect(clippy::cast_possible_truncation, reason = "ONNX's floats are single")]
    pub(crate) fn real(&self, channel: usize, sum: i32) -> f32 {
        match self {
            Self::Real { scale, bias } => (f64::from(sum) * scale[channel] + bias[channel]) as f32,
            Self::Codes(_) => unreachable!("the epilogue makes codes"),
        }
    }

    /// Prepares the epilogue for sums within `bounds`, one per channel.
    pub(super) fn within(self, bounds: &[u64]) -> Self {
        match self {
            Self::Codes(requantize) => Self::Codes(requantize.within(bounds)),
            real @ Self::Real { .. } => real,
        }
    }

    /// The epilogue of `count` channels from `first` on.
    pub(super) fn of_channels(&self, first: usize, count: usize) -> Result<Self, KernelError> {
        Ok(match self {
            Self::Codes(requantize) => Self::Codes(requantize.of_channels(first, count)?),
            Self::Real { scale, bias } => Self::Real {
                scale: scale[first..first + count].to_vec(),
                bias: bias[first..first + count].to_vec(),
            },
        })
    }
}
