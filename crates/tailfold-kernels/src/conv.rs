//! Convolutions: which kernel a shape takes, weights packed once, and the run over one image.

mod depthwise;
mod direct;
mod filters;
mod rows;
mod winograd;

use crate::frame::Frame;
use crate::lanes::Isa;
use crate::requantize::Requantize;
use crate::scratch::Need;
use crate::shape::Window;
use crate::{KernelError, Scratch};
use depthwise::Depthwise;
pub use direct::Sink;
use direct::{Direct, Narrow, lowest};
use winograd::Winograd;

/// Weight codes of a convolution, without their zero points.
#[derive(Clone, Copy, Debug)]
pub struct Weights<'a> {
    /// `[filters, channels / groups, kernel rows, kernel columns]`, each within ±255.
    pub codes: &'a [i16],
    /// Output channels.
    pub filters: usize,
    /// Groups of channels that do not mix.
    pub groups: usize,
}

/// What a layer does with its sums.
#[derive(Clone, Debug, PartialEq)]
pub enum Epilogue {
    /// Codes again.
    Codes(Requantize),
    /// Real values, `sum * scale + bias`, where a layer's output is not quantized: a head's logits.
    Real {
        /// Input scale times weight scale, a channel.
        scale: Vec<f64>,
        /// One a channel.
        bias: Vec<f64>,
    },
}

/// Which kernel computes a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// Windows times weights, as they are.
    Direct,
    /// F(2x2, 3x3) of Winograd in integers: nine products become four, exactly (Lavin and Gray 2015; the filter's
    /// transform is taken twice a dimension, so that it has no fractions).
    Winograd,
    /// One filter a channel.
    Depthwise,
    /// The direct kernel, group by group.
    Grouped,
}

/// One convolution between two frames, ready to run.
#[derive(Clone, Debug)]
pub struct Conv {
    window: Window,
    input: Frame,
    output: Frame,
    isa: Isa,
    kernel: Kernel,
    products: u64,
}

/// Depthwise where there is one filter a channel; otherwise what takes the fewest instructions.
///
/// Winograd's kernel does 16 products where the direct one does 36, four ninths, and transforms. Bytes, four a lane, take
/// half the instructions of pairs with VNNI, and a quarter with SDOT (SMLAL adds products of four codes to sums, SDOT of
/// sixteen), without transforms: with SDOT always fewer, with VNNI fewer up to about 120 channels and at most an eighth more
/// beyond, for weights under a third as large. So bytes win wherever the unit has quads and all codes fit;
/// otherwise Winograd's kernel does where its shape is.
#[derive(Clone, Debug)]
enum Kernel {
    Direct {
        /// One entry a group.
        groups: Vec<Direct>,
        /// The smallest code of the input, where it is multiplied as bytes.
        quads: Option<i16>,
    },
    Winograd(Winograd),
    Depthwise(Depthwise),
}

impl Conv {
    /// Packs `weights` for windows from `input`, whose codes lie within `range`, to `output`.
    ///
    /// # Errors
    /// [`KernelError`] when sizes do not fit each other, a weight is no difference of codes, or a sum could pass 32 bits.
    pub fn new(
        isa: Isa,
        window: Window,
        (input, range): (Frame, [i16; 2]),
        output: Frame,
        weights: Weights<'_>,
        epilogue: Epilogue,
    ) -> Result<Self, KernelError> {
        window.check(&input, &output)?;
        let per_filter = weights.check(&window, &input, &output)?;
        epilogue.check(weights.filters)?;
        let bounds = largest_sums(weights.codes, per_filter)?;
        let epilogue = epilogue.within(&bounds);
        let depthwise = weights.groups > 1
            && weights.groups == input.channels
            && weights.filters == input.channels;
        let quads = isa.has_quads().then(|| lowest(weights, range)).flatten();
        let kernel = match epilogue {
            Epilogue::Codes(requantize) if depthwise => {
                Kernel::Depthwise(Depthwise::pack(weights, &window, &input, requantize))
            }
            Epilogue::Codes(requantize)
                if quads.is_none() && Winograd::fits(&weights, &window, &input, &bounds) =>
            {
                Kernel::Winograd(Winograd::pack(weights, &input, &requantize))
            }
            epilogue => Kernel::direct(weights, &window, &input, &epilogue, quads)?,
        };
        let pixels = output.height * output.width;
        Ok(Self {
            window,
            input,
            output,
            isa,
            kernel,
            products: (pixels * weights.codes.len()) as u64,
        })
    }

    /// Which kernel computes it.
    pub fn method(&self) -> Method {
        match &self.kernel {
            Kernel::Direct { groups, .. } if groups.len() > 1 => Method::Grouped,
            Kernel::Direct { .. } => Method::Direct,
            Kernel::Winograd(_) => Method::Winograd,
            Kernel::Depthwise(_) => Method::Depthwise,
        }
    }

    /// Multiply-accumulates of an image by the definition, whatever the kernel saves.
    pub fn products(&self) -> u64 {
        self.products
    }

    pub(crate) fn scratch(&self) -> Need {
        match &self.kernel {
            Kernel::Winograd(winograd) => winograd.scratch(&self.input),
            Kernel::Direct { groups, quads } => Need {
                bytes: quads.map_or(0, |_| self.input.len()),
                codes: groups.iter().map(Direct::scratch).max().unwrap_or(0),
                ..Need::default()
            },
            Kernel::Depthwise(_) => Need::default(),
        }
    }

