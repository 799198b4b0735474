//! The layers of a program.

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
    /// Name of the node in the model, for reports and errors.
    pub name: String,
    /// The computation, with its inputs and its output.
    pub operation: Operation,
}

/// A tensor of codes, or a port for real values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Index of a tensor in the program.
    Tensor(usize),
    /// Number of a port.
    Port(usize),
}

/// The computation of a layer. Tensors are given by their index, ports by their number.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// Converts real values to codes.
    Quantize {
        /// Number of the input port.
        input: usize,
        /// Scale and range of the codes.
        steps: Steps,
        /// Index of the output tensor.
        output: usize,
    },
    /// A convolution. A matrix product is a convolution with a window as large as the image.
    Conv {
        /// Index of the input tensor.
        input: usize,
        /// The window.
        window: Window,
        /// `[filters, channels / groups, rows, columns]`, without zero points.
        weights: Vec<i16>,
        /// Output channels.
        filters: usize,
        /// Groups of channels that do not mix.
        groups: usize,
        /// Conversion of the sums to results.
        epilogue: Epilogue,
        /// An image that is added to the codes.
        residual: Option<Addend>,
        /// Tensor for codes, or port for real values.
        output: Place,
    },
    /// `a * weights[0] + b * weights[1]`.
    Add {
        /// Tensors of the same size. To change the scale of one tensor, give it twice with a weight of 0.
        inputs: [usize; 2],
        /// Scale of each term over the scale of the result.
        weights: [f64; 2],
        /// The ends of the result's codes, without the zero point.
        clamp: [i16; 2],
        /// Index of the output tensor.
        output: usize,
    },
    /// An elementwise function, as a lookup table of codes.
    Table {
        /// Index of the input tensor.
        input: usize,
        /// The code with the result `table[0]`.
        first: i16,
        /// Results of the codes from `first` on: one per 8-bit code, so at most 256.
        table: Vec<i16>,
        /// Index of the output tensor.
        output: usize,
    },
    /// Concatenates the channels of several images, each requantized to the scale of the result.
    Concat {
        /// Tensors of the same height and width.
        inputs: Vec<usize>,
        /// Scale of each input over the result's.
        weights: Vec<f64>,
        /// The ends of the result's codes, without the zero point.
        clamp: [i16; 2],
        /// Index of the output tensor.
        output: usize,
    },
    /// Selects some of the pixels, and adds channels of zeros before and after the input's channels.
    Subsample {
        /// Index of the input tensor.
        input: usize,
        /// First pixel, `[row, column]`.
        start: [usize; 2],
        /// Distance between selected pixels, `[rows, columns]`.
        stride: [usize; 2],
        /// Output channel of the first input channel.
        first: usize,
        /// Index of the output tensor.
        output: usize,
    },
    /// The largest code of each window.
    MaxPool {
        /// Index of the input tensor.
        input: usize,
        /// The window.
        window: Window,
        /// Index of the output tensor, which has the scale of the input.
        output: usize,
    },
    /// The mean of each window.
    AveragePool {
        /// Index of the input tensor.
        input: usize,
        /// The window. The last windows may extend beyond the padded image (`ceil_mode`).
        window: Window,
        /// Whether taps in the padding count towards the divisor. Taps beyond the padded image never do.
        counts_padding: bool,
        /// Scales of the input and of the result.
        scales: [f32; 2],
        /// The ends of the result's codes, without the zero point.
        clamp: [i16; 2],
        /// Index of the output tensor.
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
        /// Index of the output tensor.
        output: usize,
    },
    /// The mean of all pixels. The scale of the epilogue includes the division by the number of pixels.
    Mean {
        /// Index of the input tensor.
        input: usize,
        /// Conversion of the sums to results.
        epilogue: Epilogue,
        /// Tensor for codes, or port for real values.
        output: Place,
    },
    /// The means of the channels over all pixels, divided by their Euclidean length:
    /// `mean / sqrt(sum of squares + epsilon)`.
    UnitMean {
        /// Index of the input tensor.
        input: usize,
        /// Scale of a sum of pixels: the input's scale over the number of pixels.
        scale: f64,
        /// Positive constant that is added to the sum of squares.
        epsilon: f64,
        /// Scale of the result.
        step: f64,
        /// The ends of the result's codes, without the zero point.
        clamp: [i16; 2],
        /// Index of the output tensor.
        output: usize,
    },
    /// Converts codes to real values.
    Dequantize {
        /// Index of the input tensor.
        input: usize,
        /// Scale and range of the codes.
        steps: Steps,
        /// Number of the output port.
        output: usize,
    },
}

/// An image that is added to a layer's codes, with the result of [`Operation::Add`]. The layer has no groups and writes
/// codes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Addend {
    /// Index of the added tensor.
    pub input: usize,
    /// Scales of the layer's codes and of the tensor, each over the scale of the result.
    pub weights: [f64; 2],
    /// The ends of the result's codes, without the zero point.
    pub clamp: [i16; 2],
}

impl Operation {
    /// Tensors that the operation reads.
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

    /// The tensor that the operation writes, if any.
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

    /// The smallest and the largest code that the operation writes. `of` has the range of every tensor that is read.
    pub(super) fn range(&self, of: &[[i16; 2]]) -> [i16; 2] {
        match self {
            Self::Quantize { steps, .. } => [steps.low, steps.high],
            Self::Add { clamp, .. }
            | Self::Concat { clamp, .. }
            | Self::AveragePool { clamp, .. }
            | Self::Product { clamp, .. }
            | Self::UnitMean { clamp, .. } => *clamp,
            Self::Table { table, .. } => ends(table),
            // The added channels are zero.
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

    /// Appends the number of values at the operation's port to `inputs` or `outputs`.
    ///
    /// # Errors
    /// [`KernelError::Shape`] when the number of the port is not the next one.
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
                "the number of a port is {port}, expected {}",
                ports.len()
            )));
        }
        ports.push(count);
        Ok(())
    }
}
