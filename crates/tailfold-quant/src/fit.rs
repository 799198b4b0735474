//! Distance between the quantized and the float model on the calibration images.

use tailfold_spec::Logits;

use crate::logits::same_decisions;

/// Agreement of the quantized and the float model on the calibration images. It proves nothing about other images, but
/// a poor value is a reason to look at the model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    /// Top-1 agreement with the float model, 0 to 1.
    pub agreement: f64,
    /// Root mean square error of the logits over the root mean square of the float logits; 0 without error. The mean of
    /// each image's row is subtracted from both first, because no decision depends on it.
    pub logit_error: f64,
}

impl Fit {
    /// An agreement below this is poor.
    const AGREEMENT: f64 = 0.95;
    /// A logit error above this is poor. Networks that quantize well have 0.01 to 0.1; with channels a factor of 1000
    /// apart it is 0.6, while the decisions on easy images may still be right.
    const LOGIT_ERROR: f64 = 0.25;

    /// Compares the logits of both models on the same images.
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
            // Rows of equal float logits have no spread to compare the error with.
            logit_error: if error.is_finite() { error } else { 0.0 },
        }
    }

    /// Returns whether the user has to be warned of the model's accuracy.
    pub fn is_poor(&self) -> bool {
        self.agreement < Self::AGREEMENT || self.logit_error > Self::LOGIT_ERROR
    }
}

/// Returns the sum of squared deviations of `values` from their mean.
fn square(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let count = values.clone().count().max(1) as f64;
    let mean = values.clone().sum::<f64>() / count;
    values.map(|v| (v - mean).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_common_to_all_classes_do_not_count() {
        let rows = |values: &[f32]| Logits::new(values.to_vec(), 2).unwrap();
        let float = rows(&[1.0, -1.0, -2.0, 2.0]);
        let moved = Fit::of(&float, &rows(&[3.0, 1.0, -1.0, 3.0]));
        assert!((moved.agreement - 1.0).abs() < 1e-12 && moved.logit_error < 1e-12);
        let wrong = Fit::of(&float, &rows(&[-1.0, 1.0, -2.0, 2.0]));
        assert!((wrong.agreement - 0.5).abs() < 1e-12);
        // Errors of 2 and -2 against logits of 1, 1, 2 and 2: squares of 8 over 10.
        assert!(
            (wrong.logit_error - 0.8_f64.sqrt()).abs() < 1e-12,
            "{wrong:?}"
        );
        assert!(wrong.is_poor() && !moved.is_poor());
        let flat = Fit::of(&rows(&[1.0, 1.0]), &rows(&[1.0, 1.0]));
        assert!(flat.logit_error.abs() < 1e-12);
    }
}
