//! Packed layers.

use super::{Operation, Place, StepInfo, Tensor};
use crate::KernelError;
use crate::average::Average;
use crate::blend::Blend;
use crate::concat::Part;
use crate::conv::{Conv, Epilogue, Method, Residual, Weights};
use crate::frame::Frame;
use crate::lanes::Isa;
use crate::pool::check_mean;
use crate::product::Product;
use crate::scratch::Need;
use crate::table::Table;

/// A layer that is ready to run.
#[derive(Clone, Debug)]
pub(super) struct Step {
    name: String,
    /// The operation. Its weights and its table are empty, because they are packed.
    pub(super) operation: Operation,
    pub(super) packed: Packed,
}

#[derive(Clone, Debug)]
pub(super) enum Packed {
    /// The operation needs no packed data.
    Nothing,
    Conv(Box<Conv>),
    Blend(Box<Blend>),
    Table(Table),
    Average(Average),
    Product(Product),
    /// One per input.
    Concat(Vec<Part>),
}

impl Step {
    pub(super) fn new(
        isa: Isa,
        tensors: &[Tensor],
        name: String,
        mut operation: Operation,
    ) -> Result<Self, KernelError> {
        let frame = |tensor: usize| tensors[tensor].frame;
        let mut packed = Packed::Nothing;
        match &mut operation {
            Operation::Quantize { .. } | Operation::Dequantize { .. } => {}
            Operation::Conv {
                input,
                window,
                weights,
                filters,
                groups,
                epilogue,
                residual,
                output,
            } => {
                let from = frame(*input);
                let [height, width] = window.output(from.height, from.width)?;
                let to = match *output {
                    Place::Tensor(tensor) => frame(tensor),
                    Place::Port(_) => Frame::new(*filters, height, width),
                };
                check_epilogue(epilogue, *output)?;
                let codes = std::mem::take(weights);
                let weights = Weights {
                    codes: &codes,
                    filters: *filters,
                    groups: *groups,
                };
                let from = (from, tensors[*input].range);
                let mut conv = Conv::new(isa, *window, from, to, weights, epilogue.clone())?;
                if let Some(addend) = residual {
                    let blend = Blend::new(isa, addend.weights, addend.clamp)?;
                    conv = conv.with(Residual::new(frame(addend.input), blend, &to)?)?;
                    if let Place::Port(_) = output {
                        return Err(KernelError::Shape(
                            "an image is added to real values, not to codes".to_owned(),
                        ));
                    }
                }
                packed = Packed::Conv(Box::new(conv));
            }
            Operation::Add {
                inputs,
                weights,
                clamp,
                output,
            } => {
                for input in *inputs {
                    same("a term", size(&frame(input)), size(&frame(*output)))?;
                }
                packed = Packed::Blend(Box::new(Blend::new(isa, *weights, *clamp)?));
            }
            Operation::Table {
                input,
                first,
                table,
                output,
            } => {
                same("a term", size(&frame(*input)), size(&frame(*output)))?;
                let codes = std::mem::take(table);
                packed = Packed::Table(Table::new(*first, &codes, tensors[*input].range)?);
            }
            Operation::Concat {
                inputs,
                weights,
                clamp,
                output,
            } => {
                let to = frame(*output);
                if weights.len() != inputs.len() {
                    return Err(KernelError::Length {
                        what: "weights",
                        found: weights.len(),
                        expected: inputs.len(),
                    });
                }
                let mut parts = Vec::with_capacity(inputs.len());
                let mut first = 0;
                for (&input, &weight) in inputs.iter().zip(weights.iter()) {
                    let Tensor {
                        frame: from, range, ..
                    } = tensors[input];
                    let found = [from.channels, from.height, from.width];
                    same("a term", found, [from.channels, to.height, to.width])?;
                    parts.push(Part::new(isa, first, weight, range, *clamp)?);
                    first += from.channels;
                }
                same(
                    "all terms together",
                    [first, to.height, to.width],
                    size(&to),
                )?;
                packed = Packed::Concat(parts);
            }
            Operation::Subsample {
                input,
                start,
                stride,
                first,
                output,
            } => {
                let (from, to) = (frame(*input), frame(*output));
                let last =
                    |axis: usize, out: usize| start[axis] + out.saturating_sub(1) * stride[axis];
                let fits = *first + from.channels <= to.channels
                    && last(0, to.height) < from.height
                    && last(1, to.width) < from.width;
                if !fits {
                    return Err(KernelError::Shape(format!(
                        "pixels of {from:?} do not fill {to:?}"
                    )));
                }
            }
            Operation::MaxPool {
                input,
                window,
                output,
            } => {
                let from = frame(*input);
                let [height, width] = window.output(from.height, from.width)?;
                let found = [from.channels, height, width];
                same("a pool", found, size(&frame(*output)))?;
            }
            Operation::AveragePool {
                input,
                window,
                counts_padding,
                scales,
                clamp,
                output,
            } => {
                let average = Average {
                    isa,
                    window: *window,
                    counts_padding: *counts_padding,
                    scales: scales.map(f64::from),
                    clamp: *clamp,
                };
                average.check(&frame(*input), &frame(*output))?;
                packed = Packed::Average(average);
            }
            Operation::Product {
                inputs: [input, gate],
                weight,
                clamp,
                output,
            } => {
                let (from, factors) = (frame(*input), frame(*gate));
                same("a product", size(&from), size(&frame(*output)))?;
                if size(&factors) != [from.channels, 1, 1] {
                    same("a factor", size(&factors), size(&from))?;
                }
                packed = Packed::Product(Product::new(isa, *weight, *clamp)?);
            }
            Operation::UnitMean {
                input,
                scale,
                epsilon,
                step,
                output,
                ..
            } => {
                let from = frame(*input);
                check_mean(&from)?;
                for value in [*scale, *epsilon, *step] {
                    if !(value > 0.0 && value.is_finite()) {
                        return Err(KernelError::Ratio { channel: 0, value });
                    }
                }
                same("a mean", [from.channels, 1, 1], size(&frame(*output)))?;
            }
            Operation::Mean {
                input,
                epilogue,
                output,
            } => {
                let from = frame(*input);
                check_mean(&from)?;
                check_epilogue(epilogue, *output)?;
                epilogue.check(from.channels)?;
                if let Place::Tensor(tensor) = *output {
                    same("a mean", [from.channels, 1, 1], size(&frame(tensor)))?;
                }
            }
        }
        Ok(Self {
            name,
            operation,
            packed,
        })
    }

