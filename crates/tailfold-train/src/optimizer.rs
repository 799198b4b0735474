//! Stochastic gradient descent with momentum; weight decay applies to all parameters or only to weights.

use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{
    LearningRate, ModuleOptimizer, Optimizer, RecordState, Sgd, SgdConfig, SgdState, StateSink,
    StateSource,
};
use burn::prelude::*;

use crate::casts::to_f32;
use crate::config::{Decay, OptimizerConfig};

/// Creates the optimizer of `config`, without state.
pub(crate) fn descent(config: &OptimizerConfig) -> ModuleOptimizer {
    let sgd = |decay: f64| {
        // Dampening is 0, as in the published recipes; burn's default is 0.1.
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

/// One rule for weights and one for vectors. A parameter's rank selects the rule, so there is no list of groups to keep
/// consistent with the networks or to restore with a saved state.
#[derive(Clone)]
struct Descent {
    /// Rule for parameters with two or more dimensions.
    weights: Sgd,
    /// Rule for parameters with one dimension: biases, and scale and shift of batch normalization.
    vectors: Sgd,
}

impl Optimizer for Descent {
    type State<const D: usize> = Momentum<D>;

    fn step<const D: usize>(
        &self,
        rate: LearningRate,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<Momentum<D>>,
    ) -> (Tensor<D>, Option<Momentum<D>>) {
        let sgd = if D > 1 { &self.weights } else { &self.vectors };
        let (parameter, state) = sgd.step(rate, parameter, gradient, state.map(|s| s.0));
        (parameter, state.map(Momentum))
    }

    fn to_device<const D: usize>(state: Momentum<D>, device: &Device) -> Momentum<D> {
        Momentum(Sgd::to_device(state.0, device))
    }
}

/// The state of one parameter.
#[derive(Clone)]
struct Momentum<const D: usize>(SgdState<D>);

impl<const D: usize> RecordState for Momentum<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        self.0.state_flatten(prefix, out);
    }

    /// Loads the state to the CPU; the next step moves it to the device of its parameter. Burn passes the first
    /// compiled back end, which may differ from the run's back end or be unavailable.
    fn state_unflatten(
        prefix: &str,
        source: &mut StateSource,
        _first_back_end: &Device,
    ) -> Option<Self> {
        SgdState::state_unflatten(prefix, source, &Device::flex()).map(Self)
    }
}

#[cfg(test)]
mod tests;
