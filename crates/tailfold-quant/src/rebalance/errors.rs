//! The measured quantization error of each logit.

use tailfold_spec::Logits;

use crate::affine::to_f32;
use crate::logits::difference;

/// The error of each logit of each image, minus the mean error of the image, on which softmax does not
/// depend.
pub(super) struct LogitErrors<'a> {
    /// `[images][classes]`, in logits.
    pub(super) rows: Vec<Vec<f64>>,
    weights: Option<&'a [f64]>,
}

impl<'a> LogitErrors<'a> {
    /// Measures the errors of `quantized` against `float`; `weights` `[images]` weights the images, equally when
    /// `None`.
    pub(super) fn of(float: &Logits, quantized: &Logits, weights: Option<&'a [f64]>) -> Self {
        let pairs = float.rows().zip(quantized.rows());
        Self {
            rows: pairs
                .map(|(before, after)| centred(before, after))
                .collect(),
            weights,
        }
    }

    /// Returns the weight of image `image`.
    pub(super) fn weight(&self, image: usize) -> f64 {
        self.weights.map_or(1.0, |w| w[image])
    }

    /// Returns the root mean square error of each logit over the images, `[classes]`, which is the largest shift of a
    /// class.
    ///
    /// It contains both the mean error and the spread about it. The mean error alone would be too small a limit: bias
    /// correction brings it near 0 over all images, but only the images that could be of the class move its mass, and
    /// their error can be as large as the spread.
    pub(super) fn root_mean_squares(&self) -> Vec<f64> {
        let mut squares = vec![0.0; self.rows.first().map_or(0, Vec::len)];
        let mut total = 0.0;
        for (image, row) in self.rows.iter().enumerate() {
            let weight = self.weight(image);
            total += weight;
            squares
                .iter_mut()
                .zip(row)
                .for_each(|(s, e)| *s += weight * e * e);
        }
        squares
            .into_iter()
            .map(|s: f64| (s / total).sqrt())
            .collect()
    }
}

fn centred(before: &[f32], after: &[f32]) -> Vec<f64> {
    let pairs = before.iter().zip(after);
    let errors: Vec<f64> = pairs.map(|(b, a)| difference(*b, *a)).collect();
    let mean = errors.iter().sum::<f64>() / errors.len().max(1) as f64;
    errors.into_iter().map(|e| e - mean).collect()
}

/// Returns `logits` with `shifts` `[classes]` added to each row.
pub(crate) fn shifted(logits: &Logits, shifts: &[f64]) -> Logits {
    let shifts = shifts.iter().cycle();
    let moved = logits.values().iter().zip(shifts);
    let values = moved.map(|(&v, h)| to_f32(f64::from(v) + h)).collect();
    Logits::new(values, logits.num_classes()).unwrap_or_else(|_| logits.clone())
}
