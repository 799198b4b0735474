//! The shortcut without parameters (He et al., CVPR 2016, option A): fewer pixels, more channels.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::prelude::*;
use burn_flex::FlexTensor;
use rayon::prelude::*;

use super::buffers::{give, take};
use super::channels_last::{change, channels_last, dims, image_values, is_ours, tensor};
use super::gradients::{accumulate, used};

/// Returns every `stride`-th pixel of `x`, `[n, c, h, w]`, with zero channels on both sides up to `to` channels.
pub(crate) fn subsample_and_widen(x: Tensor<4>, to: usize, stride: usize) -> Tensor<4> {
    let [_, from, _, _] = x.dims();
    if from == to && stride == 1 {
        return x;
    }
    if is_ours(&x) {
        return Tensor::from_dispatch(Dispatch::subsample_and_widen(x.into_dispatch(), to, stride));
    }
    plain(x, to, stride)
}

/// Computes [`subsample_and_widen`] with the back end's own operations.
fn plain(x: Tensor<4>, to: usize, stride: usize) -> Tensor<4> {
    let [n, from, h, w] = x.dims();
    let x = if stride == 1 {
        x
    } else {
        // Selects rows, then columns, by index: every back end has the gradient of a selection.
        let device = x.device();
        let every = |len: usize| {
            let picks: Vec<i32> = (0..len)
                .step_by(stride)
                .map(|i| i32::try_from(i).unwrap_or(i32::MAX))
                .collect();
            Tensor::<1, Int>::from_ints(picks.as_slice(), &device)
        };
        x.select(2, every(h)).select(3, every(w))
    };
    let [_, _, h, w] = x.dims();
    let front = (to - from) / 2;
    let back = to - from - front;
    let zeros = |channels: usize| Tensor::<4>::zeros([n, channels, h, w], (&x.device(), x.dtype()));
    Tensor::cat(vec![zeros(front), x.clone(), zeros(back)], 1)
}

/// The operation on channels-last images.
#[backend_extension(Flex, Autodiff)]
pub(crate) trait SubsampleAndWiden: Backend {
    /// Maps `[n, c, h, w]` to `[n, to, ceil(h / stride), ceil(w / stride)]`.
    fn subsample_and_widen(x: FloatTensor<Self>, to: usize, stride: usize) -> FloatTensor<Self>;
}

/// The shapes of the operation, which locate each kept pixel.
#[derive(Debug, Clone, Copy)]
struct Map {
    from: [usize; 4],
    to: usize,
    stride: usize,
}

impl Map {
    fn result(self) -> [usize; 4] {
        let [n, _, h, w] = self.from;
        [n, self.to, h.div_ceil(self.stride), w.div_ceil(self.stride)]
    }

    /// Returns the offsets of each kept pixel's first value, in the source and in the result (after the leading zeros).
    fn pixels(self) -> impl Iterator<Item = (usize, usize)> {
        let [_, c, h, w] = self.from;
        let stride = self.stride;
        let front = (self.to - c) / 2;
        let kept = (0..h)
            .step_by(stride)
            .flat_map(move |y| (0..w).step_by(stride).map(move |x| (y * w + x) * c));
        kept.enumerate()
            .map(move |(pixel, source)| (source, pixel * self.to + front))
    }

    /// Returns the number of values of an image, in the source and in the result.
    fn image_len(self) -> [usize; 2] {
        [self.from, self.result()].map(|[_, c, h, w]| c * h * w)
    }
}

impl SubsampleAndWiden for Flex {
    fn subsample_and_widen(x: FlexTensor, to: usize, stride: usize) -> FlexTensor {
        let x = channels_last(x);
        let map = Map {
            from: dims(&x),
            to,
            stride,
        };
        let channels = map.from[1];
        let [from_len, to_len] = map.image_len();
        let mut widened = take(map.result().iter().product());
        widened
            .par_chunks_exact_mut(to_len)
            .zip(image_values(&x).par_chunks_exact(from_len))
            .for_each(|(widened, values)| {
                widened.fill(0.0);
                for (source, target) in map.pixels() {
                    widened[target..target + channels]
                        .copy_from_slice(&values[source..source + channels]);
                }
            });
        tensor(widened, map.result())
    }
}

#[derive(Debug)]
struct SubsampleBackward;

impl Backward<Flex, 1> for SubsampleBackward {
    type State = Map;

    fn backward(self, ops: Ops<Map, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        used(ops.node.id);
        let grad = channels_last(grads.consume::<Flex>(&ops.node));
        let [Some(x)] = ops.parents else { return };
        let map = ops.state;
        let [from_len, to_len] = map.image_len();
        let add = |old: Option<FlexTensor>| {
            let empty = || {
                let mut values = take(map.from.iter().product());
                values
                    .par_chunks_mut(from_len)
                    .for_each(|image| image.fill(0.0));
                tensor(values, map.from)
            };
            change(old.unwrap_or_else(empty), |sums| {
                let channels = map.from[1];
                sums.par_chunks_exact_mut(from_len)
                    .zip(image_values(&grad).par_chunks_exact(to_len))
                    .for_each(|(sums, values)| {
                        for (source, target) in map.pixels() {
                            let sums = &mut sums[source..source + channels];
                            for (sum, value) in
                                sums.iter_mut().zip(&values[target..target + channels])
                            {
                                *sum += value;
                            }
                        }
                    });
            })
        };
        let leaf = x.parents.is_empty();
        accumulate(grads, x.id, leaf, |grads| grads.consume::<Flex>(&x), add);
        give(grad);
    }
}

impl<C: CheckpointStrategy> SubsampleAndWiden for Autodiff<Flex, C> {
    fn subsample_and_widen(x: FloatTensor<Self>, to: usize, stride: usize) -> FloatTensor<Self> {
        let nodes = [x.node()];
        let x = x.into_primitive();
        let state = Map {
            from: dims(&x),
            to,
            stride,
        };
        let y = Flex::subsample_and_widen(x, to, stride);
        match SubsampleBackward
            .prepare::<C>(nodes)
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => prep.finish(state, y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }
}
