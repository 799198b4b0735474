//! Classifier heads and the projection under the contrastive loss.

use burn::module::Param;
use burn::nn::{BatchNorm, BatchNormConfig, Initializer, Linear, LinearConfig};
use burn::prelude::*;
use burn::tensor::activation::relu;
use tailfold_spec::Head;

/// Linear or cosine classifier, weights `[classes, dim]`.
#[derive(Module, Debug)]
pub struct ClassifierHead {
    /// `[classes, dim]`, one row a class.
    pub weight: Param<Tensor<2>>,
    /// `[classes]`, linear head only.
    pub bias: Option<Param<Tensor<1>>>,
    #[module(skip)]
    kind: Head,
}

impl ClassifierHead {
    /// Xavier-uniform rows, zero bias.
    pub fn new(classes: usize, dim: usize, kind: Head, device: &Device) -> Self {
        let weight = Initializer::XavierUniform { gain: 1.0 }.init_with(
            [classes, dim],
            Some(dim),
            Some(classes),
            device,
        );
        let bias = (kind == Head::Linear).then(|| Initializer::Zeros.init([classes], device));
        Self { weight, bias, kind }
    }

    /// Features `[n, dim]` to raw scores `[n, classes]`.
    pub fn forward(&self, features: Tensor<2>) -> Tensor<2> {
        let (weight, bias) = self.affine();
        let scores = self.inputs(features).matmul(weight.transpose());
        match bias {
            Some(bias) => scores + bias.unsqueeze_dim::<2>(0),
            None => scores,
        }
    }

    /// What the exported head multiplies with its weights: the features, normalised under a cosine head.
    pub fn inputs(&self, features: Tensor<2>) -> Tensor<2> {
        match self.kind {
            Head::Cosine { .. } => normalise_rows(features),
            Head::Linear => features,
        }
    }

    /// Weights `[classes, dim]` and bias `[classes]` of the exported head: scaled unit rows under a cosine head.
    pub fn affine(&self) -> (Tensor<2>, Option<Tensor<1>>) {
        let weight = self.weight.val();
        match self.kind {
            Head::Cosine { scale } => (normalise_rows(weight).mul_scalar(scale), None),
            Head::Linear => (weight, self.bias.as_ref().map(Param::val)),
        }
    }
}

/// `Linear - BatchNorm - ReLU - Linear`, rows L2-normalised: `[n, dim]` to `[n, out]`.
#[derive(Module, Debug)]
pub struct Projection {
    hidden: Linear,
    norm: BatchNorm,
    out: Linear,
}

impl Projection {
    /// A projection `dim -> hidden -> out`.
    pub fn new(dim: usize, hidden: usize, out: usize, device: &Device) -> Self {
        Self {
            hidden: LinearConfig::new(dim, hidden).with_bias(false).init(device),
            norm: BatchNormConfig::new(hidden).init(device),
            out: LinearConfig::new(hidden, out).init(device),
        }
    }

    /// Features `[n, dim]` to points on the unit sphere `[n, out]`.
    pub fn forward(&self, features: Tensor<2>) -> Tensor<2> {
        let hidden = self.hidden.forward(features);
        normalise_rows(self.out.forward(relu(self.norm.forward(hidden))))
    }
}

/// Rows divided by their L2 norm; a zero row stays zero (1e-12 under the root, as in the exported graph).
pub fn normalise_rows(x: Tensor<2>) -> Tensor<2> {
    let norm = x.clone().square().sum_dim(1).add_scalar(1e-12).sqrt();
    x / norm
}

#[cfg(test)]
mod tests;
