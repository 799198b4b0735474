//! The run of a program over one image.

use std::sync::Arc;

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::step::{Packed, Step};
use super::{Operation, Place, Program, StepInfo};
use crate::KernelError;
use crate::concat::clear_rest;
use crate::conv::{Epilogue, Part, Sink};
use crate::pool::{max_windows, mean, sum_pixels, unit};
use crate::ports::{dequantize, quantize, subsample};
use crate::requantize::nearest;
use crate::scratch::Scratch;

/// The memory of a running program, allocated once and used for one image at a time.
#[derive(Clone, Debug)]
pub struct Workspace {
    arena: Vec<i16>,
    /// One entry per thread.
    scratches: Vec<Scratch>,
    /// The threads; `None` for a program on the calling thread.
    pool: Option<Arc<ThreadPool>>,
}

impl Workspace {
    /// Number of bytes in the workspace.
    pub fn bytes(&self) -> usize {
        self.arena.len() * 2 + self.scratches.iter().map(Scratch::bytes).sum::<usize>()
    }

    /// Number of threads that share an image.
    pub fn threads(&self) -> usize {
        self.scratches.len()
    }
}

impl Program {
    /// Allocates a workspace for runs on the calling thread.
    pub fn workspace(&self) -> Workspace {
        let needs = self.steps.iter().map(|s| s.scratch(&self.tensors));
        Workspace {
            arena: vec![0; self.arena],
            scratches: vec![Scratch::new(needs)],
            pool: None,
        }
    }

    /// Allocates a workspace for runs on at most `threads` threads, which share the rows of large layers.
    ///
    /// It has fewer threads when no layer is large enough for all. Results do not depend on their number.
    ///
    /// # Errors
    /// [`KernelError::Threads`] when the system cannot start threads.
    pub fn workspace_on(&self, threads: usize) -> Result<Workspace, KernelError> {
        let worth = self.steps.iter().map(Step::threads).max().unwrap_or(1);
        let mut workspace = self.workspace();
        let threads = threads.min(worth);
        if threads > 1 {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build();
            let pool = pool.map_err(|error| KernelError::Threads(error.to_string()))?;
            workspace.pool = Some(Arc::new(pool));
            let scratch = workspace.scratches[0].clone();
            workspace.scratches.resize(threads, scratch);
        }
        Ok(workspace)
    }

    /// Runs one image from the values at the input ports to the values at the output ports, all channels first.
    ///
    /// # Errors
    /// [`KernelError::Input`] for a NaN, [`KernelError::Length`] when the number of values does not match a port.
    ///
    /// # Panics
    /// When `workspace` belongs to another program.
    pub fn run(
        &self,
        workspace: &mut Workspace,
        inputs: &[&[f32]],
        outputs: &mut [&mut [f32]],
    ) -> Result<(), KernelError> {
        self.run_watched(workspace, inputs, outputs, |_| {})
    }

