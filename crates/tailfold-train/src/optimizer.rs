//! Stochastic gradient descent with momentum, weight decay on everything or on weights alone.

use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{LearningRate, ModuleOptimizer, Optimizer, Sgd, SgdConfig, SgdState};
use burn::prelude::*;

use crate::config::{Decay, OptimizerConfig};
use crate::offsets::to_f32;

/// The optimizer that `config` asks for, without state.
pub(crate) fn descent(config: &OptimizerConfig) -> ModuleOptimizer {
    let sgd = |decay: f64| {
        // Dampening is 0 as in the published recipes; burn's own default is 0.1.
        let momentum = MomentumConfig::new()
            .with_momentum(config.momentum)
            .with_dampening(0.0)
            .with_nesterov(config.nesterov);
        SgdConfig::new()
            .with_momentum((config.momentum > 0.0).then_some(momentum))
            .with_weight_decay((decay > 0.0).then(|| WeightDecayConfig::new(to_f32(decay))))
            .build()
    };
    let vectors = match config.decay {
        Decay::All => config.weight_decay,
        Decay::Weights => 0.0,
    };
    Descent {
        weights: sgd(config.weight_decay),
        vectors: sgd(vectors),
    }
    .into()
}

/// One rule for weights, one for vectors. A parameter's rank decides, so there is no list of groups to keep in step with
/// the networks or to restore with a saved state.
#[derive(Clone)]
struct Descent {
    /// Two dimensions and more.
    weights: Sgd,
    /// One dimension: biases, scale and shift of batch normalisation.
    vectors: Sgd,
}

impl Optimizer for Descent {
    type State<const D: usize> = SgdState<D>;

    fn step<const D: usize>(
        &self,
        rate: LearningRate,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<SgdState<D>>,
    ) -> (Tensor<D>, Option<SgdState<D>>) {
        let sgd = if D > 1 { &self.weights } else { &self.vectors };
        sgd.step(rate, parameter, gradient, state)
    }

    fn to_device<const D: usize>(state: SgdState<D>, device: &Device) -> SgdState<D> {
        Sgd::to_device(state, device)
    }
}

#[cfg(test)]
mod tests;
