//! The layers that a program is made of.

use super::Tensor;
use crate::KernelError;
use crate::conv::Epilogue;
use crate::pool::EMPTY;
use crate::ports::Steps;
use crate::shape::Window;
use crate::table::ends;

/// One layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// For people; the node's name in the model.
    pub name: String,
    /// What it computes, from where to where.
    pub operation: Operation,
}

/// A tensor of codes, or a port for real values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// By its index in the program.
    Tensor(usize),
    /// By its number.
    Port(usize),
}

/// What a layer computes. Tensors are named by their index.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// Codes of real values.
    Quantize {
        /// Port.
        input: usize,
        /// Of the codes.
        steps: Steps,
        /// Tensor.
        output: usize,
    },
    /// A convolution. A matrix product is one whose window is the whole image.
    Conv {
        /// Tensor.
        input: usize,
        /// The window.
        window: Window,
        /// `[filters, channels / groups, rows, columns]`, without zero points.
        weights: Vec<i16>,
        /// Output channels.
        filters: usize,
        /// Groups of channels that do not mix.
        groups: usize,
        /// What becomes of the sums.
        epilogue: Epilogue,
        /// What is added to their codes.
        residual: Option<Addend>,
        /// Codes, or real values.
        output: Place,
    },
    /// `a * weights[0] + b * weights[1]`, each weight a term's scale over the result's.
    Add {
        /// Tensors of one size; twice the same, with a weight of 0, to change a scale.
        inputs: [usize; 2],
        /// One a term.
        weights: [f64; 2],
        /// The ends of the result's codes, without the zero point.
        clamp: [i16; 2],
        /// Tensor.
        output: usize,
    },
    /// An elementwise function, as a lookup table of codes.
    Table {
        /// Tensor.
        input: usize,
        /// The code, without its zero point, whose result is `table[0]`.
        first: i16,
        /// Results of the codes from `first` on, without their zero point: one per 8-bit code, so at most 256.
        table: Vec<i16>,
        /// Tensor.
        output: usize,
    },
    /// The channels of several images, one after the other, each image requantized to the scale of the result.
    Concat {
        /// Tensors of the same height and width.
        inputs: Vec<usize>,
        /// Scale of each input over the result's.
        weights: Vec<f64>,
        /// The ends of the result's codes, without the zero point.
        clamp: [i16; 2],
        /// Tensor.
        output: usize,
    },
    /// Some of the pixels, with channels of zeros around theirs.
    Subsample {
        /// Tensor.
        input: usize,
        /// First pixel, `[row, column]`.
        start: [usize; 2],
        /// From one pixel to the next.
        stride: [usize; 2],
        /// Output channel of the first input channel.
        first: usize,
        /// Tensor.
        output: usize,
    },
    /// The largest code of each window.
    MaxPool {
        /// Tensor.
        input: usize,
        /// The window.
        window: Window,
        /// Tensor of the same scale.
        output: usize,
    },
    /// The mean of each window.
    AveragePool {
        /// Tensor.
        input: usize,
        /// The window. The last windows may extend beyond the padded image (`ceil_mode`).
        window: Window,
        /// Whether taps in the padding count towards the divisor. Taps beyond the padded image never do.
        counts_padding: bool,
        /// Scales of the input and of the result.
        scales: [f32; 2],
        /// The ends of the result's codes, without the zero point.
        clamp: [i16; 2],
        /// Tensor.
        output: usize,
    },
    /// The product of two images of the same size, or of an image and one value per channel.
    Product {
        /// Tensors; the first one has the size of the result.
        inputs: [usize; 2],
        /// The product of the inputs' scales over the result's scale.
        weight: f64,
        /// The ends of the result's codes, without the zero point.
        clamp: [i16; 2],
        /// Tensor.
        output: usize,
    },
    /// The mean of all pixels; the epilogue has the number of pixels in it.
    Mean {
        /// Tensor.
        input: usize,
        /// What becomes of the sums.
        epilogue: Epilogue,
        /// Codes, or real values.
        output: Place,
    },
    /// The mean of all pixels over its length: `mean / sqrt(sum of squares + epsilon)`, as codes.
    UnitMean {
        /// Tensor.
        input: usize,
        /// Scale of a sum of pixels: the input's over their number.
        scale: f64,
        /// Positive.
        epsilon: f64,
        /// Scale of the result.
        step: f64,
        /// The ends of the result's codes, without the zero point.
        clamp: [i16; 2],
        /// Tensor.
        output: usize,
    },
    /// Real values of codes.
    Dequantize {
        /// Tensor.
        input: usize,
        /// Of the codes.
        steps: Steps,
        /// Port.
        output: usize,
    },
}