    pub(super) fn info(&self) -> StepInfo<'_> {
        let mut products = 0;
        let kernel = match (&self.operation, &self.packed) {
            (_, Packed::Conv(conv)) => {
                products = conv.products();
                match conv.method() {
                    Method::Direct => "direct",
                    Method::Winograd => "winograd",
                    Method::Depthwise => "depthwise",
                    Method::Grouped => "grouped",
                }
            }
            (Operation::Quantize { .. }, _) => "quantize",
            (Operation::Conv { .. }, _) => unreachable!("convolutions are packed"),
            (Operation::Add { .. }, _) => "add",
            (Operation::Table { .. }, _) => "table",
            (Operation::Concat { .. }, _) => "concat",
            (Operation::Subsample { .. }, _) => "subsample",
            (Operation::MaxPool { .. }, _) => "max",
            (Operation::AveragePool { .. }, _) => "average",
            (Operation::Product { .. }, _) => "product",
            (Operation::Mean { .. }, _) => "mean",
            (Operation::UnitMean { .. }, _) => "unit mean",
            (Operation::Dequantize { .. }, _) => "dequantize",
        };
        StepInfo {
            name: &self.name,
            kernel,
            products,
        }
    }

    /// The number of threads that pay off for this layer.
    pub(super) fn threads(&self) -> usize {
        match &self.packed {
            Packed::Conv(conv) => conv.threads(),
            _ => 1,
        }
    }

    /// Scratch memory of a run.
    pub(super) fn scratch(&self, tensors: &[Tensor]) -> Need {
        match (&self.operation, &self.packed) {
            (_, Packed::Conv(conv)) => conv.scratch(),
            (
                Operation::Mean { input, .. }
                | Operation::UnitMean { input, .. }
                | Operation::AveragePool { input, .. },
                _,
            ) => Need {
                sums: tensors[*input].frame.channels,
                ..Need::default()
            },
            _ => Need::default(),
        }
    }
}

fn size(frame: &Frame) -> [usize; 3] {
    [frame.channels, frame.height, frame.width]
}

fn same(what: &str, found: [usize; 3], expected: [usize; 3]) -> Result<(), KernelError> {
    if found == expected {
        return Ok(());
    }
    Err(KernelError::Shape(format!(
        "the shape of {what} is {found:?}, expected {expected:?}"
    )))
}

/// Checks that an epilogue writes codes to a tensor or real values to a port.
fn check_epilogue(epilogue: &Epilogue, output: Place) -> Result<(), KernelError> {
    match (epilogue, output) {
        (Epilogue::Codes(_), Place::Tensor(_)) | (Epilogue::Real { .. }, Place::Port(_)) => Ok(()),
        _ => Err(KernelError::Shape(
            "codes go to a tensor, real values to a port".to_owned(),
        )),
    }
}
