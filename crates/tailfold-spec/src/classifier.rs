//! The contract of a deployed model: images in, logits out.

use std::cmp::Ordering;

/// A batch of preprocessed images, row-major `[n, channels, height, width]`.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageBatch {
    values: Vec<f32>,
    shape: [usize; 4],
}

/// The number of values does not match the shape.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{found} values do not fill the shape {shape:?}")]
pub struct ShapeError {
    /// Number of values given.
    pub found: usize,
    /// Shape requested.
    pub shape: Vec<usize>,
}

impl ImageBatch {
    /// Wraps `values` as `[n, channels, height, width]`.
    ///
    /// # Errors
    /// [`ShapeError`] when the product of `shape` is not the number of values.
    pub fn new(values: Vec<f32>, shape: [usize; 4]) -> Result<Self, ShapeError> {
        if shape.iter().product::<usize>() == values.len() {
            Ok(Self { values, shape })
        } else {
            Err(ShapeError {
                found: values.len(),
                shape: shape.to_vec(),
            })
        }
    }

    /// `[n, channels, height, width]`.
    pub fn shape(&self) -> [usize; 4] {
        self.shape
    }

    /// Returns each image, row-major, if the images have the shape `expected` (`[channels, height, width]`).
    ///
    /// # Errors
    /// [`RunError::InputShape`] when the images have another shape.
    pub fn images(
        &self,
        expected: [usize; 3],
    ) -> Result<std::slice::ChunksExact<'_, f32>, RunError> {
        let [_, c, h, w] = self.shape;
        if [c, h, w] != expected {
            return Err(RunError::InputShape {
                expected,
                found: [c, h, w],
            });
        }
        // `chunks_exact` panics on 0. A batch of empty images has no chunks.
        Ok(self.values.chunks_exact((c * h * w).max(1)))
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.shape[0]
    }

    /// Returns whether the batch has no images.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All values, row-major.
    pub fn values(&self) -> &[f32] {
        &self.values
    }
}

/// Pre-softmax scores in natural-log units, row-major `[n, num_classes]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Logits {
    values: Vec<f32>,
    num_classes: usize,
}

impl Logits {
    /// Wraps `values` as `[values.len() / num_classes, num_classes]`.
    ///
    /// # Errors
    /// [`ShapeError`] when the values do not fill whole rows.
    pub fn new(values: Vec<f32>, num_classes: usize) -> Result<Self, ShapeError> {
        if num_classes > 0 && values.len().is_multiple_of(num_classes) {
            Ok(Self {
                values,
                num_classes,
            })
        } else {
            Err(ShapeError {
                found: values.len(),
                shape: vec![0, num_classes],
            })
        }
    }

    /// Wraps the output of a back end for `images` images.
    ///
    /// # Errors
    /// [`RunError::OutputShape`] when the output is not one row of `num_classes` values per image.
    pub fn answer(values: Vec<f32>, images: usize, num_classes: usize) -> Result<Self, RunError> {
        let found = values.len();
        if num_classes > 0 && images.checked_mul(num_classes) == Some(found) {
            return Ok(Self {
                values,
                num_classes,
            });
        }
        Err(RunError::OutputShape {
            images,
            classes: num_classes,
            found: vec![found],
        })
    }

    /// Number of classes.
    pub fn num_classes(&self) -> usize {
        self.num_classes
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.values.len() / self.num_classes
    }

