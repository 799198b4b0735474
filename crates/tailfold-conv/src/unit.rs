//! A convolution with batch normalisation, residual and activation, trained as one unit.

mod backward;

use rayon::prelude::*;

pub use backward::{Gradients, ImageGradients, Tape};

use crate::forward::Forward;
use crate::lanes::Isa;
use crate::rows::{Normalise, SquaredDeviation, Sum, fold, pattern, pattern_len};
use crate::shape::{ConvShape, ShapeError};

/// `relu(norm(conv(x)) + residual)`, images `[n, h, w, c]`.
#[derive(Debug, Clone, Copy)]
pub struct Unit {
    isa: Isa,
    shape: ConvShape,
    output: [usize; 2],
    activate: bool,
}

/// Parameters of a unit.
#[derive(Debug, Clone, Copy)]
pub struct Weights<'a> {
    /// `[c_out, c_in, kh, kw]`.
    pub conv: &'a [f32],
    /// Scale of the normalised values, `[c_out]`.
    pub gamma: &'a [f32],
    /// Shift of the normalised values, `[c_out]`.
    pub beta: &'a [f32],
    /// Small constant that is added to the variance.
    pub epsilon: f32,
}

/// Results of a forward pass in training.
#[derive(Debug, Clone)]
pub struct Trained {
    /// The convolution's result, `[n, h', w', c_out]`.
    pub u: Vec<f32>,
    /// The unit's result, `[n, h', w', c_out]`.
    pub y: Vec<f32>,
    /// Mean of `u` over images and pixels, `[c_out]`.
    pub mean: Vec<f32>,
    /// Biased variance of `u` over images and pixels (divided by their number), `[c_out]`.
    pub variance: Vec<f32>,
}

impl Unit {
    /// A unit for `shape` with the instruction set `isa`. `activate` adds a ReLU.
    ///
    /// # Errors
    /// [`ShapeError`] when a side is zero or the kernel does not fit.
    pub fn new(isa: Isa, shape: ConvShape, activate: bool) -> Result<Self, ShapeError> {
        shape.output()?;
        let shape = shape.flattened();
        Ok(Self {
            isa,
            shape,
            output: shape.output()?,
            activate,
        })
    }

    fn image_len(&self) -> usize {
        self.output[0] * self.output[1] * self.shape.c_out
    }

    fn pattern_len(&self) -> usize {
        pattern_len(self.output[1], self.shape.c_out)
    }

    /// Convolves the image `x` to `u`.
    fn convolve(&self, conv: &Forward, framed: &mut Vec<f32>, x: &[f32], u: &mut [f32]) {
        if conv.frame.is_bare() {
            conv.image(x, u);
        } else {
            if framed.is_empty() {
                *framed = conv.frame.zeros();
            }
            conv.frame.fill(x, framed);
            conv.image(framed, u);
        }
    }

    /// The forward pass in training, which normalises with the batch's own mean and variance.
    ///
    /// [`Trained::u`] and [`Trained::y`] reuse the memory of `space`; its contents do not matter.
    ///
    /// # Panics
    /// When the length of a slice does not match the shape.
    pub fn forward(
        &self,
        x: &[f32],
        weights: Weights<'_>,
        residual: Option<&[f32]>,
        space: [Vec<f32>; 2],
    ) -> Trained {
        let (channels, len) = (self.shape.c_out, self.image_len());
        self.check(x, weights);
        let conv = Forward::new(self.isa, self.shape, self.output, weights.conv);
        let [mut u, mut y] = space;
        u.resize(self.shape.n * len, 0.0);
        y.resize(self.shape.n * len, 0.0);
        let mut moments = vec![0.0f64; self.shape.n * 2 * channels];
        u.par_chunks_mut(len)
            .zip(x.par_chunks(self.shape.input_len()))
            .zip(moments.par_chunks_mut(2 * channels))
            .for_each_init(Vec::new, |framed, ((u, x), moments)| {
                self.convolve(&conv, framed, x, u);
                let (mean, squares) = moments.split_at_mut(channels);
                self.moments(u, mean, squares);
            });
        let pixels = (self.output[0] * self.output[1]) as f64;
        let (mean, variance) = combine(&moments, channels, pixels);
        let (scale, shift) = affine(weights, &mean, &variance);
        self.normalise(&u, &scale, &shift, residual, &mut y);
        Trained {
            u,
            y,
            mean,
            variance,
        }
    }

