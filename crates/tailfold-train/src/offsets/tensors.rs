//! A sample of the transport problem as tensors on the training device, so that features are not copied to the host.

use burn::prelude::*;
use burn::tensor::activation::softmax;
use tailfold_sdot::{DeviceFailure, DeviceSample, DeviceSums};

use crate::casts::to_f32;
use crate::head::Affine;

/// Weighted samples with their scores.
pub(crate) struct TensorSample {
    /// Scores `[n, C]`.
    scores: Tensor<2>,
    /// Weights `[n, 1]`, sum 1.
    weights: Tensor<2>,
    /// Class indices `[n, C]`: each row is 0 to `C - 1`.
    classes: Tensor<2, Int>,
    largest_weight: f64,
}

/// The softmax of each row, for given offsets and a temperature.
struct Softmax {
    /// `s + h`, `[n, C]`.
    moved: Tensor<2>,
    /// Probabilities `[n, C]`.
    probabilities: Tensor<2>,
}

impl TensorSample {
    /// Creates the sample of `points` `[n, dim]` under `head`, with `weights` `[n]` of any sum (`None` means equal
    /// weights).
    pub(crate) fn new(points: Tensor<2>, weights: Option<&[f64]>, head: &Affine) -> Self {
        let device = points.device();
        let scores = head.scores(points);
        let [rows, classes] = scores.dims();
        let weights: Vec<f64> = match weights {
            Some(weights) => {
                let sum: f64 = weights.iter().sum();
                weights.iter().map(|w| w / sum).collect()
            }
            None => vec![1.0 / rows as f64; rows],
        };
        let single: Vec<f32> = weights.iter().map(|&w| to_f32(w)).collect();
        let end = i64::try_from(classes).unwrap_or(i64::MAX);
        Self {
            scores,
            weights: Tensor::<1>::from_floats(single.as_slice(), &device).unsqueeze_dim(1),
            classes: Tensor::<1, Int>::arange(0..end, &device)
                .unsqueeze_dim::<2>(0)
                .expand([rows, classes]),
            largest_weight: weights.iter().copied().fold(0.0, f64::max),
        }
    }

    /// Returns `s + h`, `[n, C]`.
    fn moved(&self, offsets: &[f64]) -> Tensor<2> {
        let single: Vec<f32> = offsets.iter().map(|&h| to_f32(h)).collect();
        let offsets = Tensor::<1>::from_floats(single.as_slice(), &self.scores.device());
        self.scores.clone() + offsets.unsqueeze_dim::<2>(0)
    }

    fn softmax(&self, offsets: &[f64], epsilon: f64) -> Softmax {
        let moved = self.moved(offsets);
        let probabilities = softmax(moved.clone().div_scalar(epsilon), 1);
        Softmax {
            moved,
            probabilities,
        }
    }

    /// Returns `sum_i weight_i x_ij`, `[C]`, for `x` `[n, C]`.
    fn sum(&self, x: Tensor<2>) -> Tensor<1> {
        (x * self.weights.clone()).sum_dim(0).squeeze_dim(0)
    }

    /// Returns 1 for the class with the largest entry of each row and 0 for the others; `[n, C]`.
    fn winners(&self, moved: Tensor<2>) -> Tensor<2> {
        let shape = moved.dims();
        let largest = moved.argmax(1).expand(shape);
        largest.equal(self.classes.clone()).float()
    }
}

/// Copies the values to the host.
fn read<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f64>, DeviceFailure> {
    let values = tensor.try_into_data()?.try_to_vec::<f32>();
    let values = values.map_err(|e| format!("{e:?}"))?;
    Ok(values.into_iter().map(f64::from).collect())
}

impl DeviceSample for TensorSample {
    fn rows(&self) -> usize {
        self.scores.dims()[0]
    }

    fn num_classes(&self) -> usize {
        self.scores.dims()[1]
    }

    fn largest_weight(&self) -> f64 {
        self.largest_weight
    }

    fn spread(&mut self) -> Result<f64, DeviceFailure> {
        let apart = self.scores.clone() - self.scores.clone().mean_dim(1);
        let variance = apart.square().mean_dim(1) * self.weights.clone();
        Ok(read(variance.sum())?.iter().sum::<f64>().sqrt())
    }

    fn hard_masses(&mut self, offsets: &[f64]) -> Result<Vec<f64>, DeviceFailure> {
        read(self.sum(self.winners(self.moved(offsets))))
    }

    fn soft_masses(&mut self, offsets: &[f64], epsilon: f64) -> Result<DeviceSums, DeviceFailure> {
        let Softmax {
            moved,
            probabilities,
        } = self.softmax(offsets, epsilon);
        // epsilon logsumexp = max - epsilon ln p of the largest class, so no exponential is computed twice.
        let largest = moved.clone().max_dim(1);
        let likeliest = probabilities.clone().max_dim(1);
        let energy = largest - likeliest.log().mul_scalar(epsilon);
        let energy = (energy * self.weights.clone()).sum();
        let (soft, hard) = (self.sum(probabilities), self.sum(self.winners(moved)));
        // A single copy from the device, because each copy waits for all earlier work.
        let all = read(Tensor::cat(vec![energy, soft, hard], 0))?;
        let (soft, hard) = all[1..].split_at(offsets.len());
        Ok(DeviceSums::new(all[0], soft.to_vec(), hard.to_vec()))
    }

    fn pairs(&mut self, offsets: &[f64], epsilon: f64) -> Result<Vec<f64>, DeviceFailure> {
        let p = self.softmax(offsets, epsilon).probabilities;
        let weighted = p.clone() * self.weights.clone();
        read(weighted.transpose().matmul(p))
    }
}

#[cfg(test)]
mod tests;
