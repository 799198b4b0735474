//! A layer, packed.

use super::{Operation, Place, StepInfo, Tensor};
use crate::KernelError;
use crate::blend::Blend;
use crate::conv::{Conv, Epilogue, Method, Weights};
use crate::frame::Frame;
use crate::lanes::Isa;
use crate::pool::check_mean;
use crate::ports::Steps;
use crate::shape::Window;

#[derive(Clone, Debug)]
pub(super) struct Step {
    name: String,
    pub(super) work: Work,
}

/// Tensors and ports are named by their index.
#[derive(Clone, Debug)]
pub(super) enum Work {
    Quantize {
        input: usize,
        steps: Steps,
        output: usize,
    },
    Conv {
        input: usize,
        conv: Box<Conv>,
        output: Place,
    },
    Add {
        inputs: [usize; 2],
        blend: Box<Blend>,
        output: usize,
    },
    Subsample {
        input: usize,
        start: [usize; 2],
        stride: [usize; 2],
        first: usize,
        output: usize,
    },
    MaxPool {
        input: usize,
        window: Window,
        output: usize,
    },
    Mean {
        input: usize,
        epilogue: Epilogue,
        output: Place,
    },
    Dequantize {
        input: usize,
        steps: Steps,
        output: usize,
    },
}

impl Step {
    pub(super) fn new(
        isa: Isa,
        tensors: &[Tensor],
        name: String,
        operation: Operation,
    ) -> Result<Self, KernelError> {
        let frame = |tensor: usize| tensors[tensor].frame;
        let work = match operation {
            Operation::Quantize {
                input,
                steps,
                output,
            } => Work::Quantize {
                input,
                steps,
                output,
            },
            Operation::Conv {
                input,
                window,
                weights,
                filters,
                groups,
                epilogue,
                output,
            } => {
                let from = frame(input);
                let [height, width] = window.output(from.height, from.width)?;
                let to = match output {
                    Place::Tensor(tensor) => frame(tensor),
                    Place::Port(_) => Frame::new(filters, height, width),
                };
                check_epilogue(&epilogue, output)?;
                let weights = Weights {
                    codes: &weights,
                    filters,
                    groups,
                };
                let conv = Conv::new(isa, window, from, to, weights, epilogue)?;
                Work::Conv {
                    input,
                    conv: Box::new(conv),
                    output,
                }
            }
            Operation::Add {
                inputs,
                weights,
                clamp,
                output,
            } => {
                for input in inputs {
                    same("a term", size(&frame(input)), size(&frame(output)))?;
                }
                Work::Add {
                    inputs,
                    blend: Box::new(Blend::new(isa, weights, clamp)?),
                    output,
                }
            }
            Operation::Subsample {
                input,
                start,
                stride,
                first,
                output,
            } => {
                let (from, to) = (frame(input), frame(output));
                let last =
                    |axis: usize, out: usize| start[axis] + out.saturating_sub(1) * stride[axis];
                let fits = first + from.channels <= to.channels
                    && last(0, to.height) < from.height
                    && last(1, to.width) < from.width;
                if !fits {
                    return Err(KernelError::Shape(format!(
                        "pixels of {from:?} do not fill {to:?}"
                    )));
                }
                Work::Subsample {
                    input,
                    start,
                    stride,
                    first,
                    output,
                }
            }
            Operation::MaxPool {
                input,
                window,
                output,
            } => {
                let (from, to) = (frame(input), frame(output));
                let [height, width] = window.output(from.height, from.width)?;
                same("a pool", [from.channels, height, width], size(&to))?;
                Work::MaxPool {
                    input,
                    window,
                    output,
                }
            }
            Operation::Mean {
                input,
                epilogue,
                output,
            } => {
                let from = frame(input);
                check_mean(&from)?;
                check_epilogue(&epilogue, output)?;
                epilogue.check(from.channels)?;
                if let Place::Tensor(tensor) = output {
                    same("a mean", [from.channels, 1, 1], size(&frame(tensor)))?;
                }
                Work::Mean {
                    input,
                    epilogue,
                    output,
                }
            }
            Operation::Dequantize {
                input,
                steps,
                output,
            } => Work::Dequantize {
                input,
                steps,
                output,
            },
        };
        Ok(Self { name, work })
    }

    pub(super) fn info(&self) -> StepInfo<'_> {
        let (kernel, products) = match &self.work {
            Work::Quantize { .. } => ("quantize", 0),
            Work::Conv { conv, .. } => (
                match conv.method() {
                    Method::Direct => "direct",
                    Method::Winograd => "winograd",
                    Method::Depthwise => "depthwise",
                    Method::Grouped => "grouped",
                },
                conv.products(),
            ),
            Work::Add { .. } => ("add", 0),
            Work::Subsample { .. } => ("subsample", 0),
            Work::MaxPool { .. } => ("max", 0),
            Work::Mean { .. } => ("mean", 0),
            Work::Dequantize { .. } => ("dequantize", 0),
        };
        StepInfo {
            name: &self.name,
            kernel,
            products,
        }
    }

    /// Codes and sums that it needs while it runs.
    pub(super) fn scratch(&self, tensors: &[Tensor]) -> [usize; 2] {
        match &self.work {
            Work::Conv { conv, .. } => conv.scratch(),
            Work::Mean { input, .. } => [0, tensors[*input].frame.channels],
            _ => [0, 0],
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
        "{what} is {found:?}, its result {expected:?}"
    )))
}

/// Codes go to tensors, real values to ports.
fn check_epilogue(epilogue: &Epilogue, output: Place) -> Result<(), KernelError> {
    match (epilogue, output) {
        (Epilogue::Codes(_), Place::Tensor(_)) | (Epilogue::Real { .. }, Place::Port(_)) => Ok(()),
        _ => Err(KernelError::Shape(
            "codes go to a tensor, real values to a port".to_owned(),
        )),
    }
}
