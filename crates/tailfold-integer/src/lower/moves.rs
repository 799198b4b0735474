//! Lowering of operators that move or select codes: pools, slices, paddings, and changes of shape or scale.

use tailfold_kernels::Operation;
use tailfold_onnx::proto::NodeProto;

use super::ending::Ending;
use super::weighted::failed;
use super::{Codes, Draft, Lowering, geometry};
use crate::IntegerError;
use crate::graph::{input, output};

impl<'a> Lowering<'a> {
    pub(super) fn max_pool(
        &mut self,
        index: usize,
        node: &'a NodeProto,
    ) -> Result<bool, IntegerError> {
        let (Some(x), Some(&[rows, columns])) = (self.codes_in(node, 0), node.ints("kernel_shape"))
        else {
            return Ok(false);
        };
        let plain = node.int("ceil_mode").unwrap_or(0) == 0 && node.output.len() == 1;
        let (&[_, channels, height, width], [Ok(rows), Ok(columns)], true) =
            (&x.shape[..], [rows, columns].map(usize::try_from), plain)
        else {
            return Ok(false);
        };
        let Some(window) = geometry::window(node, [rows, columns], [height, width])? else {
            return Ok(false);
        };
        let [height, width] = window
            .output(height, width)
            .map_err(|error| failed(node, error))?;
        // A window that lies in the padding alone has no maximum.
        let sees = window.always_meets_the_image();
        let Some(ending) = self.ending(output(node))?.filter(|_| sees) else {
            return Ok(false);
        };
        let size = [channels, height, width];
        let tensor = self.drafts.tensor(size);
        let operation = Operation::MaxPool {
            input: x.tensor,
            window,
            output: tensor,
        };
        let shape = vec![1, channels, height, width];
        self.moved(index, node, &x, operation, tensor, ending, shape)?;
        Ok(true)
    }

    /// Lowers Slice that keeps every n-th pixel, as in the shortcut of ResNet's option A; returns false when
    /// it stays float.
    pub(super) fn slice(
        &mut self,
        index: usize,
        node: &'a NodeProto,
    ) -> Result<bool, IntegerError> {
        let Some(x) = self.codes_in(node, 0) else {
            return Ok(false);
        };
        let &[_, channels, height, width] = &x.shape[..] else {
            return Ok(false);
        };
        let mut lists = Vec::new();
        for i in 1..5 {
            match self.graph.numbers::<i64>(node, i)? {
                Some(list) => lists.push(list),
                None => return Ok(false),
            }
        }
        let [starts, ends, axes, steps] = &lists[..] else {
            return Ok(false);
        };
        let same = [ends, axes, steps].iter().all(|l| l.len() == starts.len());
        if !same {
            return Ok(false);
        }
        let mut start = [0; 2];
        let mut stride = [1; 2];
        let mut size = [height, width];
        for i in 0..starts.len() {
            let axis = match axes[i] {
                2 | -2 => 0,
                3 | -1 => 1,
                _ => return Ok(false),
            };
            let length = [height, width][axis];
            let whole = i64::try_from(length).unwrap_or(i64::MAX);
            let place = |at: i64| {
                let at = if at < 0 { at.saturating_add(whole) } else { at };
                usize::try_from(at.clamp(0, whole)).unwrap_or(length)
            };
            let Some(step) = usize::try_from(steps[i]).ok().filter(|&s| s > 0) else {
                return Ok(false);
            };
            start[axis] = place(starts[i]);
            stride[axis] = step;
            size[axis] = place(ends[i]).saturating_sub(start[axis]).div_ceil(step);
        }
        let Some(ending) = self.ending(output(node))?.filter(|_| size[0] * size[1] > 0) else {
            return Ok(false);
        };
        let tensor = self.drafts.tensor([channels, size[0], size[1]]);
        let operation = Operation::Subsample {
            input: x.tensor,
            start,
            stride,
            first: 0,
            output: tensor,
        };
        let shape = vec![1, channels, size[0], size[1]];
        self.moved(index, node, &x, operation, tensor, ending, shape)?;
        Ok(true)
    }

