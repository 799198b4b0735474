//! Compares the logits of an exported model with the logits that it must have.

mod golden;

use serde::Serialize;
use tailfold_spec::Logits;

use crate::{LoadedModel, RuntimeError, RuntimeErrorKind};

pub use golden::Golden;

/// The result of a comparison; schema `tailfold.verify/1`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Verification {
    /// `tailfold.verify/1`.
    pub schema: &'static str,
    /// Source of the expected logits.
    pub against: &'static str,
    /// Whether no decision differs and no logit differs by more than the tolerance.
    pub holds: bool,
    /// Number of images.
    pub images: usize,
    /// Number of images with another top-1 class. A tie does not count: the expected logits of the two classes differ by
    /// at most the tolerance. Offsets that are solved on a sample put some of its images exactly between two classes.
    pub changed_decisions: usize,
    /// Largest difference of a logit.
    pub max_abs_logit_diff: f64,
    /// Largest accepted difference of a logit.
    pub tolerance: f64,
}

impl Verification {
    /// Largest difference that rounding explains, relative to the largest logit: some hundred f32 additions in another
    /// order, in some dozen layers.
    pub const TOLERANCE: f64 = 1e-4;

    /// Compares `model` with the answers of the training framework.
    ///
    /// # Errors
    /// [`RuntimeError`], naming the file of `golden`, if the two belong to different models; also as [`Verification::of`].
    pub fn with_golden(model: &mut LoadedModel, golden: &Golden) -> Result<Self, RuntimeError> {
        let expected = golden.expected(&model.card)?;
        let found = model.classifier.logits(&golden.inputs)?;
        Self::of("the training framework", &expected, &found)
    }

    /// Compares `found` with `expected`, both `[images, classes]`; `against` names the source of `expected`.
    ///
    /// # Errors
    /// [`RuntimeError`] without images, for different shapes, and for a logit that is not a finite number.
    pub fn of(
        against: &'static str,
        expected: &Logits,
        found: &Logits,
    ) -> Result<Self, RuntimeError> {
        if expected.is_empty() {
            return Err(RuntimeErrorKind::Verify.error("there is no image to compare"));
        }
        let shape = |logits: &Logits| (logits.len(), logits.num_classes());
        let ((rows, classes), (images, wanted)) = (shape(found), shape(expected));
        if (rows, classes) != (images, wanted) {
            return Err(RuntimeErrorKind::Verify.error(format!(
                "{rows} rows of {classes} logits came back, expected {images} of {wanted}"
            )));
        }
        let (mut worst, mut largest) = (0.0_f64, 1.0_f64);
        // By how much the expected logits of the two classes differ, for each image with another class.
        let mut margins = Vec::new();
        for (image, (expected, found)) in expected.rows().zip(found.rows()).enumerate() {
            let (Some((a, _)), Some((b, _))) = (Logits::top1(expected), Logits::top1(found)) else {
                return Err(RuntimeErrorKind::NotFinite
                    .error(format!("image {image}: a logit is not a finite number")));
            };
            if a != b {
                margins.push(f64::from((expected[a] - expected[b]).abs()));
            }
            for (e, f) in expected.iter().zip(found) {
                worst = worst.max(f64::from((e - f).abs()));
                largest = largest.max(f64::from(e.abs()));
            }
        }
        let tolerance = Self::TOLERANCE * largest;
        let changed = margins.iter().filter(|&&margin| margin > tolerance).count();
        Ok(Self {
            schema: "tailfold.verify/1",
            against,
            holds: changed == 0 && worst <= tolerance,
            images: expected.len(),
            changed_decisions: changed,
            max_abs_logit_diff: worst,
            tolerance,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(expected: &[f32], found: &[f32]) -> Result<Verification, RuntimeError> {
        let logits = |values: &[f32]| Logits::new(values.to_vec(), 2).unwrap();
        Verification::of("a test", &logits(expected), &logits(found))
    }

    #[test]
    fn tolerance_is_relative_to_largest_logit() {
        let near = compared(&[10.0, 1.0], &[10.000_5, 1.0]).unwrap();
        assert!(near.holds && (near.tolerance - 1e-3).abs() < 1e-12);
        let far = compared(&[10.0, 1.0], &[10.002, 1.0]).unwrap();
        assert!(!far.holds && far.changed_decisions == 0);
    }

    #[test]
    fn changed_decision_fails_even_within_tolerance() {
        let found = compared(&[10.0, 9.998_5], &[9.999_2, 9.999_3]).unwrap();
        assert!(!found.holds && found.max_abs_logit_diff <= found.tolerance);
        assert_eq!(found.changed_decisions, 1);
    }

    #[test]
    fn tie_within_tolerance_is_not_a_changed_decision() {
        let found = compared(&[10.0, 9.999_9], &[9.999_9, 10.0]).unwrap();
        assert!(found.holds);
        assert_eq!(found.changed_decisions, 0);
    }

    #[test]
    fn empty_input_wrong_shape_and_nan_are_errors() {
        let none = compared(&[], &[]).unwrap_err();
        assert_eq!(none.kind(), RuntimeErrorKind::Verify, "{none}");
        let shapes = compared(&[1.0, 2.0], &[1.0, 2.0, 3.0, 4.0]).unwrap_err();
        let expect = "2 rows of 2 logits came back, expected 1 of 2";
        assert_eq!(shapes.to_string(), expect);
        let nan = compared(&[1.0, 2.0, 1.0, 2.0], &[1.0, 2.0, f32::NAN, 2.0]).unwrap_err();
        assert_eq!(nan.to_string(), "image 1: a logit is not a finite number");
    }
}