    /// Returns whether there are no images.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// All values, row-major.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// One row per image.
    pub fn rows(&self) -> std::slice::ChunksExact<'_, f32> {
        self.values.chunks_exact(self.num_classes)
    }

    /// Appends the rows of `other`.
    ///
    /// # Errors
    /// [`ShapeError`] when the numbers of classes differ.
    pub fn extend(&mut self, other: &Self) -> Result<(), ShapeError> {
        if other.num_classes != self.num_classes {
            return Err(ShapeError {
                found: other.num_classes,
                shape: vec![self.len(), self.num_classes],
            });
        }
        self.values.extend_from_slice(&other.values);
        Ok(())
    }

    /// Returns the class with the largest score of `row` (the lowest index among ties) and whether the top score is
    /// tied.
    ///
    /// All tie-breaking happens here. `None` when the row is empty or has a NaN or an infinity: such a row has no
    /// decision.
    pub fn top1(row: &[f32]) -> Option<(usize, bool)> {
        let mut best: Option<(usize, f32, bool)> = None;
        for (class, &score) in row.iter().enumerate() {
            if !score.is_finite() {
                return None;
            }
            best = match best {
                Some((winner, top, tie)) if score <= top => {
                    Some((winner, top, tie || score >= top))
                }
                _ => Some((class, score, false)),
            };
        }
        best.map(|(class, _, tie)| (class, tie))
    }

    /// All classes of `row` by descending score, ties by ascending index; the first one is the class of
    /// [`Logits::top1`]. `None` where `top1` is `None`.
    pub fn ranked(row: &[f32]) -> Option<Vec<usize>> {
        Self::top1(row)?;
        let mut classes: Vec<usize> = (0..row.len()).collect();
        let order = |a: f32, b: f32| b.partial_cmp(&a).unwrap_or(Ordering::Equal);
        classes.sort_by(|&a, &b| order(row[a], row[b]));
        Some(classes)
    }
}

/// Softmax of one row of logits, in f64; sums to 1 for finite logits.
pub fn softmax(row: &[f32]) -> Vec<f64> {
    let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exps: Vec<f64> = row.iter().map(|&v| f64::from(v - top).exp()).collect();
    let sum: f64 = exps.iter().sum();
    exps.into_iter().map(|v| v / sum).collect()
}

/// A back end failed to run a batch.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The shape of the batch does not fit the model's input.
    #[error(
        "the model takes images of {expected:?} (channels, height, width) but the batch has {found:?}"
    )]
    InputShape {
        /// `[channels, height, width]` of the model.
        expected: [usize; 3],
        /// `[channels, height, width]` of the batch.
        found: [usize; 3],
    },
    /// The output does not fit the batch and the model's classes.
    #[error("expected logits of shape [{images}, {classes}] but the model returned {found:?}")]
    OutputShape {
        /// Images in the batch.
        images: usize,
        /// Classes of the model.
        classes: usize,
        /// Shape returned.
        found: Vec<usize>,
    },
    /// The back end failed.
    #[error("{backend} failed: {message}")]
    Backend {
        /// Name of the back end.
        backend: &'static str,
        /// The back end's message.
        message: String,
    },
}

/// A deployed model.
///
/// `&mut self` because back ends keep scratch buffers between calls.
pub trait Classifier: Send + Sync {
    /// Stable name used in reports, e.g. `tract`.
    fn name(&self) -> &'static str;

    /// Number of classes.
    fn num_classes(&self) -> usize;

    /// Shape of one image: `[channels, height, width]`.
    fn input_shape(&self) -> [usize; 3];

    /// Scores one batch; row `i` of the result belongs to image `i`.
    ///
    /// # Errors
    /// [`RunError`] when the back end rejects the shape or fails to execute.
    fn logits(&mut self, batch: &ImageBatch) -> Result<Logits, RunError>;

    /// Returns another classifier with the same weights, for use on another thread.
    fn fork(&self) -> Box<dyn Classifier>;
}

/// A classifier without a network, for tests: it splits the image's values into one equal part per class, and each
/// logit is the sum of one part.
#[derive(Clone, Debug)]
pub struct FakeClassifier {
    /// `[channels, height, width]`.
    pub input_shape: [usize; 3],
    /// Number of classes.
    pub num_classes: usize,
    /// Added to the logits, `[num_classes]`.
    pub offsets: Vec<f32>,
}