    /// Lowers Pad that adds channels of zeros to an image; returns false when it stays float.
    pub(super) fn pad(&mut self, index: usize, node: &'a NodeProto) -> Result<bool, IntegerError> {
        let Some(x) = self.codes_in(node, 0) else {
            return Ok(false);
        };
        let &[_, channels, height, width] = &x.shape[..] else {
            return Ok(false);
        };
        let mode = node.find_attr("mode").map(|a| a.s().to_vec());
        let constant = mode.is_none_or(|m| m == b"constant");
        // ONNX Runtime's quantizer quantizes this constant too.
        let zero = match self.reals(node, 2)?.as_deref() {
            Some(&[value]) => value.abs() < f64::from(f32::MIN_POSITIVE),
            Some(_) => false,
            None => input(node, 2).is_none(),
        };
        let pads = self.graph.numbers::<i64>(node, 1)?;
        let Some(&[0, before, 0, 0, 0, after, 0, 0]) = pads.as_deref() else {
            return Ok(false);
        };
        let ([Ok(before), Ok(after)], true) = (
            [before, after].map(usize::try_from),
            constant && zero && input(node, 3).is_none(),
        ) else {
            return Ok(false);
        };
        let Some(ending) = self.ending(output(node))? else {
            return Ok(false);
        };
        let channels = before.saturating_add(channels).saturating_add(after);
        let tensor = self.drafts.tensor([channels, height, width]);
        let operation = Operation::Subsample {
            input: x.tensor,
            start: [0, 0],
            stride: [1, 1],
            first: before,
            output: tensor,
        };
        let shape = vec![1, channels, height, width];
        self.moved(index, node, &x, operation, tensor, ending, shape)?;
        Ok(true)
    }

    /// Lowers an activation of quantized values, or a change of their shape; returns false when it stays
    /// float.
    pub(super) fn rescale(
        &mut self,
        index: usize,
        node: &'a NodeProto,
    ) -> Result<bool, IntegerError> {
        let Some(x) = self.codes_in(node, 0) else {
            return Ok(false);
        };
        let Some(shape) = super::shapes::of(node, &x.shape, &self.graph) else {
            return Ok(false);
        };
        let Some(mut ending) = self.ending(output(node))? else {
            return Ok(false);
        };
        // All kernels handle a flattened image, which is still stored as an image; other new shapes stay float.
        let features = shape.len() == 2 && shape[0] == 1;
        let same = shape == x.shape || (shape.len() == 4 && self.image(&x) == shape[1..]);
        if !features && !same {
            return Ok(false);
        }
        ending.clamp = self.narrowed(index, &ending)?;
        self.rescaled(index, node, &x, shape, ending)?;
        Ok(true)
    }

    fn image(&self, x: &Codes) -> [usize; 3] {
        self.drafts.tensors[x.tensor]
    }

    /// Requantizes `x` to the scale and clamp of `ending`; the tensor is shared when neither changes.
    pub(super) fn rescaled(
        &mut self,
        index: usize,
        node: &'a NodeProto,
        x: &Codes,
        shape: Vec<usize>,
        ending: Ending,
    ) -> Result<(), IntegerError> {
        if ending.keeps(x.steps) {
            let codes = Codes { shape, ..x.clone() };
            self.took(index, None, &ending, codes);
            return Ok(());
        }
        let output = self.drafts.tensor(self.image(x));
        let operation = Operation::Add {
            inputs: [x.tensor; 2],
            weights: [
                f64::from(x.steps.scale) / f64::from(ending.steps.scale),
                0.0,
            ],
            clamp: ending.clamp,
            output,
        };
        self.simple(index, node, x, operation, ending, shape);
        Ok(())
    }

    /// Adds a layer that moves codes to `tensor`, and a layer that changes the scale if the file requires it.
    #[expect(
        clippy::too_many_arguments,
        reason = "all that two layers have in common"
    )]
    fn moved(
        &mut self,
        index: usize,
        node: &'a NodeProto,
        x: &Codes,
        operation: Operation,
        tensor: usize,
        ending: Ending,
        shape: Vec<usize>,
    ) -> Result<(), IntegerError> {
        if ending.keeps(x.steps) {
            self.simple(index, node, x, operation, ending, shape);
            return Ok(());
        }
        self.drafts.push(Draft {
            level: x.level,
            name: node.label().to_owned(),
            operation,
            reads: None,
            makes: None,
        });
        let between = Codes {
            tensor,
            ..x.clone()
        };
        self.rescaled(index, node, &between, shape, ending)
    }

    /// Adds a layer that reads and writes codes, in place of `node` and the nodes of `ending`.
    pub(super) fn simple(
        &mut self,
        index: usize,
        node: &'a NodeProto,
        x: &Codes,
        operation: Operation,
        ending: Ending,
        shape: Vec<usize>,
    ) {
        let Some(tensor) = operation.writes() else {
            unreachable!("these are the layers from codes to codes")
        };
        let layer = self.drafts.push(Draft {
            level: x.level,
            name: node.label().to_owned(),
            operation,
            reads: None,
            makes: None,
        });
        let codes = Codes {
            tensor,
            steps: ending.steps,
            shape,
            level: x.level,
        };
        self.took(index, Some(layer), &ending, codes);
    }
}
