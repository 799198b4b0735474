//! Convolutions: which kernel a shape takes, weights packed once, and the run over one image.

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

/// Which kernel computes a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Method {
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
pub(crate) struct Conv {
    window: Window,
    input: Frame,
    output: Frame,
    isa: Isa,
    kernel: Kernel,
    /// What is added to the codes: for the direct kernel of one group, and for Winograd's.
    residual: Option<Residual>,
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

    /// The same with `residual` added to its codes.
    ///
    /// # Errors
    /// [`KernelError::Shape`] where the kernel cannot do that.
    pub(crate) fn with(mut self, residual: Residual) -> Result<Self, KernelError> {
        match self.method() {
            Method::Direct | Method::Winograd => {
                self.residual = Some(residual);
                Ok(self)
            }
            Method::Depthwise | Method::Grouped => Err(KernelError::Shape(
                "an image is added to a convolution in groups".to_owned(),
            )),
        }
    }

    /// Which kernel computes it.
    pub(crate) fn method(&self) -> Method {
        match &self.kernel {
            Kernel::Direct { groups, .. } if groups.len() > 1 => Method::Grouped,
            Kernel::Direct { .. } => Method::Direct,
            Kernel::Winograd(_) => Method::Winograd,
            Kernel::Depthwise(_) => Method::Depthwise,
        }
    }

    /// Multiply-accumulates of an image by the definition, whatever the kernel saves.
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

    /// One image: `x`, the `other` that is added, and `out` as the frames have them. `out`'s border is left alone. Each of
    /// `scratches` is a thread's.
    ///
    /// # Panics
    /// When `out` is not what the epilogue gives, or memory is shorter than the frames.
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

    /// With more than one of `scratches`, rows are shared among threads of the current pool, which changes no code.
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

    /// Threads that are worth their start.
    pub(crate) fn threads(&self) -> usize {
        // Multiply-accumulates that take many times as long as to hand them to a thread.
        let worth: u64 = match self.method() {
            Method::Depthwise => 1 << 18,
            Method::Direct | Method::Winograd | Method::Grouped => 1 << 21,
        };
        let by_work = usize::try_from(self.products / worth).unwrap_or(usize::MAX);
        by_work.min(self.output.height / 2).max(1)
    }

    /// Half of the rows to half of the threads, and so on.
    fn share(&self, image: &Image<'_>, part: Part<'_>, scratches: &mut [Scratch]) {
        let half = scratches.len() / 2;
        // Winograd's takes two rows at a time.
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

/// Where the results go.
#[derive(Debug)]
pub(crate) enum Sink<'a> {
    /// Codes of some rows.
    Codes(Part<'a>),
    /// Real values, `[channels, height, width]`.
    Real(&'a mut [f32]),
}

impl Sink<'_> {
    /// The same place once more.
    fn reborrow(&mut self) -> Sink<'_> {
        match self {
            Self::Codes(part) => Sink::Codes(part.reborrow()),
            Self::Real(values) => Sink::Real(values),
        }
    }
}

/// An input image's codes, and as bytes where the kernel multiplies those.
struct Image<'a> {
    x: &'a [i16],
    bytes: &'a [i8],
    other: Option<Other<'a>>,
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

#[cfg(test)]
mod tests;
