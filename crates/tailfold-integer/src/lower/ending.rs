//! The nodes behind an operator: activations, then the quantization of the result.

use tailfold_kernels::Steps;

use super::Lowering;
use crate::IntegerError;
use crate::graph::{input, output};
use crate::params::Params;

/// The nodes between an operator's result and its codes.
pub(crate) struct Ending {
    /// The QuantizeLinear node.
    pub(crate) quantize: usize,
    /// Scale and range of the codes.
    pub(crate) steps: Steps,
    /// Clamp of the codes relative to the zero point, with the activations included.
    pub(crate) clamp: [i16; 2],
    /// Indices of all these nodes, including the QuantizeLinear node.
    pub(crate) absorbed: Vec<usize>,
}

impl Ending {
    /// Returns an ending that is a QuantizeLinear node alone.
    pub(crate) fn codes(quantize: usize, steps: Steps) -> Self {
        Self {
            quantize,
            steps,
            clamp: [steps.low, steps.high],
            absorbed: vec![quantize],
        }
    }

    /// Returns whether a tensor with `steps` keeps its codes unchanged through this ending.
    pub(crate) fn keeps(&self, steps: Steps) -> bool {
        self.steps == steps && self.clamp == [steps.low, steps.high]
    }
}

/// A clamp of real values, `min(max(x, low), high)`.
#[derive(Clone, Copy)]
struct Bounds {
    low: f64,
    high: f64,
}

impl Bounds {
    const NONE: Self = Self {
        low: f64::NEG_INFINITY,
        high: f64::INFINITY,
    };

    /// Returns the clamp that applies this clamp first and `next` after it.
    fn then(self, next: Self) -> Self {
        let pass = |x: f64| x.max(next.low).min(next.high);
        Self {
            low: pass(self.low),
            high: pass(self.high),
        }
    }

    /// Converts the clamp to codes. Rounding is monotone, so the clamp may follow it.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "clamped to the codes first"
    )]
    fn codes(self, steps: Steps) -> [i16; 2] {
        [self.low, self.high].map(|bound| {
            (bound / f64::from(steps.scale))
                .round_ties_even()
                .clamp(f64::from(steps.low), f64::from(steps.high)) as i16
        })
    }
}

impl<'a> Lowering<'a> {
    /// Returns the nodes behind the real tensor `value` up to its quantization; `None` when `value` has other
    /// readers or is not quantized.
    pub(crate) fn ending(&self, value: &str) -> Result<Option<Ending>, IntegerError> {
        let mut bounds = Bounds::NONE;
        let mut absorbed = Vec::new();
        let mut value = value;
        loop {
            let Some(next) = self.graph.only_consumer(value) else {
                return Ok(None);
            };
            absorbed.push(next);
            if self.graph.nodes[next].is("QuantizeLinear") {
                let reads = input(&self.graph.nodes[next], 0) == Some(value);
                return Ok(self.own(next)?.filter(|_| reads).map(|steps| Ending {
                    quantize: next,
                    steps,
                    clamp: bounds.codes(steps),
                    absorbed,
                }));
            }
            match self.activation(next)? {
                Some(clip) => bounds = bounds.then(clip),
                None => return Ok(None),
            }
            value = output(&self.graph.nodes[next]);
        }
    }

    /// Returns the clamp of node `index`; `None` when it is not a Relu or a Clip with constant bounds.
    fn activation(&self, index: usize) -> Result<Option<Bounds>, IntegerError> {
        let node = &self.graph.nodes[index];
        if node.is("Relu") {
            return Ok(Some(Bounds {
                low: 0.0,
                ..Bounds::NONE
            }));
        }
        if !node.is("Clip") {
            return Ok(None);
        }
        let mut bounds = [f64::NEG_INFINITY, f64::INFINITY];
        for (i, name) in ["min", "max"].into_iter().enumerate() {
            // The bound is an attribute before opset 11, and an input since.
            if let Some(value) = node.float(name) {
                bounds[i] = f64::from(value);
            }
            if input(node, i + 1).is_some() {
                match self.graph.numbers::<f32>(node, i + 1)?.as_deref() {
                    Some(&[value]) => bounds[i] = f64::from(value),
                    _ => return Ok(None),
                }
            }
        }
        let [low, high] = bounds;
        Ok((low <= high).then_some(Bounds { low, high }))
    }

    /// Returns the clamp of `ending`, narrowed by node `index` if that node is an activation.
    pub(crate) fn narrowed(&self, index: usize, ending: &Ending) -> Result<[i16; 2], IntegerError> {
        let Some(own) = self.activation(index)? else {
            return Ok(ending.clamp);
        };
        let [low, high] = ending.clamp;
        Ok(own.codes(ending.steps).map(|end| end.clamp(low, high)))
    }

    /// Returns the steps of the QuantizeLinear node `index`; `None` unless its codes have readers, every reader
    /// dequantizes them with the same steps, and the graph does not output them.
    pub(crate) fn own(&self, index: usize) -> Result<Option<Steps>, IntegerError> {
        let node = &self.graph.nodes[index];
        let Some(params) = Params::read(&self.graph, node)? else {
            return Ok(None);
        };
        let codes = output(node);
        let readers = self.graph.consumers(codes);
        if readers.is_empty() || self.graph.is_output(codes) {
            return Ok(None);
        }
        for &reader in readers {
            let reader = &self.graph.nodes[reader];
            let back = reader.is("DequantizeLinear") && input(reader, 0) == Some(codes);
            if !back {
                return Ok(None);
            }
            let same = Params::read(&self.graph, reader)?.is_some_and(|other| {
                other.scales == params.scales
                    && other.zero_points == params.zero_points
                    && other.codes == params.codes
            });
            if !same {
                return Ok(None);
            }
        }
        Ok(params.steps())
    }
}
