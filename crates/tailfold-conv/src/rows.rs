//! Batch normalisation on rows of pixels. Each channel's coefficients are repeated along the row (a pattern), so that
//! every loop is one flat pass.

use crate::lanes::{Lanes, Task};

/// Number of values in a pattern that still fit into the L1 cache beside the data.
const PATTERN: usize = 1024;

/// Length of a pattern: a whole number of pixels that divides a row of `width` pixels.
pub(crate) fn pattern_len(width: usize, channels: usize) -> usize {
    let most = (PATTERN / channels).clamp(1, width);
    let pixels = (1..=most).rev().find(|p| width.is_multiple_of(*p));
    pixels.unwrap_or(1) * channels
}

/// Repeats the coefficients, one per channel, to a pattern of `len` values.
pub(crate) fn pattern(coefficients: &[f32], len: usize) -> Vec<f32> {
    coefficients.iter().copied().cycle().take(len).collect()
}

/// Sums a pattern over its pixels, first to last, into one value per channel.
pub(crate) fn fold(sums: &[f32], channels: &mut [f64]) {
    channels.fill(0.0);
    for pixel in sums.chunks_exact(channels.len()) {
        for (channel, value) in channels.iter_mut().zip(pixel) {
            *channel += f64::from(*value);
        }
    }
}

/// `sums += x`, pattern by pattern.
pub(crate) struct Sum<'a> {
    pub(crate) x: &'a [f32],
    pub(crate) sums: &'a mut [f32],
}

impl Task for Sum<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self) {
        for x in self.x.chunks_exact(self.sums.len()) {
            for (sum, x) in self.sums.iter_mut().zip(x) {
                *sum += x;
            }
        }
    }
}

/// `sums += (x - mean)^2`, pattern by pattern.
pub(crate) struct SquaredDeviation<'a> {
    pub(crate) x: &'a [f32],
    pub(crate) mean: &'a [f32],
    pub(crate) sums: &'a mut [f32],
}

impl Task for SquaredDeviation<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self) {
        for x in self.x.chunks_exact(self.mean.len()) {
            for ((sum, x), mean) in self.sums.iter_mut().zip(x).zip(self.mean) {
                let d = x - mean;
                *sum = d.mul_add(d, *sum);
            }
        }
    }
}

/// `out = relu(x * scale + shift + residual)`. With `None` for `x`, `out` is also the input.
pub(crate) struct Normalise<'a> {
    pub(crate) x: Option<&'a [f32]>,
    pub(crate) scale: &'a [f32],
    pub(crate) shift: &'a [f32],
    pub(crate) residual: Option<&'a [f32]>,
    pub(crate) activate: bool,
    pub(crate) out: &'a mut [f32],
}

impl Task for Normalise<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self) {
        let floor = floor(self.activate);
        // Unlike `max`, this comparison keeps NaN.
        let finish = |x: f32| if x < floor { floor } else { x };
        let len = self.scale.len();
        for (i, out) in self.out.chunks_exact_mut(len).enumerate() {
            let here = i * len..(i + 1) * len;
            let coefficients = self.scale.iter().zip(self.shift);
            match (self.x, self.residual) {
                (Some(x), None) => {
                    for ((out, x), (scale, shift)) in out.iter_mut().zip(&x[here]).zip(coefficients)
                    {
                        *out = finish(x.mul_add(*scale, *shift));
                    }
                }
                (Some(x), Some(r)) => {
                    for (((out, x), r), (scale, shift)) in out
                        .iter_mut()
                        .zip(&x[here.clone()])
                        .zip(&r[here])
                        .zip(coefficients)
                    {
                        *out = finish(x.mul_add(*scale, *shift) + r);
                    }
                }
                (None, None) => {
                    for (out, (scale, shift)) in out.iter_mut().zip(coefficients) {
                        *out = finish(out.mul_add(*scale, *shift));
                    }
                }
                (None, Some(r)) => {
                    for ((out, r), (scale, shift)) in out.iter_mut().zip(&r[here]).zip(coefficients)
                    {
                        *out = finish(out.mul_add(*scale, *shift) + r);
                    }
                }
            }
        }
    }
}

/// The gradient of the activation's input: `grad`, the gradient of `y`, or zero where the activation cut `y` off.
#[inline(always)]
fn through(grad: f32, y: f32, floor: f32) -> f32 {
    if y <= floor { 0.0 } else { grad }
}

#[inline(always)]
fn floor(activate: bool) -> f32 {
    if activate { 0.0 } else { f32::NEG_INFINITY }
}

/// `grads += g` and `products += g * (u - mean)`, where `g` is the gradient of the activation's input.
pub(crate) struct GradientSums<'a> {
    pub(crate) grad: &'a [f32],
    pub(crate) y: &'a [f32],
    pub(crate) u: &'a [f32],
    pub(crate) mean: &'a [f32],
    pub(crate) activate: bool,
    pub(crate) grads: &'a mut [f32],
    pub(crate) products: &'a mut [f32],
}

impl Task for GradientSums<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self) {
        let len = self.mean.len();
        let floor = floor(self.activate);
        let rows = self.grad.chunks_exact(len).zip(self.y.chunks_exact(len));
        for ((grad, y), u) in rows.zip(self.u.chunks_exact(len)) {
            let sums = self.grads.iter_mut().zip(self.products.iter_mut());
            let values = grad.iter().zip(y).zip(u).zip(self.mean);
            for ((grads, products), (((grad, y), u), mean)) in sums.zip(values) {
                let g = through(*grad, *y, floor);
                *grads += g;
                *products = g.mul_add(u - mean, *products);
            }
        }
    }
}

/// Patterns with the coefficients of the normalisation's gradient: `du = scale * g + slope * (u - mean) - offset`.
pub(crate) struct Slopes {
    pub(crate) mean: Vec<f32>,
    pub(crate) scale: Vec<f32>,
    pub(crate) slope: Vec<f32>,
    pub(crate) offset: Vec<f32>,
}

/// The gradient of the convolution's result and, with `before`, the gradient of the residual.
pub(crate) struct GradientRow<'a> {
    pub(crate) slopes: &'a Slopes,
    pub(crate) grad: &'a [f32],
    pub(crate) y: &'a [f32],
    pub(crate) u: &'a [f32],
    pub(crate) activate: bool,
    pub(crate) out: &'a mut [f32],
    /// Receives the gradient of the activation's input, which is the residual's gradient.
    pub(crate) before: Option<&'a mut [f32]>,
}

impl Task for GradientRow<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(mut self) {
        let Slopes {
            mean,
            scale,
            slope,
            offset,
        } = self.slopes;
        let len = mean.len();
        let floor = floor(self.activate);
        for (i, out) in self.out.chunks_exact_mut(len).enumerate() {
            let here = i * len..(i + 1) * len;
            let (grad, y) = (&self.grad[here.clone()], &self.y[here.clone()]);
            let u = &self.u[here.clone()];
            let values = grad.iter().zip(y).zip(u);
            let coefficients = mean.iter().zip(scale).zip(slope).zip(offset);
            for ((out, ((grad, y), u)), (((mean, scale), slope), offset)) in
                out.iter_mut().zip(values).zip(coefficients)
            {
                let g = through(*grad, *y, floor);
                *out = slope.mul_add(u - mean, scale.mul_add(g, -offset));
            }
            if let Some(before) = &mut self.before {
                for ((before, grad), y) in before[here].iter_mut().zip(grad).zip(y) {
                    *before = through(*grad, *y, floor);
                }
            }
        }
    }
}
