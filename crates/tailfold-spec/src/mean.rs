//! A mean with its standard error.

use serde::Serialize;

/// A mean over repeated measurements or images; a single value has no standard error.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Mean {
    /// The mean.
    pub mean: f64,
    /// Its standard error.
    pub standard_error: Option<f64>,
}

impl Mean {
    /// Returns the mean of `values`; `None` without values.
    pub fn of(values: &[f64]) -> Option<Self> {
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

    /// Returns the mean and its standard error times `factor`, such as 100 for percent.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        Self {
            mean: factor * self.mean,
            standard_error: self.standard_error.map(|error| factor * error),
        }
    }

    /// Formats both with two decimals, as in `81.20 +- 0.31`; `signed` adds a plus sign to positive means.
    pub fn show(self, signed: bool) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_error_belongs_to_mean() {
        let found = Mean::of(&[1.0, 2.0, 3.0]).unwrap();
        assert!((found.mean - 2.0).abs() < 1e-12);
        assert!((found.standard_error.unwrap() - (1.0_f64 / 3.0).sqrt()).abs() < 1e-12);
        assert_eq!(found.show(true), "+2.00 +- 0.58");
        let one = Mean::of(&[-5.0]).unwrap();
        assert!(one.standard_error.is_none());
        assert_eq!(one.show(false), "-5.00");
        assert!(Mean::of(&[]).is_none());
    }
}
