//! The unit in double precision, written as nested loops over its definition.

use crate::shape::ConvShape;

/// Results and gradients of the unit, images channels last.
pub(super) struct Reference {
    pub(super) u: Vec<f64>,
    pub(super) y: Vec<f64>,
    pub(super) mean: Vec<f64>,
    pub(super) variance: Vec<f64>,
    pub(super) dx: Vec<f64>,
    pub(super) dr: Vec<f64>,
    pub(super) conv: Vec<f64>,
    pub(super) gamma: Vec<f64>,
    pub(super) beta: Vec<f64>,
}

/// Inputs of a unit with a residual.
pub(super) struct Case {
    pub(super) shape: ConvShape,
    pub(super) activate: bool,
    pub(super) x: Vec<f32>,
    pub(super) conv: Vec<f32>,
    pub(super) gamma: Vec<f32>,
    pub(super) beta: Vec<f32>,
    pub(super) residual: Vec<f32>,
    pub(super) grad: Vec<f32>,
}

pub(super) const EPSILON: f32 = 1e-5;

/// Calls `visit` with the indices of input, weight and output of every product of the convolution.
fn products(shape: &ConvShape, mut visit: impl FnMut(usize, usize, usize)) {
    let [oh, ow] = shape.output().unwrap();
    let ([h, w], [kh, kw]) = (shape.input, shape.kernel);
    for n in 0..shape.n {
        for (oy, ox) in (0..oh).flat_map(|y| (0..ow).map(move |x| (y, x))) {
            for (ky, kx) in (0..kh).flat_map(|y| (0..kw).map(move |x| (y, x))) {
                let y = (oy * shape.stride[0] + ky).checked_sub(shape.padding[0]);
                let x = (ox * shape.stride[1] + kx).checked_sub(shape.padding[1]);
                let (Some(y), Some(x)) = (y, x) else { continue };
                if y >= h || x >= w {
                    continue;
                }
                for ci in 0..shape.c_in {
                    for co in 0..shape.c_out {
                        visit(
                            ((n * h + y) * w + x) * shape.c_in + ci,
                            ((co * shape.c_in + ci) * kh + ky) * kw + kx,
                            ((n * oh + oy) * ow + ox) * shape.c_out + co,
                        );
                    }
                }
            }
        }
    }
}

impl Case {
    pub(super) fn reference(&self) -> Reference {
        let shape = &self.shape;
        let c = shape.c_out;
        let mut u = vec![0.0f64; self.grad.len()];
        products(shape, |x, w, o| {
            u[o] += f64::from(self.x[x]) * f64::from(self.conv[w]);
        });
        let count = (u.len() / c) as f64;
        let channel = |k: usize| (k..self.grad.len()).step_by(c);
        let (mut mean, mut variance) = (vec![0.0; c], vec![0.0; c]);
        let (mut y, mut du) = (u.clone(), u.clone());
        let (mut gamma, mut beta) = (vec![0.0; c], vec![0.0; c]);
        let mut dr = u.clone();
        for k in 0..c {
            mean[k] = channel(k).map(|i| u[i]).sum::<f64>() / count;
            variance[k] = channel(k).map(|i| (u[i] - mean[k]).powi(2)).sum::<f64>() / count;
            let deviation = (variance[k] + f64::from(EPSILON)).sqrt();
            let factor = f64::from(self.gamma[k]);
            for i in channel(k) {
                let normal = (u[i] - mean[k]) / deviation;
                let sum = normal * factor + f64::from(self.beta[k]) + f64::from(self.residual[i]);
                let cut = self.activate && sum <= 0.0;
                y[i] = if cut { 0.0 } else { sum };
                dr[i] = if cut { 0.0 } else { f64::from(self.grad[i]) };
                gamma[k] += dr[i] * normal;
                beta[k] += dr[i];
            }
            for i in channel(k) {
                let normal = (u[i] - mean[k]) / deviation;
                let centred = dr[i] - beta[k] / count - normal * gamma[k] / count;
                du[i] = factor / deviation * centred;
            }
        }
        let mut dx = vec![0.0; self.x.len()];
        let mut conv = vec![0.0; self.conv.len()];
        products(shape, |x, w, o| {
            dx[x] += du[o] * f64::from(self.conv[w]);
            conv[w] += du[o] * f64::from(self.x[x]);
        });
        Reference {
            u,
            y,
            mean,
            variance,
            dx,
            dr,
            conv,
            gamma,
            beta,
        }
    }
}
