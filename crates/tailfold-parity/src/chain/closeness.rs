//! Compares float with float: a hard tolerance, and the same decisions.

use tailfold_spec::Logits;

use crate::Verdict;
use crate::{ParityError, ParityErrorKind};

/// The distance between two sets of logits of one network, `[images, classes]` each.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Closeness {
    /// Number of images.
    pub images: usize,
    /// Number of images for which the two sets give different classes, or a set gives no class.
    pub flips: usize,
    /// Number of flips for which the two largest logits of the first set are closer than the tolerance, so that
    /// rounding decides.
    pub excused: usize,
    /// Largest difference of a logit; `None` when a logit is NaN or infinite.
    pub max_abs_logit_diff: Option<f64>,
    /// Largest accepted difference, in logits.
    pub tolerance: f64,
}

/// Checks that `found` has the shape of `expected`, `[images, classes]` each.
///
/// # Errors
/// [`ParityErrorKind::Mismatch`].
pub(super) fn same_shape(expected: &Logits, found: &Logits) -> Result<(), ParityError> {
    let [e, f] = [expected, found].map(|logits| [logits.len(), logits.num_classes()]);
    if e == f {
        return Ok(());
    }
    Err(ParityErrorKind::Mismatch.error(format!(
        "expected {} rows of {} logits, found {} rows of {}",
        e[0], e[1], f[0], f[1]
    )))
}

impl Closeness {
    /// Compares `b` with `a`. The tolerance is `share` of the largest absolute logit of `a`, or of 1 if all are
    /// smaller.
    ///
    /// # Errors
    /// [`ParityErrorKind::Mismatch`] when the shapes differ.
    pub fn of(a: &Logits, b: &Logits, share: f64) -> Result<Self, ParityError> {
        same_shape(a, b)?;
        let largest = |row: &[f32]| row.iter().fold(1.0_f64, |m, v| m.max(f64::from(v.abs())));
        let tolerance = share * largest(a.values());
        let mut closeness = Self {
            images: a.len(),
            flips: 0,
            excused: 0,
            max_abs_logit_diff: Some(0.0),
            tolerance,
        };
        for (a, b) in a.rows().zip(b.rows()) {
            for (a, b) in a.iter().zip(b) {
                let diff = (f64::from(*a) - f64::from(*b)).abs();
                let finite = diff.is_finite();
                let so_far = closeness.max_abs_logit_diff.filter(|_| finite);
                closeness.max_abs_logit_diff = so_far.map(|largest| largest.max(diff));
            }
            let (before, after) = (Logits::top1(a), Logits::top1(b));
            if before.is_none() || before.map(|t| t.0) != after.map(|t| t.0) {
                closeness.flips += 1;
                let is_near = margin(a).is_some_and(|margin| margin < tolerance);
                closeness.excused += usize::from(is_near && after.is_some());
            }
        }
        Ok(closeness)
    }

    /// Returns pass if no logit differs by more than the tolerance and every flip is excused, and fail otherwise.
    pub fn verdict(&self) -> Verdict {
        let is_near = self
            .max_abs_logit_diff
            .is_some_and(|diff| diff <= self.tolerance);
        if is_near && self.flips == self.excused {
            Verdict::Pass
        } else {
            Verdict::Fail
        }
    }

    /// Returns the share of images for which both sets give the same class.
    pub fn agreement(&self) -> f64 {
        1.0 - self.flips as f64 / self.images.max(1) as f64
    }

    /// Returns the result in words.
    pub fn sentence(&self) -> String {
        let Some(diff) = self.max_abs_logit_diff else {
            return "a logit is NaN or infinite".to_owned();
        };
        let (flips, images, tolerance) = (self.flips, self.images, self.tolerance);
        let excused = match self.excused {
            0 => String::new(),
            n => format!(" ({n} of them nearer to a tie than the tolerance)"),
        };
        format!(
            "a logit differs by {diff:.2e} (tolerance {tolerance:.2e}), {flips} of {images} decisions differ{excused}"
        )
    }
}

/// Difference of the two largest logits; `None` when a logit is NaN or infinite.
fn margin(row: &[f32]) -> Option<f64> {
    let (top, _) = Logits::top1(row)?;
    let others = row.iter().enumerate().filter(|(class, _)| *class != top);
    let second = others.map(|(_, v)| *v).fold(f32::NEG_INFINITY, f32::max);
    Some(f64::from(row[top]) - f64::from(second))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares `b` with two images of three classes. The largest logit is 4, so a share of 0.01 tolerates 0.04.
    fn check(b: [f32; 6], expect: (Verdict, usize, usize)) {
        let a = Logits::new(vec![4.0, 1.0, 0.0, 2.0, 1.98, 0.0], 3).unwrap();
        let found = Closeness::of(&a, &Logits::new(b.to_vec(), 3).unwrap(), 0.01).unwrap();
        let sentence = found.sentence();
        assert_eq!(
            (found.verdict(), found.flips, found.excused),
            expect,
            "{sentence}"
        );
    }

    #[test]
    fn flip_is_excused_by_near_tie_alone() {
        check([4.0, 1.0, 0.0, 2.0, 1.98, 0.0], (Verdict::Pass, 0, 0));
        check([4.03, 1.0, 0.0, 1.98, 2.0, 0.0], (Verdict::Pass, 1, 1));
        check([4.05, 1.0, 0.0, 2.0, 1.98, 0.0], (Verdict::Fail, 0, 0));
        check([1.0, 4.0, 0.0, 2.0, 1.98, 0.0], (Verdict::Fail, 1, 0));
        check([4.0, 1.0, f32::NAN, 2.0, 1.98, 0.0], (Verdict::Fail, 1, 0));
        check(
            [4.0, 1.0, 0.0, f32::INFINITY, 1.98, 0.0],
            (Verdict::Fail, 1, 0),
        );
    }

    #[test]
    fn other_shape_is_error_with_both_shapes() {
        let logits = |n: usize| Logits::new(vec![0.0; 2 * n], 2).unwrap();
        let error = Closeness::of(&logits(1), &logits(2), 0.1).unwrap_err();
        assert_eq!(
            error.to_string(),
            "expected 1 rows of 2 logits, found 2 rows of 2"
        );
    }
}
