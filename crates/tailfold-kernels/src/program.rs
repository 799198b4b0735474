//! A network, or a part of a network, as integer layers with planned memory.

mod arena;
mod operation;
mod run;
mod step;

use crate::KernelError;
use crate::frame::Frame;
use crate::lanes::Isa;
use arena::place;
pub use operation::{Addend, Layer, Operation, Place};
pub use run::Workspace;
use step::Step;

/// Layers that are ready to run, one image at a time. Tensors between layers hold codes. Inputs and outputs of the
/// program are real values, channels first, at numbered ports.
#[derive(Clone, Debug)]
pub struct Program {
    isa: Isa,
    tensors: Vec<Tensor>,
    steps: Vec<Step>,
    /// Number of codes in the memory that all tensors share.
    arena: usize,
    inputs: Vec<usize>,
    outputs: Vec<usize>,
}

/// A tensor of codes, and its place in the arena.
#[derive(Clone, Copy, Debug)]
struct Tensor {
    frame: Frame,
    offset: usize,
    /// The smallest and the largest code.
    range: [i16; 2],
}

impl Tensor {
    fn range(&self) -> std::ops::Range<usize> {
        self.offset..self.offset + self.frame.len()
    }
}

/// Description of a program's step for reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepInfo<'a> {
    /// The layer's name.
    pub name: &'a str,
    /// The kernel: `winograd`, `add`, ...
    pub kernel: &'static str,
    /// Multiply-accumulates per image by the definition of a convolution, even if the kernel needs fewer; 0 without
    /// weights.
    pub products: u64,
}

/// A layer that could not be prepared.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("layer `{layer}`: {error}")]
pub struct ProgramError {
    /// Name of the layer.
    pub layer: String,
    /// Cause of the failure.
    pub error: KernelError,
}

impl Program {
    /// Packs `layers`, which run in this order, over tensors of `[channels, height, width]`.
    ///
    /// # Errors
    /// [`ProgramError`] names the first layer with invalid sizes, scales or weights.
    pub fn new(isa: Isa, tensors: &[[usize; 3]], layers: Vec<Layer>) -> Result<Self, ProgramError> {
        let mut frames: Vec<Frame> = tensors
            .iter()
            .map(|&[c, h, w]| Frame::new(c, h, w))
            .collect();
        check_sizes(&layers, &frames)?;
        let mut written = vec![false; frames.len()];
        let mut ranges = vec![[0; 2]; frames.len()];
        for Layer { name, operation } in &layers {
            let wrong = |text: String| ProgramError {
                layer: name.clone(),
                error: KernelError::Shape(text),
            };
            for input in operation.reads() {
                if !written.get(input).copied().unwrap_or(false) {
                    return Err(wrong(format!(
                        "it reads tensor {input}, which no earlier layer writes"
                    )));
                }
                if let Operation::Conv {
                    input: of, window, ..
                } = operation
                    && *of == input
                {
                    frames[input].border = frames[input].border.union(window.pads);
                }
            }
            if let Some(output) = operation.writes() {
                match written.get_mut(output) {
                    Some(done @ false) => {
                        *done = true;
                        ranges[output] = operation.range(&ranges);
                    }
                    _ => {
                        return Err(wrong(format!(
                            "tensor {output} is missing or already written by another layer"
                        )));
                    }
                }
            }
        }
        let mut uses: Vec<Option<[usize; 2]>> = vec![None; frames.len()];
        for (step, Layer { operation, .. }) in layers.iter().enumerate() {
            for tensor in operation.reads().into_iter().chain(operation.writes()) {
                uses[tensor].get_or_insert([step; 2])[1] = step;
            }
        }
        let lives: Vec<_> = frames
            .iter()
            .zip(&uses)
            .map(|(frame, uses)| {
                let [first, last] = uses.unwrap_or_default();
                (frame.len(), first..=last)
            })
            .collect();
        let (offsets, arena) = place(&lives);
        let tensors: Vec<Tensor> = frames
            .into_iter()
            .zip(offsets)
            .zip(ranges)
            .map(|((frame, offset), range)| Tensor {
                frame,
                offset,
                range,
            })
            .collect();
        let [mut inputs, mut outputs] = [Vec::new(), Vec::new()];
        let steps = layers
            .into_iter()
            .map(|Layer { name, operation }| {
                let at = |error| ProgramError {
                    layer: name.clone(),
                    error,
                };
                let ports = [&mut inputs, &mut outputs];
                operation.count_ports(&tensors, ports).map_err(at)?;
                Step::new(isa, &tensors, name.clone(), operation).map_err(at)
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            isa,
            tensors,
            steps,
            arena,
            inputs,
            outputs,
        })
    }

    /// Returns the instruction set that the program runs on.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// Number of values per image at each input port.
    pub fn inputs(&self) -> &[usize] {
        &self.inputs
    }

    /// Number of values per image at each output port.
    pub fn outputs(&self) -> &[usize] {
        &self.outputs
    }

    /// The steps, in the order in which they run.
    pub fn steps(&self) -> impl Iterator<Item = StepInfo<'_>> {
        self.steps.iter().map(Step::info)
    }
}

/// Checks that sizes stay within bounds that no real network reaches, so that no product of sizes overflows.
fn check_sizes(layers: &[Layer], frames: &[Frame]) -> Result<(), ProgramError> {
    const LONGEST: usize = 1 << 16;
    const LARGEST: usize = 1 << 28;
    for Layer { name, operation } in layers {
        let too_large = |what: &dyn std::fmt::Debug| ProgramError {
            layer: name.clone(),
            error: KernelError::Shape(format!("{what:?} is too large, or empty")),
        };
        for tensor in operation.reads().into_iter().chain(operation.writes()) {
            let Some(frame) = frames.get(tensor) else {
                continue;
            };
            let sizes = [frame.channels, frame.height, frame.width];
            let product = sizes.iter().try_fold(1_usize, |n, &s| n.checked_mul(s));
            let sound = sizes.iter().all(|s| (1..=LONGEST).contains(s));
            if !sound || product.is_none_or(|p| p > LARGEST) {
                return Err(too_large(&sizes));
            }
        }
        if let Operation::Conv { window, .. }
        | Operation::MaxPool { window, .. }
        | Operation::AveragePool { window, .. } = operation
        {
            let pads = window.pads;
            let sizes = [
                &[pads.top, pads.left, pads.bottom, pads.right][..],
                &window.kernel,
                &window.stride,
                &window.dilation,
            ];
            if sizes.concat().iter().any(|&s| s > 1 << 10) {
                return Err(too_large(window));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
