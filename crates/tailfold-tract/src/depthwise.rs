//! Depthwise convolutions with vector instructions over whole images. tract vectorizes only the inside of
//! rows and computes the ends of rows value by value, which is most of a small image.

use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::*;
use tract_onnx::tract_core::ops::cnn::conv::{Conv, KernelFormat};
use tract_onnx::tract_core::ops::nn::DataFormat;

use crate::vectors::{Loop, vectorized};

/// Number of sums that stay in the L1 cache while the taps are added.
const SUMS: usize = 1024;

/// Replaces convolutions with one filter per channel by [`Depthwise`], in a graph that is decluttered and not
/// yet optimized. Values do not change, because sums are added in tract's order.
pub(crate) fn replace(model: &mut TypedModel) -> TractResult<()> {
    for id in model.eval_order()? {
        let node = model.node(id);
        if let Some(operator) = Depthwise::of(model, node)? {
            let inputs = &node.inputs[..1];
            TypedModelPatch::replace_single_op(model, node, inputs, operator)?.apply(model)?;
        }
    }
    Ok(())
}

/// A convolution of one image, `[1, channels, height, width]`, with one filter per channel.
///
/// Rows and columns of the padded image are split into `strides` phases, so that each tap reads consecutive
/// values. Outputs and inputs have rows of the same length, so vectors can span the ends of rows.
#[derive(Clone, Debug, PartialEq)]
struct Depthwise {
    input: [usize; 3],
    /// Height and width of the output.
    output: [usize; 2],
    strides: [usize; 2],
    /// Padding above, and to the left.
    padding: [usize; 2],
    /// Rows and columns of a phase.
    phase: [usize; 2],
    /// Offset of each tap in the phases.
    offsets: Vec<usize>,
    /// `[channels, taps]`.
    weights: Vec<f32>,
    /// `[channels]`.
    bias: Vec<f32>,
}

impl Eq for Depthwise {}

impl Depthwise {
    /// Returns the operator for `node`; `None` unless it is a depthwise convolution with constant weights.
    fn of(model: &TypedModel, node: &TypedNode) -> TractResult<Option<Self>> {
        let Some(conv) = node.op_as::<Conv>() else {
            return Ok(None);
        };
        let spec = &conv.pool_spec;
        let facts = model.node_input_facts(node.id)?;
        let [image, kernel, bias] = facts[..] else {
            return Ok(None);
        };
        let (Some(kernel), Some(bias)) = (&kernel.konst, &bias.konst) else {
            return Ok(None);
        };
        let plain = conv.q_params.is_none()
            && conv.kernel_fmt == KernelFormat::OIHW
            && spec.data_format == DataFormat::NCHW
            && [image.datum_type, kernel.datum_type(), bias.datum_type()] == [f32::datum_type(); 3];
        let Some(&[1, channels, height, width]) = image.shape.as_concrete() else {
            return Ok(None);
        };
        let single = conv.group == channels && spec.output_channels == channels;
        if !(plain && single && spec.rank() == 2 && bias.len() == channels) {
            return Ok(None);
        }
        let axes = spec.computed_padding(&[height, width]);
        let strides = [spec.stride(0), spec.stride(1)];
        let output = [axes[0].convoluted, axes[1].convoluted];
        let steps = [0, 1].map(|axis| {
            let taps = 0..spec.kernel_shape[axis];
            taps.map(|tap| tap * spec.dilation(axis))
                .collect::<Vec<_>>()
        });
        let furthest = |axis: usize| steps[axis].last().map_or(0, |last| last / strides[axis]);
        let phase = [output[0] + furthest(0), output[1] + furthest(1)];
        let of_phase = phase[0] * phase[1];
        let offset = |y: usize, x: usize| {
            let index = (y % strides[0]) * strides[1] + x % strides[1];
            index * of_phase + (y / strides[0]) * phase[1] + x / strides[1]
        };
        let rows = steps[0].iter();
        let offsets = rows.flat_map(|&y| steps[1].iter().map(move |&x| offset(y, x)));
        Ok(Some(Self {
            input: [channels, height, width],
            output,
            strides,
            padding: [axes[0].pad_before, axes[1].pad_before],
            phase,
            offsets: offsets.collect(),
            weights: kernel.view().as_slice::<f32>()?.to_vec(),
            bias: bias.view().as_slice::<f32>()?.to_vec(),
        }))
    }

