//! Sums over images: masses, confidences, distances.

use crate::image::{Image, Softmax};
use crate::report::{LogitDistance, Sides};

/// Number of confidence bins of the calibration error.
const BINS: usize = 15;

/// Sums over some images. Images with a NaN or infinite logit are counted, but otherwise left out.
#[derive(Clone, Debug)]
pub(crate) struct Sums {
    pub(crate) before: SideSums,
    pub(crate) after: SideSums,
    images: usize,
    non_finite: usize,
    max_diff: f64,
    squared_diff: f64,
    centered_diff: f64,
    centered_reference: f64,
    divergence: f64,
    values: usize,
}

/// Sums of one classifier.
#[derive(Clone, Debug)]
pub(crate) struct SideSums {
    /// Sum of the probabilities of each class.
    pub(crate) mass: Vec<f64>,
    bins: [Bin; BINS],
}

#[derive(Clone, Copy, Debug, Default)]
struct Bin {
    confidence: f64,
    right: f64,
    images: f64,
}

impl Sums {
    pub(crate) fn new(classes: usize) -> Self {
        let side = SideSums {
            mass: vec![0.0; classes],
            bins: [Bin::default(); BINS],
        };
        Self {
            before: side.clone(),
            after: side,
            images: 0,
            non_finite: 0,
            max_diff: 0.0,
            squared_diff: 0.0,
            centered_diff: 0.0,
            centered_reference: 0.0,
            divergence: 0.0,
            values: 0,
        }
    }

    /// Adds one image with the logits `rows`.
    pub(crate) fn add(&mut self, image: &Image, rows: [&[f32]; 2], softmax: [&Softmax; 2]) {
        let [p, q] = softmax.map(|side| side.probabilities.as_slice());
        self.before
            .add(image.was_right(), image.before.confidence, p);
        self.after.add(image.is_right(), image.after.confidence, q);
        self.images += 1;
        if p.is_empty() || q.is_empty() {
            self.non_finite += 1;
            return;
        }
        self.distance(rows, softmax);
    }

    /// Adds the distance between two finite rows.
    fn distance(&mut self, [before, after]: [&[f32]; 2], [p, q]: [&Softmax; 2]) {
        let classes = before.len() as f64;
        let mut most = 0.0_f64;
        let (mut squares, mut sum) = (0.0, 0.0);
        let (mut own, mut own_squares, mut expected) = (0.0, 0.0, 0.0);
        for ((&a, &b), &p) in before.iter().zip(after).zip(&p.probabilities) {
            let diff = f64::from(a) - f64::from(b);
            most = most.max(diff.abs());
            squares += diff * diff;
            sum += diff;
            own += f64::from(a);
            own_squares += f64::from(a) * f64::from(a);
            expected += f64::from(p) * diff;
        }
        self.values += before.len();
        self.max_diff = self.max_diff.max(most);
        self.squared_diff += squares;
        // Rounding must not make a sum of squares negative.
        self.centered_diff += (squares - sum * sum / classes).max(0.0);
        self.centered_reference += (own_squares - own * own / classes).max(0.0);
        // KL(p || q) = sum p (a - b) + ln sum exp b - ln sum exp a
        self.divergence += (expected + q.log_sum - p.log_sum).max(0.0);
    }

    /// Adds the sums of later images.
    pub(crate) fn merge(&mut self, later: &Self) {
        self.before.merge(&later.before);
        self.after.merge(&later.after);
        self.images += later.images;
        self.non_finite += later.non_finite;
        self.max_diff = self.max_diff.max(later.max_diff);
        self.squared_diff += later.squared_diff;
        self.centered_diff += later.centered_diff;
        self.centered_reference += later.centered_reference;
        self.divergence += later.divergence;
        self.values += later.values;
    }

    /// Largest difference of any logit; `None` when one was NaN or infinite.
    pub(crate) fn max_diff(&self) -> Option<f64> {
        (self.non_finite == 0).then_some(self.max_diff)
    }

    /// Distance between the logits of all images; `None` without images, or when a logit was NaN or infinite.
    pub(crate) fn distance_of_all(&self) -> Option<LogitDistance> {
        (self.non_finite == 0 && self.images > 0).then(|| LogitDistance {
            rms: (self.squared_diff / self.values as f64).sqrt(),
            signal_to_noise_db: (self.centered_diff > 0.0 && self.centered_reference > 0.0)
                .then(|| 10.0 * (self.centered_reference / self.centered_diff).log10()),
            mean_kl: self.divergence / self.images as f64,
        })
    }

    pub(crate) fn calibration_error(&self) -> Sides<f64> {
        Sides {
            reference: self.before.calibration_error(),
            candidate: self.after.calibration_error(),
        }
    }
}

impl SideSums {
    fn add(&mut self, right: bool, confidence: f32, probabilities: &[f32]) {
        if probabilities.is_empty() {
            return;
        }
        for (mass, &p) in self.mass.iter_mut().zip(probabilities) {
            *mass += f64::from(p);
        }
        let confidence = f64::from(confidence);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "0 to 1 times a small number"
        )]
        let bin = ((confidence * BINS as f64) as usize).min(BINS - 1);
        let bin = &mut self.bins[bin];
        bin.confidence += confidence;
        bin.right += f64::from(u8::from(right));
        bin.images += 1.0;
    }

    fn merge(&mut self, later: &Self) {
        for (mass, more) in self.mass.iter_mut().zip(&later.mass) {
            *mass += more;
        }
        for (bin, more) in self.bins.iter_mut().zip(&later.bins) {
            bin.confidence += more.confidence;
            bin.right += more.right;
            bin.images += more.images;
        }
    }

    fn calibration_error(&self) -> f64 {
        let images: f64 = self.bins.iter().map(|bin| bin.images).sum();
        let apart: f64 = self
            .bins
            .iter()
            .map(|bin| (bin.confidence - bin.right).abs())
            .sum();
        if images > 0.0 { apart / images } else { 0.0 }
    }

    /// Number of images with a decision.
    pub(crate) fn decided(&self) -> f64 {
        self.bins.iter().map(|bin| bin.images).sum()
    }
}
