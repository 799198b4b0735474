//! Sharpness-aware minimization: the point at which a step's gradient is computed.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::prelude::*;

/// Returns `network` moved by `rho g / |g|`: to first order the point with the largest loss within `rho` of its
/// parameters (Foret, Kleiner, Mobahi, Neyshabur, ICLR 2021, eq. 2 with p = 2). `gradients` are `network`'s, without
/// weight decay; the norm is over all parameters together.
///
/// The result has its own running statistics, which are discarded with it: the running statistics of `network` see each
/// batch once, in the pass that computed `gradients`, and belong to the unmoved weights. The parameters of the result
/// keep their ids, so gradients computed there fit `network`.
pub(crate) fn ascend<M: Module>(network: &M, gradients: &GradientsParams, rho: f64) -> M {
    let mut squares = Squares {
        gradients,
        sum: None,
    };
    network.visit(&mut squares);
    // `valid` copies the running statistics; a clone would share them.
    let own = network.valid().train();
    match squares.sum {
        None => own,
        Some(sum) => own.map(&mut Shift {
            gradients,
            // Foret et al.'s code guards the division in the same place; at a stationary point nothing moves.
            scale: sum.sqrt().add_scalar(1e-12).recip().mul_scalar(rho),
        }),
    }
}

/// Sums the squares of all gradients, on the device.
struct Squares<'a> {
    gradients: &'a GradientsParams,
    sum: Option<Tensor<1>>,
}

impl ModuleVisitor for Squares<'_> {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.get::<D>(parameter.id) {
            let square = gradient.square().sum();
            self.sum = Some(match self.sum.take() {
                None => square,
                Some(sum) => sum + square,
            });
        }
    }
}

struct Shift<'a> {
    gradients: &'a GradientsParams,
    scale: Tensor<1>,
}

impl ModuleMapper for Shift<'_> {
    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(gradient) = self.gradients.get::<D>(parameter.id) else {
            return parameter;
        };
        let shift = gradient * self.scale.clone().reshape([1; D]);
        parameter.map(|value| Tensor::from_inner(value.without_autodiff() + shift).require_grad())
    }
}

#[cfg(test)]
mod tests;
