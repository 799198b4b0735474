//! Convolution, batch normalisation, residual and activation as one unit of training.

use rayon::prelude::*;

use crate::data_gradient::DataGradient;
use crate::forward::Forward;
use crate::framed::Frame;
use crate::lanes::Isa;
use crate::rows::{
    GradientRow, GradientSums, Normalise, Slopes, SquaredDeviation, Sum, fold, pattern, pattern_len,
};
use crate::shape::{ConvShape, ShapeError};
use crate::weight_gradient::WeightGradient;

/// Groups into which a batch is split for sums; fixed, so that no sum depends on the number of threads.
const GROUPS: usize = 16;

/// `relu(norm(conv(x)) + residual)`, images `[n, h, w, c]`.
#[derive(Debug, Clone, Copy)]
pub struct Unit {
    isa: Isa,
    shape: ConvShape,
    output: [usize; 2],
    activate: bool,
}

/// Learned values of a unit.
#[derive(Debug, Clone, Copy)]
pub struct Weights<'a> {
    /// `[c_out, c_in, kh, kw]`.
    pub conv: &'a [f32],
    /// Factor of the normalised values, `[c_out]`.
    pub gamma: &'a [f32],
    /// Added to them, `[c_out]`.
    pub beta: &'a [f32],
    /// Added to the variance.
    pub epsilon: f32,
}

/// What a forward pass in training leaves.
#[derive(Debug, Clone)]
pub struct Trained {
    /// The convolution's result, `[n, h', w', c_out]`.
    pub u: Vec<f32>,
    /// The unit's result, `[n, h', w', c_out]`.
    pub y: Vec<f32>,
    /// Mean of `u` over images and pixels, `[c_out]`.
    pub mean: Vec<f32>,
    /// Its variance, divided by the count, `[c_out]`.
    pub variance: Vec<f32>,
}

/// What the backward pass reads.
#[derive(Debug, Clone, Copy)]
pub struct Tape<'a> {
    /// The unit's input.
    pub x: &'a [f32],
    /// [`Trained::u`].
    pub u: &'a [f32],
    /// [`Trained::y`].
    pub y: &'a [f32],
    /// [`Trained::mean`].
    pub mean: &'a [f32],
    /// [`Trained::variance`].
    pub variance: &'a [f32],
}

/// Gradients of a unit.
#[derive(Debug, Clone)]
pub struct Gradients {
    /// `[c_out, c_in, kh, kw]`.
    pub conv: Vec<f32>,
    /// `[c_out]`.
    pub gamma: Vec<f32>,
    /// `[c_out]`.
    pub beta: Vec<f32>,
}

/// Where the gradients of images go.
#[derive(Debug, Default)]
pub struct ImageGradients<'a> {
    /// That of the input, `[n, h, w, c_in]`.
    pub x: Option<&'a mut [f32]>,
    /// Add to what is in `x`.
    pub add_x: bool,
    /// That of the residual, `[n, h', w', c_out]`.
    pub residual: Option<&'a mut [f32]>,
}

impl Unit {
    /// A unit for `shape` on the vector unit `isa`, with a ReLU when `activate`.
    ///
    /// # Errors
    /// [`ShapeError`] when there is no such convolution.
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

    /// The forward pass in training; normalises with the batch's own mean and variance.
    ///
    /// `space` becomes [`Trained::u`] and [`Trained::y`], whatever it holds.
    ///
    /// # Panics
    /// When a slice has another length than the shape says.
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

    /// The forward pass with a given mean and variance, `[c_out]` each, into `space`, whatever it holds.
    ///
    /// # Panics
    /// When a slice has another length than the shape says.
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

    /// The backward pass: `grad` is that of `y`, `[n, h', w', c_out]`.
    ///
    /// # Panics
    /// When a slice has another length than the shape says.
    pub fn backward(
        &self,
        tape: Tape<'_>,
        weights: Weights<'_>,
        grad: &[f32],
        images: ImageGradients<'_>,
    ) -> Gradients {
        self.check(tape.x, weights);
        let (channels, len) = (self.shape.c_out, self.image_len());
        for (values, name) in [(tape.u, "u"), (tape.y, "y"), (grad, "the gradient")] {
            assert_eq!(values.len(), self.shape.n * len, "values of {name}");
        }
        if let Some(x) = &images.x {
            assert_eq!(x.len(), tape.x.len(), "values of the input's gradient");
        }
        if let Some(residual) = &images.residual {
            let expected = self.shape.n * len;
            assert_eq!(
                residual.len(),
                expected,
                "values of the residual's gradient"
            );
        }
        let (beta, products) = self.gradient_sums(tape, grad);
        let count = (self.shape.n * self.output[0] * self.output[1]) as f64;
        let inverse: Vec<f64> = deviations(tape.variance, weights.epsilon)
            .map(f64::recip)
            .collect();
        let gamma: Vec<f64> = products.iter().zip(&inverse).map(|(p, i)| p * i).collect();
        let coefficient = |f: &dyn Fn(usize) -> f64| {
            let values: Vec<f32> = (0..channels).map(|c| narrow(f(c))).collect();
            pattern(&values, self.pattern_len())
        };
        let scale = |c: usize| f64::from(weights.gamma[c]) * inverse[c];
        let slopes = Slopes {
            mean: pattern(tape.mean, self.pattern_len()),
            scale: coefficient(&scale),
            slope: coefficient(&|c| -scale(c) * inverse[c] * gamma[c] / count),
            offset: coefficient(&|c| scale(c) * beta[c] / count),
        };
        let conv = self.image_gradients(tape, weights.conv, grad, &slopes, images);
        Gradients {
            conv,
            gamma: gamma.into_iter().map(narrow).collect(),
            beta: beta.into_iter().map(narrow).collect(),
        }
    }

