//! Classifier heads, and the projection for the contrastive loss.

use burn::module::Param;
use burn::nn::{BatchNorm, BatchNormConfig, Initializer, Linear, LinearConfig};
use burn::prelude::*;
use burn::tensor::activation::relu;
use tailfold_sdot::AffineHead;
use tailfold_spec::Head;

use crate::casts::to_host;
use crate::error::TrainError;

/// Linear or cosine classifier, weights `[classes, dim]`.
#[derive(Module, Debug)]
pub struct ClassifierHead {
    /// Weights `[classes, dim]`, one row per class.
    pub weight: Param<Tensor<2>>,
    /// Bias `[classes]`, only for a linear head.
    pub bias: Option<Param<Tensor<1>>>,
    #[module(skip)]
    kind: Head,
}

impl ClassifierHead {
    /// Creates a head with Xavier-uniform rows and a zero bias.
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
        self.affine().scores(self.inputs(features))
    }

    /// Returns the inputs of the exported head: the features, L2-normalized for a cosine head.
    pub fn inputs(&self, features: Tensor<2>) -> Tensor<2> {
        match self.kind {
            Head::Cosine { .. } => normalise_rows(features),
            Head::Linear => features,
        }
    }

    /// Returns the exported head: scaled unit rows for a cosine head.
    pub fn affine(&self) -> Affine {
        let weight = self.weight.val();
        match self.kind {
            Head::Cosine { scale } => Affine {
                weight: normalise_rows(weight).mul_scalar(scale),
                bias: None,
            },
            Head::Linear => Affine {
                weight,
                bias: self.bias.as_ref().map(Param::val),
            },
        }
    }
}

/// A head in its exported form.
#[derive(Clone, Debug)]
pub struct Affine {
    /// Weights `[classes, dim]`.
    pub weight: Tensor<2>,
    /// Bias `[classes]`.
    pub bias: Option<Tensor<1>>,
}

impl Affine {
    /// Computes the scores `[n, classes]` of `inputs` `[n, dim]`.
    pub fn scores(&self, inputs: Tensor<2>) -> Tensor<2> {
        let scores = inputs.matmul(self.weight.clone().transpose());
        match self.bias.clone() {
            Some(bias) => scores + bias.unsqueeze_dim::<2>(0),
            None => scores,
        }
    }

    /// Returns the same values without an autodiff graph.
    pub(crate) fn without_autodiff(self) -> Self {
        Self {
            weight: self.weight.without_autodiff(),
            bias: self.bias.map(Tensor::without_autodiff),
        }
    }

    /// Copies the head to the host.
    pub(crate) fn to_host(&self) -> Result<AffineHead, TrainError> {
        let [classes, dim] = self.weight.dims();
        let bias = match self.bias.clone() {
            Some(bias) => to_host(bias)?,
            None => vec![0.0; classes],
        };
        Ok(AffineHead::new(&to_host(self.weight.clone())?, &bias, dim)?)
    }
}

/// `Linear - BatchNorm - ReLU - Linear` with L2-normalized output rows: `[n, dim]` to `[n, out]`.
#[derive(Module, Debug)]
pub struct Projection {
    hidden: Linear,
    norm: BatchNorm,
    out: Linear,
}

impl Projection {
    /// Creates a projection `dim -> hidden -> out`.
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

/// Divides rows by their L2 norm; a zero row stays zero (1e-12 is added under the root, as in the exported graph).
pub fn normalise_rows(x: Tensor<2>) -> Tensor<2> {
    let norm = x.clone().square().sum_dim(1).add_scalar(1e-12).sqrt();
    x / norm
}

#[cfg(test)]
mod tests;
