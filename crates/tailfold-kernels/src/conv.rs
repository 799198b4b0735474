//! Convolutions: choice of the kernel, weights packed once, and the run over one image.

mod depthwise;
mod direct;
mod epilogue;
mod filters;
mod part;
mod residual;
mod rows;
mod weights;
mod winograd;

use crate::KernelError;
use crate::frame::Frame;
use crate::lanes::Isa;
use crate::scratch::{Need, Scratch};
use crate::shape::Window;
use depthwise::Depthwise;
use direct::{Direct, Narrow, lowest};
pub use epilogue::Epilogue;
pub(crate) use part::Part;
use residual::Other;
pub(crate) use residual::Residual;
pub(crate) use weights::Weights;
use weights::largest_sums;
use winograd::Winograd;

/// The kernel that computes a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Method {
    /// Windows times weights, without a transform.
    Direct,
    /// Winograd's F(2x2, 3x3) in integers: four products instead of nine, with an exact result (Lavin and Gray 2015).
    /// The filter's transform is doubled per dimension, so that it has no fractions.
    Winograd,
    /// One filter per channel.
    Depthwise,
    /// The direct kernel for one group after the other.
    Grouped,
}

/// One convolution between two frames, ready to run.
#[derive(Clone, Debug)]
pub(crate) struct Conv {
    window: Window,
    input: Frame,
    output: Frame,
    isa: Isa,
    kernel: Kernel,
    /// The image that is added to the codes, for the direct kernel with one group and for Winograd's kernel.
    residual: Option<Residual>,
    products: u64,
}

/// A packed kernel: depthwise for one filter per channel, otherwise the kernel with the fewest instructions.
///
/// Winograd's kernel needs 16 products and transforms where the direct kernel needs 36 products. The direct kernel on
/// bytes multiplies four per lane (quads) and needs no transforms. Compared with 16-bit pairs, it takes half the
/// instructions with VNNI and a quarter with SDOT, because SMLAL adds the products of four codes and SDOT of sixteen.
/// Compared with Winograd's kernel, it always takes fewer instructions with SDOT. With VNNI it takes fewer up to about
/// 120 channels and at most an eighth more beyond, and its weights take less than a third of the memory.
///
/// So the direct kernel multiplies bytes wherever the instruction set has quads and all codes fit into bytes.
/// Otherwise, Winograd's kernel is used where it supports the shape.
#[derive(Clone, Debug)]
enum Kernel {
    Direct {
        /// One entry per group.
        groups: Vec<Direct>,
        /// The smallest code of the input when the kernel multiplies bytes, otherwise `None`.
        quads: Option<i16>,
    },
    Winograd(Winograd),
    Depthwise(Depthwise),
}

