//! The windows of a layer's input that its weights are multiplied by, and a few samples of them from each
//! image.

use tailfold_integer::window;
use tailfold_onnx::proto::NodeProto;

use crate::affine::ActivationParams;
use crate::error::{QuantError, QuantErrorKind};

/// Windows per layer, as a multiple of the weights per sum: fewer would make the second moments singular.
const WINDOWS_PER_WEIGHT: usize = 4;
/// Fewest and most windows per layer.
const WINDOWS: [usize; 2] = [512, 8192];
/// Number of units per step in which quantization errors are counted. As integers, errors add up to the same sum
/// in every order.
pub(crate) const PARTS: f64 = (1_u32 << 20) as f64;
/// Steps by the golden ratio spread any number of positions evenly over an image.
const GOLDEN: f64 = 0.618_033_988_749_894_9;

/// Geometry of the windows that one layer reads from an image of its input.
#[derive(Clone, Debug)]
pub(crate) struct Windows {
    pub(crate) params: ActivationParams,
    /// Number of independent sums: the groups of a convolution.
    pub(crate) groups: usize,
    /// Weights per sum.
    pub(crate) dim: usize,
    shape: Shape,
    /// Sampled windows per image.
    pub(crate) per_image: usize,
}

#[derive(Clone, Debug)]
enum Shape {
    /// The whole input is one window.
    Vector,
    Image {
        size: [usize; 2],
        out: [usize; 2],
        window: tailfold_kernels::Window,
    },
}

impl Windows {
    /// Describes the windows of `node`, a Conv or Gemm with `weight` `[out, in of a group, ...]`, over the
    /// shape `input` of one image.
    ///
    /// # Errors
    /// [`QuantErrorKind::Model`] for a convolution that is not two-dimensional, or whose shapes do not fit
    /// together.
    pub(crate) fn of(
        node: &NodeProto,
        weight: &[usize],
        input: &[usize],
        params: ActivationParams,
        images: usize,
    ) -> Result<Self, QuantError> {
        let dim: usize = weight.iter().skip(1).product();
        let misfit = || {
            QuantErrorKind::Model.error(format!(
                "{node} has weights {weight:?} over an input {input:?}: no sample of its input can \
                 be taken",
                node = node.label()
            ))
        };
        let (groups, shape, places) = if node.is("Gemm") {
            (1, Shape::Vector, 1)
        } else {
            let (&[_, _, kh, kw], &[_, channels, height, width]) = (weight, input) else {
                return Err(misfit());
            };
            let window = window(node, [kh, kw], [height, width])?.ok_or_else(misfit)?;
            let out = window.output(height, width).map_err(|_| misfit())?;
            let groups = usize::try_from(node.int("group").unwrap_or(1)).map_err(|_| misfit())?;
            if groups == 0 || weight[1].checked_mul(groups) != Some(channels) {
                return Err(misfit());
            }
            let size = [height, width];
            (groups, Shape::Image { size, out, window }, out[0] * out[1])
        };
        let wanted = (dim * WINDOWS_PER_WEIGHT).clamp(WINDOWS[0], WINDOWS[1]);
        Ok(Self {
            params,
            groups,
            dim,
            shape,
            per_image: wanted.div_ceil(images.max(1)).min(places),
        })
    }

    /// Returns the number of values in a window.
    pub(crate) fn length(&self) -> usize {
        self.groups * self.dim
    }

    /// Samples windows of image `index`, whose input to the layer is `values`.
    pub(crate) fn take(&self, index: usize, values: &[f32]) -> Taken {
        let length = self.length();
        let mut taken = Taken {
            codes: Vec::with_capacity(length * self.per_image),
            lost: vec![0; length],
        };
        for k in 0..self.per_image {
            let mut place = 0;
            self.visit(
                (index * self.per_image + k) as f64 * GOLDEN,
                values,
                |value| {
                    let code = self.params.quantize(value);
                    taken.codes.push(self.byte(code));
                    let lost = f64::from(value) / f64::from(self.params.scale) - f64::from(code);
                    taken.lost[place] += parts(lost);
                    place += 1;
                },
            );
        }
        taken
    }

    /// Passes the values of the window at `turn`, whose fraction selects the position, to `see`, group by
    /// group.
    fn visit(&self, turn: f64, values: &[f32], mut see: impl FnMut(f32)) {
        let Shape::Image { size, out, window } = &self.shape else {
            values.iter().take(self.dim).for_each(|&v| see(v));
            return;
        };
        let at = place(turn.fract(), out[0] * out[1]);
        let (row, column) = (at / out[1], at % out[1]);
        let [kh, kw] = window.kernel;
        for channel in 0..self.groups * self.dim / (kh * kw).max(1) {
            for (ky, kx) in (0..kh).flat_map(|ky| (0..kw).map(move |kx| (ky, kx))) {
                let y =
                    (row * window.stride[0] + ky * window.dilation[0]).checked_sub(window.pads.top);
                let x = (column * window.stride[1] + kx * window.dilation[1])
                    .checked_sub(window.pads.left);
                let inside = y.zip(x).filter(|&(y, x)| y < size[0] && x < size[1]);
                let value =
                    inside.and_then(|(y, x)| values.get((channel * size[0] + y) * size[1] + x));
                see(value.copied().unwrap_or(0.0));
            }
        }
    }

    /// Returns a quantized value as a byte, relative to the lowest.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "codes span at most 256"
    )]
    fn byte(&self, code: i16) -> u8 {
        (code - self.params.ends()[0]) as u8
    }

    pub(crate) fn value(&self, byte: u8) -> f64 {
        let code = f64::from(byte) + f64::from(self.params.ends()[0]);
        code * f64::from(self.params.scale)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a fraction of a number of places"
)]
fn place(fraction: f64, places: usize) -> usize {
    ((fraction * places as f64) as usize).min(places.saturating_sub(1))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a float cast saturates, and a sum of some thousand such values fits by far"
)]
fn parts(steps: f64) -> i64 {
    (steps.clamp(-1e6, 1e6) * PARTS).round() as i64
}

/// Sampled windows of one image.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    pub(crate) codes: Vec<u8>,
    /// Sum of each value's quantization error over the windows.
    pub(crate) lost: Vec<i64>,
}