impl Classifier for FakeClassifier {
    fn name(&self) -> &'static str {
        "fake"
    }

    fn num_classes(&self) -> usize {
        self.num_classes
    }

    fn input_shape(&self) -> [usize; 3] {
        self.input_shape
    }

    fn fork(&self) -> Box<dyn Classifier> {
        Box::new(self.clone())
    }

    fn logits(&mut self, batch: &ImageBatch) -> Result<Logits, RunError> {
        let [n, c, h, w] = batch.shape();
        if [c, h, w] != self.input_shape {
            return Err(RunError::InputShape {
                expected: self.input_shape,
                found: [c, h, w],
            });
        }
        let pixels = c * h * w;
        if self.offsets.len() != self.num_classes || pixels < self.num_classes {
            return Err(RunError::OutputShape {
                images: n,
                classes: self.num_classes,
                found: vec![n, self.offsets.len()],
            });
        }
        let stretch = pixels / self.num_classes;
        let values = batch
            .values()
            .chunks_exact(pixels)
            .flat_map(|image| {
                image
                    .chunks_exact(stretch)
                    .zip(&self.offsets)
                    .map(|(s, o)| s.iter().sum::<f32>() + o)
            })
            .collect();
        Logits::new(values, self.num_classes).map_err(|e| RunError::OutputShape {
            images: n,
            classes: self.num_classes,
            found: e.shape,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranked_classes_begin_with_top1() {
        let check = |row: &[f32], expect: Option<&[usize]>| {
            assert_eq!(Logits::ranked(row).as_deref(), expect, "{row:?}");
            let first = expect.map(|classes| classes[0]);
            assert_eq!(Logits::top1(row).map(|(class, _)| class), first);
        };
        check(&[1.0, 3.0, 2.0], Some(&[1, 2, 0]));
        check(&[2.0, 1.0, 2.0], Some(&[0, 2, 1]));
        // The two zeros are equal.
        check(&[-0.0, 0.0, -1.0], Some(&[0, 1, 2]));
        check(&[1.0, f32::NAN], None);
        check(&[f32::INFINITY, 0.0], None);
        check(&[], None);
    }

    #[test]
    fn top1_takes_lowest_tied_class_and_refuses_nan() {
        let check = |row: &[f32], expect| assert_eq!(Logits::top1(row), expect, "{row:?}");
        check(&[1.0, 3.0, 2.0], Some((1, false)));
        check(&[3.0, 1.0, 3.0], Some((0, true)));
        check(&[1.0, 1.0, 3.0], Some((2, false)));
        check(&[], None);
        check(&[1.0, f32::NAN], None);
        check(&[f32::INFINITY, 0.0], None);
    }

    #[test]
    fn shapes_must_be_filled() {
        assert!(ImageBatch::new(vec![0.0; 12], [2, 1, 2, 3]).is_ok());
        assert!(ImageBatch::new(vec![0.0; 11], [2, 1, 2, 3]).is_err());
        assert!(Logits::new(vec![0.0; 7], 3).is_err());
        assert!(Logits::new(vec![], 0).is_err());
    }

    #[test]
    fn output_must_have_one_row_per_image() {
        assert_eq!(Logits::answer(vec![0.0; 6], 2, 3).unwrap().len(), 2);
        assert_eq!(Logits::answer(vec![], 0, 3).unwrap().len(), 0);
        let short = Logits::answer(vec![0.0; 5], 2, 3).unwrap_err();
        let message = "expected logits of shape [2, 3] but the model returned [5]";
        assert_eq!(short.to_string(), message);
        assert!(Logits::answer(vec![], 0, 0).is_err());
        let batch = ImageBatch::new(vec![0.0; 12], [2, 1, 2, 3]).unwrap();
        assert_eq!(batch.images([1, 2, 3]).unwrap().count(), 2);
        let turned = batch.images([1, 3, 2]).unwrap_err().to_string();
        assert!(
            turned.contains("[1, 3, 2]") && turned.contains("[1, 2, 3]"),
            "{turned}"
        );
    }

    #[test]
    fn fake_classifier_keeps_image_order() {
        let mut fake = FakeClassifier {
            input_shape: [1, 1, 4],
            num_classes: 2,
            offsets: vec![0.0, 0.5],
        };
        let batch =
            ImageBatch::new(vec![1.0, 2.0, 3.0, 4.0, 0.0, 0.0, 0.0, 1.0], [2, 1, 1, 4]).unwrap();
        assert_eq!(fake.logits(&batch).unwrap().values(), [3.0, 7.5, 0.0, 1.5]);
    }

    #[test]
    fn softmax_is_stable() {
        let p = softmax(&[1000.0, 1000.0]);
        assert!((p[0] - 0.5).abs() < 1e-15 && (p[1] - 0.5).abs() < 1e-15);
    }
}
