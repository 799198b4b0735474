//! Mean and standard error over repeated measurements, and the median of ratios.

use serde::Serialize;

/// A mean with the standard error of it; no error from one value.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Mean {
    pub(crate) mean: f64,
    pub(crate) standard_error: Option<f64>,
}

impl Mean {
    /// Of `values`; `None` of none.
    pub(crate) fn of(values: &[f64]) -> Option<Self> {
        if values.is_empty() {
            return None;
        }
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
        let standard_error = (values.len() > 1).then(|| (squares / (n - 1.0) / n).sqrt());
        Some(Self {
            mean,
            standard_error,
        })
    }

    /// In a unit of which `factor` make one.
    pub(crate) fn times(self, factor: f64) -> Self {
        Self {
            mean: factor * self.mean,
            standard_error: self.standard_error.map(|error| factor * error),
        }
    }

    /// With two decimals, as `81.20 +- 0.31`; the mean carries its sign when `signed`.
    pub(crate) fn show(self, signed: bool) -> String {
        let mean = if signed {
            format!("{:+.2}", self.mean)
        } else {
            format!("{:.2}", self.mean)
        };
        match self.standard_error {
            Some(error) => format!("{mean} +- {error:.2}"),
            None => mean,
        }
    }
}

/// The middle of `values`, the mean of the two middle ones when they are even in number; `None` of none.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    Some(f64::midpoint(sorted[sorted.len() / 2 - 1], upper))
}

#[cfg(test)]
mod tests;