impl Conv {
    /// Packs `weights` for windows from `input`, with codes within `range`, to `output`.
    ///
    /// # Errors
    /// [`KernelError`] when sizes do not match, a weight is not a difference of two codes, or a sum could exceed 32
    /// bits.
    pub(crate) fn new(
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
            residual: None,
            products: (pixels * weights.codes.len()) as u64,
        })
    }

    /// Returns the convolution with `residual` added to its codes.
    ///
    /// # Errors
    /// [`KernelError::Shape`] when the kernel does not support a residual.
    pub(crate) fn with(mut self, residual: Residual) -> Result<Self, KernelError> {
        match self.method() {
            Method::Direct | Method::Winograd => {
                self.residual = Some(residual);
                Ok(self)
            }
            Method::Depthwise | Method::Grouped => Err(KernelError::Shape(
                "an image is added to a convolution with groups".to_owned(),
            )),
        }
    }

    /// The kernel of this convolution.
    pub(crate) fn method(&self) -> Method {
        match &self.kernel {
            Kernel::Direct { groups, .. } if groups.len() > 1 => Method::Grouped,
            Kernel::Direct { .. } => Method::Direct,
            Kernel::Winograd(_) => Method::Winograd,
            Kernel::Depthwise(_) => Method::Depthwise,
        }
    }

    /// Multiply-accumulates per image by the definition of a convolution, even if the kernel needs fewer.
    pub(crate) fn products(&self) -> u64 {
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

    /// Convolves the image `x` to `out`. `other` is the image that the residual adds. All are laid out as their frames;
    /// the border of `out` is not written. `scratches` has one entry per thread.
    ///
    /// # Panics
    /// When `out` does not match the epilogue, or a slice is shorter than its frame.
    pub(crate) fn run(
        &self,
        x: &[i16],
        other: Option<&[i16]>,
        out: Sink<'_>,
        scratches: &mut [Scratch],
    ) {
        let threads = self.threads().min(scratches.len());
        self.run_on(x, other, out, &mut scratches[..threads]);
    }

    /// Shares the rows among as many threads of the current pool as there are `scratches`. The codes do not depend on
    /// their number.
    fn run_on(&self, x: &[i16], other: Option<&[i16]>, out: Sink<'_>, scratches: &mut [Scratch]) {
        let other = self.residual.as_ref().map(|residual| {
            let codes = other.expect("the convolution adds an image");
            residual.of(codes)
        });
        let mut bytes = std::mem::take(&mut scratches[0].bytes);
        if let Kernel::Direct {
            quads: Some(low), ..
        } = self.kernel
        {
            self.isa.run(Narrow {
                x: &x[..self.input.len()],
                low,
                bytes: &mut bytes,
            });
        }
        let image = Image {
            x,
            bytes: &bytes,
            other,
        };
        match out {
            Sink::Codes(part) => self.share(&image, part, scratches),
            real @ Sink::Real(_) => self.part(&image, real, &mut scratches[0]),
        }
        scratches[0].bytes = bytes;
    }

    /// The number of threads that pay off for this convolution.
    pub(crate) fn threads(&self) -> usize {
        // Multiply-accumulates that take many times as long as handing work to a thread.
        let worth: u64 = match self.method() {
            Method::Depthwise => 1 << 18,
            Method::Direct | Method::Winograd | Method::Grouped => 1 << 21,
        };
        let by_work = usize::try_from(self.products / worth).unwrap_or(usize::MAX);
        by_work.min(self.output.height / 2).max(1)
    }

    /// Gives half of the rows to half of the threads, recursively.
    fn share(&self, image: &Image<'_>, part: Part<'_>, scratches: &mut [Scratch]) {
        let half = scratches.len() / 2;
        // Winograd's kernel computes two rows at a time.
        let unit = if let Kernel::Winograd(_) = self.kernel {
            2
        } else {
            1
        };
        let row = part.rows.len() * half / scratches.len() / unit * unit;
        if row == 0 {
            self.part(image, Sink::Codes(part), &mut scratches[0]);
            return;
        }
        let row = part.rows.start + row;
        let [upper, lower] = part.split(&self.output, row);
        let (first, second) = scratches.split_at_mut(half);
        rayon::join(
            || self.share(image, upper, first),
            || self.share(image, lower, second),
        );
    }

    fn part(&self, image: &Image<'_>, out: Sink<'_>, scratch: &mut Scratch) {
        let Self {
            window,
            input,
            output,
            ..
        } = self;
        let Image { x, bytes, other } = *image;
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
                    other,
                    out,
                    codes,
                    sums,
                });
            }
            (Kernel::Direct { groups, .. }, mut out) => {
                for direct in groups {
                    let run = direct::Run {
                        image: direct::Image {
                            window,
                            input,
                            x,
                            bytes,
                        },
                        direct,
                        other,
                        output,
                        out: out.reborrow(),
                        codes: &mut scratch.codes,
                    };
                    run.on(self.isa);
                }
            }
            (_, Sink::Real(_)) => unreachable!("real values come from the direct kernel"),
        }
    }
}

/// Memory that receives the results.
#[derive(Debug)]
pub(crate) enum Sink<'a> {
    /// Codes of some rows of the output.
    Codes(Part<'a>),
    /// Real values, `[channels, height, width]`.
    Real(&'a mut [f32]),
}

impl Sink<'_> {
    /// Borrows the same memory again.
    fn reborrow(&mut self) -> Sink<'_> {
        match self {
            Self::Codes(part) => Sink::Codes(part.reborrow()),
            Self::Real(values) => Sink::Real(values),
        }
    }
}

/// An input image's codes, also as bytes where the kernel multiplies bytes.
struct Image<'a> {
    x: &'a [i16],
    bytes: &'a [i8],
    other: Option<Other<'a>>,
}

impl Kernel {
    /// Packs the direct kernel of every group. `quads` is the smallest code of `input` for a kernel that multiplies
    /// bytes.
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

#[cfg(test)]
mod tests;