    /// The forward pass with a given mean and variance, `[c_out]` each.
    ///
    /// The result reuses the memory of `space`; its contents do not matter.
    ///
    /// # Panics
    /// When the length of a slice does not match the shape.
    pub fn infer(
        &self,
        x: &[f32],
        weights: Weights<'_>,
        [mean, variance]: [&[f32]; 2],
        residual: Option<&[f32]>,
        space: Vec<f32>,
    ) -> Vec<f32> {
        let len = self.image_len();
        self.check(x, weights);
        assert_eq!(mean.len(), self.shape.c_out, "values of the mean");
        assert_eq!(variance.len(), self.shape.c_out, "values of the variance");
        if let Some(residual) = residual {
            assert_eq!(residual.len(), self.shape.n * len, "values of the residual");
        }
        let conv = Forward::new(self.isa, self.shape, self.output, weights.conv);
        let (scale, shift) = affine(weights, mean, variance);
        let repeat = |values: &[f32]| pattern(values, self.pattern_len());
        let (scale, shift) = (repeat(&scale), repeat(&shift));
        let mut y = space;
        y.resize(self.shape.n * len, 0.0);
        y.par_chunks_mut(len)
            .zip(x.par_chunks(self.shape.input_len()))
            .enumerate()
            .for_each_init(Vec::new, |framed, (i, (y, x))| {
                self.convolve(&conv, framed, x, y);
                self.isa.run(Normalise {
                    x: None,
                    scale: &scale,
                    shift: &shift,
                    residual: residual.map(|r| &r[i * len..(i + 1) * len]),
                    activate: self.activate,
                    out: y,
                });
            });
        y
    }

    /// Mean and sum of squared deviations of one image per channel.
    fn moments(&self, u: &[f32], mean: &mut [f64], squares: &mut [f64]) {
        let len = self.pattern_len();
        let mut sums = vec![0.0f32; len];
        self.isa.run(Sum {
            x: u,
            sums: &mut sums,
        });
        fold(&sums, mean);
        let pixels = (self.output[0] * self.output[1]) as f64;
        for mean in mean.iter_mut() {
            *mean /= pixels;
        }
        let centre: Vec<f32> = mean.iter().map(|m| narrow(*m)).collect();
        sums.fill(0.0);
        self.isa.run(SquaredDeviation {
            x: u,
            mean: &pattern(&centre, len),
            sums: &mut sums,
        });
        fold(&sums, squares);
    }

    fn normalise(
        &self,
        u: &[f32],
        scale: &[f32],
        shift: &[f32],
        residual: Option<&[f32]>,
        out: &mut [f32],
    ) {
        let len = self.image_len();
        let repeat = |values: &[f32]| pattern(values, self.pattern_len());
        let (scale, shift) = (repeat(scale), repeat(shift));
        out.par_chunks_mut(len).enumerate().for_each(|(i, out)| {
            let here = i * len..(i + 1) * len;
            self.isa.run(Normalise {
                x: Some(&u[here.clone()]),
                scale: &scale,
                shift: &shift,
                residual: residual.map(|r| &r[here.clone()]),
                activate: self.activate,
                out,
            });
        });
    }

    fn check(&self, x: &[f32], weights: Weights<'_>) {
        let shape = &self.shape;
        assert_eq!(x.len(), shape.n * shape.input_len(), "values of the input");
        assert_eq!(
            weights.conv.len(),
            shape.weight_len(),
            "values of the weight"
        );
        assert_eq!(weights.gamma.len(), shape.c_out, "values of gamma");
        assert_eq!(weights.beta.len(), shape.c_out, "values of beta");
    }
}

/// Combines the moments of each image, first to last, to mean and variance of all images (Chan, Golub and LeVeque
/// 1983).
fn combine(moments: &[f64], channels: usize, pixels: f64) -> (Vec<f32>, Vec<f32>) {
    let mut mean = vec![0.0f64; channels];
    let mut squares = vec![0.0f64; channels];
    let mut count = 0.0;
    for image in moments.chunks_exact(2 * channels) {
        let (of_mean, of_squares) = image.split_at(channels);
        let total = count + pixels;
        for c in 0..channels {
            let d = of_mean[c] - mean[c];
            mean[c] += d * pixels / total;
            squares[c] += of_squares[c] + d * d * count * pixels / total;
        }
        count = total;
    }
    let variance = squares.into_iter().map(|s| narrow(s / count)).collect();
    (mean.into_iter().map(narrow).collect(), variance)
}

fn deviations(variance: &[f32], epsilon: f32) -> impl Iterator<Item = f64> {
    variance
        .iter()
        .map(move |v| (f64::from(*v) + f64::from(epsilon)).sqrt())
}

/// Scale and shift per channel that normalise and apply `gamma` and `beta`.
fn affine(weights: Weights<'_>, mean: &[f32], variance: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let scale: Vec<f64> = deviations(variance, weights.epsilon)
        .zip(weights.gamma)
        .map(|(d, gamma)| f64::from(*gamma) / d)
        .collect();
    let shift = weights.beta.iter().zip(mean).zip(&scale);
    let shift =
        shift.map(|((beta, mean), scale)| narrow(f64::from(*beta) - f64::from(*mean) * scale));
    let shift = shift.collect();
    (scale.into_iter().map(narrow).collect(), shift)
}

/// Rounds to the nearest `f32`.
#[expect(
    clippy::cast_possible_truncation,
    reason = "sums are accumulated in double precision and stored in single precision"
)]
fn narrow(x: f64) -> f32 {
    x as f32
}

#[cfg(test)]
mod tests;
