//! Range observers: they choose the quantization range of a tensor from its observed values.

use std::fmt;
use std::str::FromStr;

use crate::affine::{Scheme, to_f32};
use crate::error::{QuantError, QuantErrorKind};
use crate::histogram::Histogram;
use crate::range::Range;

mod entropy;
mod mse;
mod percentile;

/// Method that chooses a range.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum ObserverKind {
    /// Smallest and largest observed value.
    MinMax,
    /// Exponential moving average of each image's range: each end moves by this share towards the end on the
    /// next image. PyTorch and ONNX Runtime use 0.01.
    MovingAverage(f64),
    /// Central share of all values, in percent: `Percentile(99.99)` cuts off 0.005 % at each end.
    Percentile(f64),
    /// Range with the least mean squared error of the quantized values.
    #[default]
    Mse,
    /// Range with the least Kullback-Leibler divergence of the quantized distribution (TensorRT, 2017).
    Entropy,
}

impl ObserverKind {
    /// Default share of the moving average.
    const AVERAGING: f64 = 0.01;

    /// Returns whether the observer needs a histogram, not only the extremes.
    pub(crate) fn needs_histogram(self) -> bool {
        matches!(self, Self::Percentile(_) | Self::Mse | Self::Entropy)
    }
}

impl fmt::Display for ObserverKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MinMax => f.write_str("minmax"),
            Self::MovingAverage(share) => write!(f, "moving-average:{share}"),
            Self::Percentile(p) => write!(f, "percentile:{p}"),
            Self::Mse => f.write_str("mse"),
            Self::Entropy => f.write_str("entropy"),
        }
    }
}

impl FromStr for ObserverKind {
    type Err = QuantError;

    fn from_str(text: &str) -> Result<Self, QuantError> {
        let (name, value) = match text.split_once(':') {
            Some((name, value)) => (name, value.parse::<f64>().ok().map(Some)),
            None => (text, Some(None)),
        };
        match (name, value) {
            ("minmax", Some(None)) => Ok(Self::MinMax),
            ("mse", Some(None)) => Ok(Self::Mse),
            ("entropy", Some(None)) => Ok(Self::Entropy),
            ("moving-average", Some(None)) => Ok(Self::MovingAverage(Self::AVERAGING)),
            ("moving-average", Some(Some(share))) if share > 0.0 && share <= 1.0 => {
                Ok(Self::MovingAverage(share))
            }
            ("percentile", Some(Some(p))) if p > 50.0 && p <= 100.0 => Ok(Self::Percentile(p)),
            _ => Err(QuantErrorKind::Option.error(format!(
                "unknown observer `{text}`: expected `minmax`, `moving-average:SHARE` with 0 < \
                 SHARE <= 1, `percentile:P` with 50 < P <= 100, `mse` or `entropy`"
            ))),
        }
    }
}

/// Observed values of one tensor.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// Range on each image, in the order of the moving average.
    pub(crate) images: Vec<Range>,
    /// Histogram of all values; empty if the observer does not need it.
    pub(crate) histogram: Histogram,
}

impl Seen {
    /// Returns the smallest and the largest of all values.
    pub(crate) fn extremes(&self) -> Range {
        self.images
            .iter()
            .copied()
            .fold(Range::NOTHING, Range::join)
    }

    /// Returns the range to quantize with `scheme`, within the observed values; it is symmetric if the scheme
    /// is.
    pub(crate) fn range(&self, kind: ObserverKind, scheme: Scheme) -> Range {
        let extremes = match scheme {
            Scheme::Affine => self.extremes(),
            Scheme::Symmetric => self.extremes().symmetric(),
        };
        // A symmetric range has one end to choose, among magnitudes.
        let line = match scheme {
            Scheme::Affine => self.histogram.line(),
            Scheme::Symmetric => self.histogram.magnitudes(),
        };
        let chosen = match kind {
            ObserverKind::MinMax => extremes,
            ObserverKind::MovingAverage(share) => moving_average(&self.images, share),
            ObserverKind::Percentile(percent) => percentile::central(&line, percent, scheme),
            ObserverKind::Mse => mse::least_error(&line, extremes, scheme),
            ObserverKind::Entropy => entropy::least_divergence(&line, scheme),
        };
        match scheme {
            Scheme::Affine => chosen,
            Scheme::Symmetric => chosen.symmetric(),
        }
        .within(extremes)
    }
}

fn moving_average(images: &[Range], share: f64) -> Range {
    let ends = |range: &Range| [range.low, range.high].map(f64::from);
    let mut images = images.iter().map(ends);
    let Some(first) = images.next() else {
        return Range::NOTHING;
    };
    let [low, high] = images.fold(first, |old, new| {
        [0, 1].map(|end| old[end] + share * (new[end] - old[end]))
    });
    Range {
        low: to_f32(low),
        high: to_f32(high),
    }
}

#[cfg(test)]
mod tests;
