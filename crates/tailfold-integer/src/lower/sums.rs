//! Lowering of additions of two images, and of the mean of an image.

use tailfold_kernels::{Epilogue, Operation, Place, Requantize};
use tailfold_onnx::proto::NodeProto;

use super::Lowering;
use super::weighted::failed;
use crate::IntegerError;
use crate::graph::output;

impl<'a> Lowering<'a> {
    pub(super) fn add(&mut self, index: usize, node: &'a NodeProto) -> Result<bool, IntegerError> {
        let (Some(a), Some(b)) = (self.codes_in(node, 0), self.codes_in(node, 1)) else {
            return Ok(false);
        };
        let sizes = [&a, &b].map(|codes| self.drafts.tensors[codes.tensor]);
        let Some(ending) = self.ending(output(node))? else {
            return Ok(false);
        };
        // Additions with broadcasting stay float.
        if a.shape != b.shape || sizes[0] != sizes[1] {
            return Ok(false);
        }
        let level = a.level.max(b.level);
        let names = [0, 1].map(|i| node.input[i].as_str());
        let (Some(a), Some(b)) = (
            self.at_level(names[0], level),
            self.at_level(names[1], level),
        ) else {
            return Ok(false);
        };
        let step = f64::from(ending.steps.scale);
        let operation = Operation::Add {
            inputs: [a.tensor, b.tensor],
            weights: [&a, &b].map(|codes| f64::from(codes.steps.scale) / step),
            clamp: ending.clamp,
            output: self.drafts.tensor(sizes[0]),
        };
        self.simple(index, node, &a, operation, ending, a.shape.clone());
        Ok(true)
    }

    pub(super) fn mean(&mut self, index: usize, node: &'a NodeProto) -> Result<bool, IntegerError> {
        let Some(x) = self.codes_in(node, 0) else {
            return Ok(false);
        };
        let &[_, channels, height, width] = &x.shape[..] else {
            return Ok(false);
        };
        let pixels = u32::try_from(height * width).map_or(f64::INFINITY, f64::from);
        let scale = f64::from(x.steps.scale) / pixels;
        let ending = self.ending(output(node))?;
        if ending.is_none() && self.unit_mean(index, node, &x, scale)? {
            return Ok(true);
        }
        let (epilogue, place) = match &ending {
            Some(ending) => {
                let multiplier = scale / f64::from(ending.steps.scale);
                let requantize = Requantize::new(
                    vec![multiplier; channels],
                    vec![0.0; channels],
                    ending.clamp,
                );
                (
                    Epilogue::Codes(requantize.map_err(|error| failed(node, error))?),
                    Place::Tensor(self.drafts.tensor([channels, 1, 1])),
                )
            }
            None => (
                Epilogue::Real {
                    scale: vec![scale; channels],
                    bias: vec![0.0; channels],
                },
                Place::Port(0),
            ),
        };
        let operation = Operation::Mean {
            input: x.tensor,
            epilogue,
            output: place,
        };
        self.layer(index, node, &x, operation, ending, vec![1, channels, 1, 1]);
        Ok(true)
    }
}