    /// Splits an image's rows and columns into the phases, whose padding is already 0 and is not written.
    fn deal(&self, image: &[f32], phases: &mut [f32]) {
        let [_, height, width] = self.input;
        let planes = phases.chunks_exact_mut(self.phase[0] * self.phase[1]);
        for (index, plane) in planes.enumerate() {
            let first = [index / self.strides[1], index % self.strides[1]];
            // The first row or column of a phase that is not padding, and its position in the image.
            let [(top, from_y), (left, from_x)] = [0, 1].map(|axis| {
                let skipped = self.padding[axis].saturating_sub(first[axis]);
                let skipped = skipped.div_ceil(self.strides[axis]);
                let from = first[axis] + skipped * self.strides[axis] - self.padding[axis];
                (skipped, from)
            });
            let rows = plane.chunks_exact_mut(self.phase[1]).skip(top);
            for (row, y) in rows.zip((from_y..height).step_by(self.strides[0])) {
                let from = image[y * width..][..width].get(from_x..).unwrap_or(&[]);
                let to = row.get_mut(left..).unwrap_or(&mut []);
                take(to, from, self.strides[1]);
            }
        }
    }

    fn run(&self, image: &[f32], output: &mut [f32]) {
        let [channels, height, width] = self.input;
        let [rows, columns] = self.output;
        let long = self.phase[1];
        let mut phases = vec![0.0; self.strides[0] * self.strides[1] * self.phase[0] * long];
        let mut sums = vec![0.0; SUMS.max(long)];
        let rows_at_once = (SUMS / long).clamp(1, rows);
        for channel in 0..channels {
            self.deal(
                &image[channel * height * width..][..height * width],
                &mut phases,
            );
            let weights = &self.weights[channel * self.offsets.len()..][..self.offsets.len()];
            let out = &mut output[channel * rows * columns..][..rows * columns];
            for (part, out) in out.chunks_mut(rows_at_once * columns).enumerate() {
                // The last row ends with its outputs.
                let length = (out.len() / columns - 1) * long + columns;
                let sums = &mut sums[..length];
                sums.fill(self.bias[channel]);
                vectorized(AddTaps {
                    sums: &mut *sums,
                    values: &phases[part * rows_at_once * long..],
                    weights,
                    offsets: &self.offsets,
                });
                for (to, from) in out.chunks_exact_mut(columns).zip(sums.chunks(long)) {
                    to.copy_from_slice(&from[..columns]);
                }
            }
        }
    }
}

/// Copies every `stride`th value of `from` to `to`, up to the shorter length.
fn take(to: &mut [f32], from: &[f32], stride: usize) {
    match stride {
        1 => {
            let length = to.len().min(from.len());
            to[..length].copy_from_slice(&from[..length]);
        }
        2 => {
            // The compiler turns the pairs into vector instructions; the last value may not have a neighbour.
            let (pairs, last) = from.as_chunks::<2>();
            to.iter_mut().zip(pairs).for_each(|(to, [v, _])| *to = *v);
            let rest = to.iter_mut().skip(pairs.len());
            rest.zip(last).for_each(|(to, v)| *to = *v);
        }
        _ => {
            let from = from.iter().step_by(stride);
            to.iter_mut().zip(from).for_each(|(to, v)| *to = *v);
        }
    }
}

/// Adds each weight, multiplied by the values from its offset on, to `sums`, one weight after the other.
struct AddTaps<'a> {
    sums: &'a mut [f32],
    values: &'a [f32],
    weights: &'a [f32],
    offsets: &'a [usize],
}

impl Loop for AddTaps<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let length = self.sums.len();
        let from = |offset: usize| &self.values[offset..][..length];
        let (threes, rest) = self.weights.as_chunks::<3>();
        let (offsets, last) = self.offsets.as_chunks::<3>();
        // Three taps per pass read and write the sums a third as often.
        for (&[a, b, c], offsets) in threes.iter().zip(offsets) {
            let [x, y, z] = offsets.map(from);
            for (((sum, x), y), z) in self.sums.iter_mut().zip(x).zip(y).zip(z) {
                *sum = *sum + a * x + b * y + c * z;
            }
        }
        for (weight, &offset) in rest.iter().zip(last) {
            for (sum, value) in self.sums.iter_mut().zip(from(offset)) {
                *sum += weight * value;
            }
        }
    }
}

impl Op for Depthwise {
    fn name(&self) -> StaticName {
        "Depthwise".into()
    }

    op_as_typed_op!();
}

impl EvalOp for Depthwise {
    op_out_of_plan!();

    fn eval(&self, _context: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let [rows, columns] = self.output;
        let mut output = Tensor::zero::<f32>(&[1, self.input[0], rows, columns])?;
        let image = inputs[0].view();
        self.run(
            image.as_slice::<f32>()?,
            output.try_as_plain_ram_mut()?.as_slice_mut::<f32>()?,
        );
        Ok(tvec!(output.into_tvalue()))
    }
}

impl TypedOp for Depthwise {
    fn output_facts(&self, _inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        let [rows, columns] = self.output;
        Ok(tvec!(f32::fact([1, self.input[0], rows, columns])))
    }

    as_op!();
}

#[cfg(test)]
mod tests;