    /// Per channel the sums of `g` and of `g * (u - mean)`, where `g` is the gradient before the activation.
    fn gradient_sums(&self, tape: Tape<'_>, grad: &[f32]) -> (Vec<f64>, Vec<f64>) {
        let (channels, len) = (self.shape.c_out, self.image_len());
        let mean = pattern(tape.mean, self.pattern_len());
        let mut sums = vec![0.0f64; self.shape.n * 2 * channels];
        sums.par_chunks_mut(2 * channels).enumerate().for_each_init(
            || vec![0.0f32; 2 * mean.len()],
            |rows, (i, sums)| {
                let here = i * len..(i + 1) * len;
                rows.fill(0.0);
                let (grads, products) = rows.split_at_mut(mean.len());
                self.isa.run(GradientSums {
                    grad: &grad[here.clone()],
                    y: &tape.y[here.clone()],
                    u: &tape.u[here],
                    mean: &mean,
                    activate: self.activate,
                    grads,
                    products,
                });
                let (g, p) = sums.split_at_mut(channels);
                fold(grads, g);
                fold(products, p);
            },
        );
        let mut total = vec![0.0f64; 2 * channels];
        for image in sums.chunks_exact(2 * channels) {
            for (total, value) in total.iter_mut().zip(image) {
                *total += value;
            }
        }
        let products = total.split_off(channels);
        (total, products)
    }

    /// Gradients that images have, and the weight's.
    fn image_gradients(
        &self,
        tape: Tape<'_>,
        conv: &[f32],
        grad: &[f32],
        slopes: &Slopes,
        images: ImageGradients<'_>,
    ) -> Vec<f32> {
        let shape = self.shape;
        let (len, x_len) = (self.image_len(), shape.input_len());
        let group = shape.n.div_ceil(GROUPS);
        let data = DataGradient::new(self.isa, shape, self.output, conv);
        let weight = WeightGradient::new(self.isa, shape, self.output);
        let input = Frame::of_input(&shape);
        let add = images.add_x;
        let x_groups = split(images.x, group * x_len, shape.n.div_ceil(group));
        let r_groups = split(images.residual, group * len, shape.n.div_ceil(group));
        let sums: Vec<Vec<f32>> = x_groups
            .into_par_iter()
            .zip(r_groups)
            .enumerate()
            .map(|(g, (mut dx, mut dr))| {
                let mut sums = weight.zeros();
                let mut framed = if input.is_bare() {
                    Vec::new()
                } else {
                    input.zeros()
                };
                let mut du = data.frame.zeros();
                let from = g * group;
                for i in from..(from + group).min(shape.n) {
                    let row_len = self.output[1] * shape.c_out;
                    for (y, out) in data.frame.rows_mut(&mut du).enumerate() {
                        let at = i * len + y * row_len;
                        let here = at..at + row_len;
                        let local = (i - from) * len + y * row_len;
                        self.isa.run(GradientRow {
                            slopes,
                            grad: &grad[here.clone()],
                            y: &tape.y[here.clone()],
                            u: &tape.u[here],
                            activate: self.activate,
                            out,
                            before: dr.as_deref_mut().map(|r| &mut r[local..local + row_len]),
                        });
                    }
                    let x = &tape.x[i * x_len..(i + 1) * x_len];
                    let x = if input.is_bare() {
                        x
                    } else {
                        input.fill(x, &mut framed);
                        &framed
                    };
                    weight.image(x, &du, &mut sums);
                    if let Some(dx) = dx.as_deref_mut() {
                        let local = (i - from) * x_len;
                        data.image(&du, &mut dx[local..local + x_len], add);
                    }
                }
                sums
            })
            .collect();
        weight.finish(&sums)
    }

    /// Mean and summed squared deviation of one image, channel by channel.
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

/// The slice in `groups` parts of `len` values, the last one shorter; as many times nothing where there is none.
fn split(slice: Option<&mut [f32]>, len: usize, groups: usize) -> Vec<Option<&mut [f32]>> {
    match slice {
        Some(slice) => slice.chunks_mut(len).map(Some).collect(),
        None => (0..groups).map(|_| None).collect(),
    }
}

/// Mean and variance of all images from those of each, first to last (Chan, Golub and LeVeque 1983).
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

/// Factor and summand that normalise a channel.
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

/// To the nearest float.
#[expect(
    clippy::cast_possible_truncation,
    reason = "sums are taken in double precision and kept in single"
)]
fn narrow(x: f64) -> f32 {
    x as f32
}

#[cfg(test)]
mod tests;
