//! The measured quantization error of each logit.

use tailfold_spec::Logits;

use crate::affine::to_f32;

/// What quantization does to each logit of each image, but for the part that all classes of the image share: no softmax sees that.
pub(super) struct LogitErrors<'a> {
    /// `[images][classes]`, in logits.
    pub(super) rows: Vec<Vec<f64>>,
    weights: Option<&'a [f64]>,
}

impl<'a> LogitErrors<'a> {
    /// Of images that count by `weights`, or all alike.
    pub(super) fn of(float: &Logits, quantized: &Logits, weights: Option<&'a [f64]>) -> Self {
        let pairs = float.rows().zip(quantized.rows());
        Self {
            rows: pairs
                .map(|(before, after)| centred(before, after))
                .collect(),
            weights,
        }
    }

    /// How much image `image` counts.
    pub(super) fn weight(&self, image: usize) -> f64 {
        self.weights.map_or(1.0, |w| w[image])
    }

    /// Root mean square error of each logit over the images, `[classes]`.
    ///
    /// This is the largest shift that a class gets. It is the error of the mean and the spread about it in one number. The mean
    /// alone would say too little: the correction of the biases brings it near 0 over all images, while the error on the
    /// images that could be of the class, which alone move the class's mass, can be as large as the spread.
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
    let errors = before.iter().zip(after).map(|(b, a)| f64::from(a - b));
    let errors: Vec<f64> = errors.collect();
    let mean = errors.iter().sum::<f64>() / errors.len().max(1) as f64;
    errors.into_iter().map(|e| e - mean).collect()
}

/// `logits` with `shifts` `[classes]` added to each row.
pub(crate) fn shifted(logits: &Logits, shifts: &[f64]) -> Logits {
    let shifts = shifts.iter().cycle();
    let moved = logits.values().iter().zip(shifts);
    let values = moved.map(|(&v, h)| to_f32(f64::from(v) + h)).collect();
    Logits::new(values, logits.num_classes()).unwrap_or_else(|_| logits.clone())
}
