//! How near the quantized model is to the float model on the calibration images.

use tailfold_spec::Logits;

use crate::logits::same_decisions;

/// A measurement on the calibration images: nothing is proved by it for others, but a bad one is bad news.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    /// Share of the images that both models decide alike (top-1), 0 to 1.
    pub agreement: f64,
    /// Root mean square error of the logits divided by the root mean square of the float logits, both without the mean of each
    /// image's row, which no decision depends on. 0 without error.
    pub logit_error: f64,
}

impl Fit {
    /// Least usual agreement.
    const AGREEMENT: f64 = 0.95;
    /// Largest usual error of the logits. Networks that 8 bits suit have 0.01 to 0.1; with channels a thousand apart it is 0.6, while
    /// the decisions on easy images may still be right.
    const LOGIT_ERROR: f64 = 0.25;

    /// Of the answers of both models to the same images.
    pub(crate) fn of(float: &Logits, quantized: &Logits) -> Self {
        let (mut signal, mut noise) = (0.0, 0.0);
        for (before, after) in float.rows().zip(quantized.rows()) {
            signal += square(before.iter().map(|b| f64::from(*b)));
            noise += square(
                before
                    .iter()
                    .zip(after)
                    .map(|(b, a)| f64::from(*a) - f64::from(*b)),
            );
        }
        let error = (noise / signal).sqrt();
        Self {
            agreement: same_decisions(float, quantized) as f64 / float.len().max(1) as f64,
            // Logits that are all alike have no spread to compare with.
            logit_error: if error.is_finite() { error } else { 0.0 },
        }
    }

    /// True when a user should look at the model before using it.
    pub fn is_poor(&self) -> bool {
        self.agreement < Self::AGREEMENT || self.logit_error > Self::LOGIT_ERROR
    }
}

/// Sum of the squares of `values` about their mean.
fn square(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let count = values.clone().count().max(1) as f64;
    let mean = values.clone().sum::<f64>() / count;
    values.map(|v| (v - mean).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_that_all_classes_share_do_not_count() {
        let rows = |values: &[f32]| Logits::new(values.to_vec(), 2).unwrap();
        let float = rows(&[1.0, -1.0, -2.0, 2.0]);
        let moved = Fit::of(&float, &rows(&[3.0, 1.0, -1.0, 3.0]));
        assert!((moved.agreement - 1.0).abs() < 1e-12 && moved.logit_error < 1e-12);
        let wrong = Fit::of(&float, &rows(&[-1.0, 1.0, -2.0, 2.0]));
        assert!((wrong.agreement - 0.5).abs() < 1e-12);
        // Errors of 2 and -2 against 1, 1, 2 and 2: 8 of 10.
        assert!(
            (wrong.logit_error - 0.8_f64.sqrt()).abs() < 1e-12,
            "{wrong:?}"
        );
        assert!(wrong.is_poor() && !moved.is_poor());
        let flat = Fit::of(&rows(&[1.0, 1.0]), &rows(&[1.0, 1.0]));
        assert!(flat.logit_error.abs() < 1e-12);
    }
}
