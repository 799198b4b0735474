//! Lowering of Concat.

use tailfold_kernels::Operation;
use tailfold_onnx::proto::NodeProto;

use super::{Codes, Lowering, image_size};
use crate::IntegerError;
use crate::graph::output;

/// Most inputs of a Concat: each may need a layer of its own, and no network has more.
const MOST_INPUTS: usize = 256;

impl<'a> Lowering<'a> {
    /// Lowers Concat along the channels of images or the features of rows; returns false when it stays float.
    pub(super) fn concat(
        &mut self,
        index: usize,
        node: &'a NodeProto,
    ) -> Result<bool, IntegerError> {
        if node.input.len() > MOST_INPUTS {
            return Ok(false);
        }
        let terms: Option<Vec<Codes>> = (0..node.input.len())
            .map(|input| self.codes_in(node, input))
            .collect();
        let Some(shape) = terms.as_deref().and_then(|t| self.joined(node, t)) else {
            return Ok(false);
        };
        let (Some(size), Some(ending)) = (image_size(&shape), self.ending(output(node))?) else {
            return Ok(false);
        };
        let level = terms.iter().flatten().map(|term| term.level).max();
        let level = level.unwrap_or_default();
        let terms: Option<Vec<Codes>> = node
            .input
            .iter()
            .map(|name| self.at_level(name, level))
            .collect();
        let Some(terms) = terms else {
            return Ok(false);
        };
        let Some(first) = terms.first().cloned() else {
            return Ok(false);
        };
        let step = f64::from(ending.steps.scale);
        let weight = |term: &Codes| f64::from(term.steps.scale) / step;
        let operation = Operation::Concat {
            inputs: terms.iter().map(|term| term.tensor).collect(),
            weights: terms.iter().map(weight).collect(),
            clamp: ending.clamp,
            output: self.drafts.tensor(size),
        };
        self.simple(index, node, &first, operation, ending, shape);
        Ok(true)
    }

    /// Returns the shape of `terms` joined along axis 1; `None` for another axis, for shapes that do not fit, and for a
    /// flattened image.
    fn joined(&self, node: &NodeProto, terms: &[Codes]) -> Option<Vec<usize>> {
        let mut shape = terms.first()?.shape.clone();
        let rank = i64::try_from(shape.len()).ok()?;
        let axis = node.int("axis")?;
        if axis != 1 && axis.checked_add(rank) != Some(1) {
            return None;
        }
        shape[1] = 0;
        for term in terms {
            // A flattened image is still stored channels last, so its values are not in the order of its features.
            let in_order = image_size(&term.shape) == Some(self.drafts.tensors[term.tensor]);
            let mut rest = term.shape.clone();
            shape[1] = shape[1].checked_add(*rest.get(1)?)?;
            rest[1] = shape[1];
            if rest != shape || !in_order {
                return None;
            }
        }
        Some(shape)
    }
}