/// An image that is added to a layer's codes, as [`Operation::Add`] would: without groups, and where codes are written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Addend {
    /// Tensor.
    pub input: usize,
    /// Of the layer's codes, and of the tensor's.
    pub weights: [f64; 2],
    /// The ends of the result's codes, without the zero point.
    pub clamp: [i16; 2],
}

impl Operation {
    /// Tensors that it reads.
    pub fn reads(&self) -> Vec<usize> {
        match *self {
            Self::Quantize { .. } => Vec::new(),
            Self::Add { inputs, .. } | Self::Product { inputs, .. } => inputs.to_vec(),
            Self::Concat { ref inputs, .. } => inputs.clone(),
            Self::Conv {
                input,
                residual: Some(Addend { input: other, .. }),
                ..
            } => vec![input, other],
            Self::Conv { input, .. }
            | Self::Table { input, .. }
            | Self::Subsample { input, .. }
            | Self::MaxPool { input, .. }
            | Self::AveragePool { input, .. }
            | Self::Mean { input, .. }
            | Self::UnitMean { input, .. }
            | Self::Dequantize { input, .. } => vec![input],
        }
    }

    /// The tensor that it writes.
    pub fn writes(&self) -> Option<usize> {
        match *self {
            Self::Quantize { output, .. }
            | Self::Add { output, .. }
            | Self::Table { output, .. }
            | Self::Concat { output, .. }
            | Self::AveragePool { output, .. }
            | Self::Product { output, .. }
            | Self::Subsample { output, .. }
            | Self::MaxPool { output, .. }
            | Self::UnitMean { output, .. }
            | Self::Conv {
                output: Place::Tensor(output),
                ..
            }
            | Self::Mean {
                output: Place::Tensor(output),
                ..
            } => Some(output),
            Self::Conv { .. } | Self::Mean { .. } | Self::Dequantize { .. } => None,
        }
    }

    /// The smallest and the largest code that it writes, given those of all tensors that it reads.
    pub(super) fn range(&self, of: &[[i16; 2]]) -> [i16; 2] {
        match self {
            Self::Quantize { steps, .. } => [steps.low, steps.high],
            Self::Add { clamp, .. }
            | Self::Concat { clamp, .. }
            | Self::AveragePool { clamp, .. }
            | Self::Product { clamp, .. }
            | Self::UnitMean { clamp, .. } => *clamp,
            Self::Table { table, .. } => ends(table),
            // Other channels are zero.
            Self::Subsample { input, .. } => [of[*input][0].min(0), of[*input][1].max(0)],
            Self::MaxPool { input, window, .. } => match window.always_meets_the_image() {
                true => of[*input],
                false => [EMPTY, of[*input][1].max(EMPTY)],
            },
            Self::Conv {
                residual: Some(Addend { clamp, .. }),
                ..
            } => *clamp,
            Self::Conv { epilogue, .. } | Self::Mean { epilogue, .. } => match epilogue {
                Epilogue::Codes(requantize) => requantize.ends(),
                Epilogue::Real { .. } => [0, 0],
            },
            Self::Dequantize { .. } => [0, 0],
        }
    }

    /// Notes how many values pass the ports that it reads or writes, which come in order.
    pub(super) fn count_ports(
        &self,
        tensors: &[Tensor],
        [inputs, outputs]: [&mut Vec<usize>; 2],
    ) -> Result<(), KernelError> {
        let values = |tensor: usize| {
            let frame = &tensors[tensor].frame;
            frame.channels * frame.height * frame.width
        };
        let (ports, port, count) = match self {
            Self::Quantize { input, output, .. } => (inputs, *input, values(*output)),
            Self::Dequantize { input, output, .. } => (outputs, *output, values(*input)),
            Self::Conv {
                input,
                window,
                filters,
                output: Place::Port(port),
                ..
            } => {
                let frame = &tensors[*input].frame;
                let [height, width] = window.output(frame.height, frame.width)?;
                (outputs, *port, filters * height * width)
            }
            Self::Mean {
                input,
                output: Place::Port(port),
                ..
            } => (outputs, *port, tensors[*input].frame.channels),
            _ => return Ok(()),
        };
        if port != ports.len() {
            return Err(KernelError::Shape(format!(
                "port {port} comes after {} others",
                ports.len()
            )));
        }
        ports.push(count);
        Ok(())
    }
}