    /// Runs one image as [`Program::run`], and calls `watch` after each step.
    ///
    /// # Errors
    /// As [`Program::run`].
    ///
    /// # Panics
    /// As [`Program::run`].
    pub fn run_watched(
        &self,
        workspace: &mut Workspace,
        inputs: &[&[f32]],
        outputs: &mut [&mut [f32]],
        mut watch: impl FnMut(StepInfo<'_>) + Send,
    ) -> Result<(), KernelError> {
        let found = inputs.iter().map(|v| v.len());
        same_lengths("input values", found, &self.inputs)?;
        let found = outputs.iter().map(|v| v.len());
        same_lengths("output values", found, &self.outputs)?;
        let mut all = |workspace: &mut Workspace| {
            for step in &self.steps {
                self.step(step, workspace, inputs, outputs)?;
                watch(step.info());
            }
            Ok(())
        };
        match workspace.pool.clone() {
            Some(pool) => pool.install(|| all(workspace)),
            None => all(workspace),
        }
    }

    fn step(
        &self,
        step: &Step,
        Workspace {
            arena, scratches, ..
        }: &mut Workspace,
        inputs: &[&[f32]],
        outputs: &mut [&mut [f32]],
    ) -> Result<(), KernelError> {
        let frame = |tensor: usize| &self.tensors[tensor].frame;
        match (&step.operation, &step.packed) {
            (
                Operation::Quantize {
                    input,
                    steps,
                    output,
                },
                _,
            ) => {
                let [out] = self.memory(arena, [*output]);
                frame(*output).clear_border(out);
                quantize(self.isa, *steps, inputs[*input], frame(*output), out)?;
            }
            (
                Operation::Conv {
                    input,
                    residual,
                    output: Place::Tensor(output),
                    ..
                },
                Packed::Conv(conv),
            ) => {
                let (x, other, out): (&[i16], Option<&[i16]>, _) = match residual {
                    None => {
                        let [x, out] = self.memory(arena, [*input, *output]);
                        (x, None, out)
                    }
                    Some(addend) if addend.input == *input => {
                        let [x, out] = self.memory(arena, [*input, *output]);
                        (x, Some(x), out)
                    }
                    Some(addend) => {
                        let [x, other, out] = self.memory(arena, [*input, addend.input, *output]);
                        (x, Some(other), out)
                    }
                };
                frame(*output).clear_border(out);
                let out = Part::whole(frame(*output), out);
                conv.run(x, other, Sink::Codes(out), scratches);
            }
            (
                Operation::Conv {
                    input,
                    output: Place::Port(port),
                    ..
                },
                Packed::Conv(conv),
            ) => {
                let [x] = self.memory(arena, [*input]);
                conv.run(x, None, Sink::Real(outputs[*port]), scratches);
            }
            (
                Operation::Add {
                    inputs: [a, b],
                    output,
                    ..
                },
                Packed::Blend(blend),
            ) => {
                let (x, y, out): (&[i16], &[i16], _) = if a == b {
                    let [x, out] = self.memory(arena, [*a, *output]);
                    (x, x, out)
                } else {
                    let [x, y, out] = self.memory(arena, [*a, *b, *output]);
                    (x, y, out)
                };
                frame(*output).clear_border(out);
                blend.run([(frame(*a), x), (frame(*b), y)], frame(*output), out);
            }
            (Operation::Table { input, output, .. }, Packed::Table(table)) => {
                let [x, out] = self.memory(arena, [*input, *output]);
                frame(*output).clear_border(out);
                table.run((frame(*input), x), (frame(*output), out));
            }
            (Operation::Concat { inputs, output, .. }, Packed::Concat(parts)) => {
                let [out] = self.memory(arena, [*output]);
                frame(*output).clear_border(out);
                clear_rest(frame(*output), out);
                for (&input, part) in inputs.iter().zip(parts) {
                    let [x, out] = self.memory(arena, [input, *output]);
                    part.run((frame(input), x), (frame(*output), out));
                }
            }
            (Operation::AveragePool { input, output, .. }, Packed::Average(average)) => {
                let sums = &mut scratches[0].sums[..frame(*input).channels];
                let [x, out] = self.memory(arena, [*input, *output]);
                frame(*output).clear_border(out);
                average.run((frame(*input), x), (frame(*output), out), sums);
            }
            (
                Operation::Product {
                    inputs: [a, b],
                    output,
                    ..
                },
                Packed::Product(product),
            ) => {
                let (x, gate, out): (&[i16], &[i16], _) = if a == b {
                    let [x, out] = self.memory(arena, [*a, *output]);
                    (x, x, out)
                } else {
                    let [x, gate, out] = self.memory(arena, [*a, *b, *output]);
                    (x, gate, out)
                };
                frame(*output).clear_border(out);
                product.run((frame(*a), x), (frame(*b), gate), (frame(*output), out));
            }
            (
                Operation::Subsample {
                    input,
                    start,
                    stride,
                    first,
                    output,
                },
                _,
            ) => {
                let [x, out] = self.memory(arena, [*input, *output]);
                frame(*output).clear_border(out);
                let (from, to) = ((frame(*input), &*x), (frame(*output), out));
                subsample([*start, *stride], *first, from, to);
            }
            (
                Operation::MaxPool {
                    input,
                    window,
                    output,
                },
                _,
            ) => {
                let [x, out] = self.memory(arena, [*input, *output]);
                frame(*output).clear_border(out);
                max_windows(window, frame(*input), x, frame(*output), out);
            }
            (
                Operation::Mean {
                    input,
                    epilogue,
                    output,
                },
                _,
            ) => {
                let sums = &mut scratches[0].sums[..frame(*input).channels];
                let [x] = self.memory(arena, [*input]);
                sum_pixels(frame(*input), x, sums);
                match (epilogue, output) {
                    (Epilogue::Codes(requantize), Place::Tensor(output)) => {
                        let [out] = self.memory(arena, [*output]);
                        frame(*output).clear_border(out);
                        mean(sums, requantize, frame(*output), out);
                    }
                    (Epilogue::Real { .. }, Place::Port(port)) => {
                        for (channel, &sum) in sums.iter().enumerate() {
                            outputs[*port][channel] = epilogue.real(channel, sum);
                        }
                    }
                    _ => unreachable!("checked when the step was made"),
                }
            }
            (
                Operation::UnitMean {
                    input,
                    scale,
                    epsilon,
                    step,
                    clamp,
                    output,
                },
                _,
            ) => {
                let sums = &mut scratches[0].sums[..frame(*input).channels];
                let [x, out] = self.memory(arena, [*input, *output]);
                frame(*output).clear_border(out);
                sum_pixels(frame(*input), x, sums);
                let pixel = &mut out[frame(*output).at(0, 0)..];
                unit(
                    sums,
                    *scale,
                    *epsilon,
                    |value| nearest(value / step, *clamp),
                    pixel,
                );
            }
            (
                Operation::Dequantize {
                    input,
                    steps,
                    output,
                },
                _,
            ) => {
                let [x] = self.memory(arena, [*input]);
                dequantize(*steps, x, frame(*input), outputs[*output]);
            }
            (
                Operation::Conv { .. }
                | Operation::Add { .. }
                | Operation::Table { .. }
                | Operation::Concat { .. }
                | Operation::AveragePool { .. }
                | Operation::Product { .. },
                _,
            ) => unreachable!("packed when the step was made"),
        }
        Ok(())
    }

    fn memory<'a, const N: usize>(
        &self,
        arena: &'a mut [i16],
        tensors: [usize; N],
    ) -> [&'a mut [i16]; N] {
        arena
            .get_disjoint_mut(tensors.map(|t| self.tensors[t].range()))
            .expect("the workspace belongs to this program, whose tensors in use are disjoint")
    }
}

fn same_lengths(
    what: &'static str,
    found: impl ExactSizeIterator<Item = usize>,
    expected: &[usize],
) -> Result<(), KernelError> {
    let (found, expected): (Vec<usize>, _) = (found.collect(), expected);
    if found == expected {
        return Ok(());
    }
    Err(KernelError::Length {
        what,
        found: found.iter().sum(),
        expected: expected.iter().sum(),
    })
}