    /// One image: `x` and `out` as the frames have them. `out`'s border is left alone.
    ///
    /// # Panics
    /// When `out` is not what the epilogue gives, or memory is shorter than the frames.
    pub fn run(&self, x: &[i16], out: Sink<'_>, scratch: &mut Scratch) {
        let Self {
            window,
            input,
            output,
            ..
        } = self;
        match (&self.kernel, out) {
            (Kernel::Depthwise(depthwise), Sink::Codes(out)) => {
                self.isa.run(depthwise::Run {
                    depthwise,
                    window,
                    input,
                    output,
                    x,
                    out,
                });
            }
            (Kernel::Winograd(winograd), Sink::Codes(out)) => {
                let Scratch { codes, sums, .. } = scratch;
                self.isa.run(winograd::Run {
                    winograd,
                    window,
                    input,
                    output,
                    x,
                    out,
                    codes,
                    sums,
                });
            }
            (Kernel::Direct { groups, quads }, mut out) => {
                let Scratch { bytes, codes, .. } = scratch;
                if let Some(low) = *quads {
                    let x = &x[..input.len()];
                    self.isa.run(Narrow { x, low, bytes });
                }
                for direct in groups {
                    self.isa.run(direct::Run {
                        direct,
                        window,
                        input,
                        output,
                        x,
                        bytes,
                        out: out.reborrow(),
                        codes,
                    });
                }
            }
            (_, Sink::Real(_)) => unreachable!("real values come from the direct kernel"),
        }
    }
}

impl Kernel {
    /// The direct kernel of every group; in quads where the smallest code of `input` is given.
    fn direct(
        weights: Weights<'_>,
        window: &Window,
        input: &Frame,
        epilogue: &Epilogue,
        quads: Option<i16>,
    ) -> Result<Self, KernelError> {
        let filters = weights.filters / weights.groups;
        let pack = |group| {
            let epilogue = epilogue.of_channels(group * filters, filters)?;
            Ok(Direct::pack(weights, group, window, input, epilogue, quads))
        };
        let groups = (0..weights.groups)
            .map(pack)
            .collect::<Result<_, KernelError>>()?;
        Ok(Self::Direct { groups, quads })
    }
}

impl Weights<'_> {
    /// Weights of a filter.
    fn check(&self, window: &Window, input: &Frame, output: &Frame) -> Result<usize, KernelError> {
        let Self {
            codes,
            filters,
            groups,
        } = *self;
        let fits = groups > 0
            && input.channels.is_multiple_of(groups)
            && filters.is_multiple_of(groups)
            && filters == output.channels
            && !input.is_empty()
            && !output.is_empty();
        if !fits {
            return Err(KernelError::Shape(format!(
                "{filters} filters in {groups} groups do not lead from {} channels to {}",
                input.channels, output.channels
            )));
        }
        let per_filter = input.channels / groups * window.kernel[0] * window.kernel[1];
        if codes.len() != filters * per_filter {
            return Err(KernelError::Length {
                what: "weights",
                found: codes.len(),
                expected: filters * per_filter,
            });
        }
        Ok(per_filter)
    }
}

/// The largest magnitude that each filter's sum can have.
fn largest_sums(codes: &[i16], per_filter: usize) -> Result<Vec<u64>, KernelError> {
    let filters = codes.chunks_exact(per_filter).enumerate();
    filters
        .map(|(channel, filter)| {
            // Looked for only where there is one: the largest of all is found faster than the first.
            let largest = filter.iter().map(|c| c.unsigned_abs()).max();
            if largest.is_some_and(|l| l > 255)
                && let Some(&code) = filter.iter().find(|c| c.unsigned_abs() > 255)
            {
                return Err(KernelError::Weight { channel, code });
            }
            let bound = 255
                * filter
                    .iter()
                    .map(|c| u64::from(c.unsigned_abs()))
                    .sum::<u64>();
            if bound > u64::from(i32::MAX.unsigned_abs()) {
                return Err(KernelError::Overflow { channel, bound });
            }
            Ok(bound)
        })
        .collect()
}

impl Epilogue {
    pub(crate) fn check(&self, filters: usize) -> Result<(), KernelError> {
        let (what, found) = match self {
            Self::Codes(requantize) => ("multipliers", requantize.channels()),
            Self::Real { scale, bias } if scale.len() == filters => ("biases", bias.len()),
            Self::Real { scale, .. } => ("scales", scale.len()),
        };
        if found == filters {
            return Ok(());
        }
        Err(KernelError::Length {
            what,
            found,
            expected: filters,
        })
    }

    /// The real value of a channel's sum: product and sum in double precision, then rounded to single.
    ///
    /// # Panics
    /// When it makes codes.
    #[expect(clippy::cast_possible_truncation, reason = "ONNX's floats are single")]
    pub(crate) fn real(&self, channel: usize, sum: i32) -> f32 {
        match self {
            Self::Real { scale, bias } => (f64::from(sum) * scale[channel] + bias[channel]) as f32,
            Self::Codes(_) => unreachable!("the epilogue makes codes"),
        }
    }

    /// For sums within `bounds`.
    fn within(self, bounds: &[u64]) -> Self {
        match self {
            Self::Codes(requantize) => Self::Codes(requantize.within(bounds)),
            real @ Self::Real { .. } => real,
        }
    }

    /// Of the channels from `first` on.
    fn of_channels(&self, first: usize, count: usize) -> Result<Self, KernelError> {
        Ok(match self {
            Self::Codes(requantize) => Self::Codes(requantize.of_channels(first, count)?),
            Self::Real { scale, bias } => Self::Real {
                scale: scale[first..first + count].to_vec(),
                bias: bias[first..first + count].to_vec(),
            },
        })
    }
}

#[cfg(test)]
mod tests;
