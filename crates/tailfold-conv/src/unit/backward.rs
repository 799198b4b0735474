//! The backward pass of a unit.

use rayon::prelude::*;

use super::{Unit, Weights, deviations, narrow};
use crate::data_gradient::DataGradient;
use crate::framed::Frame;
use crate::rows::{GradientRow, GradientSums, Slopes, fold, pattern};
use crate::weight_gradient::WeightGradient;

/// Number of groups into which sums split a batch. It is fixed, so that sums do not depend on the number of threads.
const GROUPS: usize = 16;

/// Values of the forward pass that the backward pass reads.
#[derive(Debug, Clone, Copy)]
pub struct Tape<'a> {
    /// The unit's input.
    pub x: &'a [f32],
    /// [`Trained::u`](super::Trained::u).
    pub u: &'a [f32],
    /// [`Trained::y`](super::Trained::y).
    pub y: &'a [f32],
    /// [`Trained::mean`](super::Trained::mean).
    pub mean: &'a [f32],
    /// [`Trained::variance`](super::Trained::variance).
    pub variance: &'a [f32],
}

/// Gradients of a unit's parameters.
#[derive(Debug, Clone)]
pub struct Gradients {
    /// `[c_out, c_in, kh, kw]`.
    pub conv: Vec<f32>,
    /// `[c_out]`.
    pub gamma: Vec<f32>,
    /// `[c_out]`.
    pub beta: Vec<f32>,
}

/// Buffers that receive the gradients of images; `None` skips a gradient.
#[derive(Debug, Default)]
pub struct ImageGradients<'a> {
    /// Gradient of the input, `[n, h, w, c_in]`.
    pub x: Option<&'a mut [f32]>,
    /// Whether to add to `x` instead of overwriting it.
    pub add_x: bool,
    /// Gradient of the residual, `[n, h', w', c_out]`.
    pub residual: Option<&'a mut [f32]>,
}

impl Unit {
    /// The backward pass. `grad` is the gradient of `y`, `[n, h', w', c_out]`.
    ///
    /// # Panics
    /// When the length of a slice does not match the shape.
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

    /// Sums per channel of `g` and of `g * (u - mean)`, where `g` is the gradient of the activation's input.
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

    /// Writes the gradients of the images and returns the gradient of the convolution's weight.
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
}

/// Splits the slice into `groups` parts of `len` values, the last of which may be shorter. Without a slice, every part
/// is `None`.
fn split(slice: Option<&mut [f32]>, len: usize, groups: usize) -> Vec<Option<&mut [f32]>> {
    match slice {
        Some(slice) => slice.chunks_mut(len).map(Some).collect(),
        None => (0..groups).map(|_| None).collect(),
    }
}
