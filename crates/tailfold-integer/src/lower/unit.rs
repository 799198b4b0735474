//! Lowering of L2-normalised features, as a cosine head uses them.

use tailfold_kernels::Operation;
use tailfold_onnx::proto::NodeProto;

use super::ending::Ending;
use super::{Codes, Lowering, shapes};
use crate::IntegerError;
use crate::graph::{input, output};

/// The nodes between a mean and the codes of the L2-normalised mean.
struct Unit {
    /// Added to the sum of squares.
    epsilon: f64,
    ending: Ending,
}

impl<'a> Lowering<'a> {
    /// Lowers the mean `node` of `x` together with the L2 normalisation and the quantization behind it; returns false
    /// when other nodes follow. `scale` turns a sum of pixels into their mean.
    pub(super) fn unit_mean(
        &mut self,
        index: usize,
        node: &'a NodeProto,
        x: &Codes,
        scale: f64,
    ) -> Result<bool, IntegerError> {
        let channels = x.shape[1];
        let Some(Unit { epsilon, ending }) = self.unit(node, channels)? else {
            return Ok(false);
        };
        let operation = Operation::UnitMean {
            input: x.tensor,
            scale,
            epsilon,
            step: f64::from(ending.steps.scale),
            clamp: ending.clamp,
            output: self.drafts.tensor([channels, 1, 1]),
        };
        self.simple(index, node, x, operation, ending, vec![1, channels]);
        Ok(true)
    }

    /// Matches `Flatten`, then `Div(y, Sqrt(Add(ReduceSumSquare(y), epsilon)))`, then QuantizeLinear behind `mean`;
    /// `None` when another node reads a value in between.
    fn unit(&self, mean: &NodeProto, channels: usize) -> Result<Option<Unit>, IntegerError> {
        let nodes = self.graph.nodes;
        let next = |value: &str, op: &str| {
            let next = self.graph.only_consumer(value)?;
            nodes[next].is(op).then_some(next)
        };
        let Some(flatten) = next(output(mean), "Flatten") else {
            return Ok(None);
        };
        let row = output(&nodes[flatten]);
        let pooled = [1, channels, 1, 1];
        let flat = shapes::of(&nodes[flatten], &pooled, &self.graph) == Some(vec![1, channels]);
        let squares = self.graph.consumers(row).iter().copied();
        let squares = squares
            .into_iter()
            .find(|&n| nodes[n].is("ReduceSumSquare"));
        let (Some(squares), true) = (squares, flat) else {
            return Ok(None);
        };
        let reduced = nodes[squares].int("keepdims").unwrap_or(1) == 1
            && shapes::axes_of(&nodes[squares], &self.graph)
                .is_some_and(|axes| matches!(axes[..], [1 | -1]));
        let chain = || {
            let add = next(output(&nodes[squares]), "Add")?;
            let root = next(output(&nodes[add]), "Sqrt")?;
            let div = next(output(&nodes[root]), "Div")?;
            Some([add, root, div])
        };
        let (Some([add, root, div]), true) = (chain(), reduced) else {
            return Ok(None);
        };
        let terms = [0, 1].map(|i| input(&nodes[div], i));
        let alone = terms == [Some(row), Some(output(&nodes[root]))]
            && self.graph.consumers(row).len() == 2
            && !self.graph.is_output(row);
        let other = usize::from(input(&nodes[add], 0) == Some(output(&nodes[squares])));
        let epsilon = self.graph.numbers::<f32>(&nodes[add], other)?;
        let (Some(&[epsilon]), true) = (epsilon.as_deref(), alone) else {
            return Ok(None);
        };
        let Some(mut ending) = self.ending(output(&nodes[div]))? else {
            return Ok(None);
        };
        ending.absorbed.extend([flatten, squares, add, root, div]);
        let epsilon = f64::from(epsilon);
        // Without a positive epsilon, the normalisation of a zero vector is undefined.
        let sound = epsilon > 0.0 && epsilon.is_finite();
        Ok(sound.then_some(Unit { epsilon, ending }))
    }
}
