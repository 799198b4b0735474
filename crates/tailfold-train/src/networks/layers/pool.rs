//! The mean over the pixels of an image.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::prelude::*;
use burn_flex::FlexTensor;
use rayon::prelude::*;

use super::buffers::take;
use super::channels_last::{channels_last, dims, image_values, is_ours, row_major, tensor, values};
use super::gradients::{accumulate, add};

/// Maps images `[n, c, h, w]` to the mean of their pixels, `[n, c]`.
pub(crate) fn mean_pixel(x: Tensor<4>) -> Tensor<2> {
    if is_ours(&x) {
        return Tensor::from_dispatch(Dispatch::mean_pixel(x.into_dispatch()));
    }
    // A sum and a factor instead of a mean, because burn-onnx, which cross-checks the exporter, has no mean.
    let [_, _, h, w] = x.dims();
    x.flatten::<3>(2, 3)
        .sum_dim(2)
        .squeeze_dim::<2>(2)
        .mul_scalar(1.0 / (h * w) as f64)
}

/// The operation on channels-last images.
#[backend_extension(Flex, Autodiff)]
pub(crate) trait MeanPixel: Backend {
    /// Maps `[n, c, h, w]` to `[n, c]`.
    fn mean_pixel(x: FloatTensor<Self>) -> FloatTensor<Self>;
}

impl MeanPixel for Flex {
    fn mean_pixel(x: FlexTensor) -> FlexTensor {
        let x = channels_last(x);
        let [n, c, h, w] = dims(&x);
        let mut means = vec![0.0f32; n * c];
        let images = image_values(&x).par_chunks_exact(h * w * c);
        means
            .par_chunks_exact_mut(c)
            .zip(images)
            .for_each(|(means, image)| {
                for pixel in image.chunks_exact(c) {
                    for (mean, value) in means.iter_mut().zip(pixel) {
                        *mean += value;
                    }
                }
                for mean in means {
                    *mean /= (h * w) as f32;
                }
            });
        row_major(means, Shape::from([n, c]))
    }
}

#[derive(Debug)]
struct MeanPixelBackward;

impl Backward<Flex, 1> for MeanPixelBackward {
    type State = [usize; 4];

    fn backward(self, ops: Ops<[usize; 4], 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<Flex>(&ops.node);
        let [Some(x)] = ops.parents else { return };
        let [n, c, h, w] = ops.state;
        let grad = values(&grad);
        let mut spread = take(n * c * h * w);
        spread
            .par_chunks_exact_mut(h * w * c)
            .zip(grad.par_chunks_exact(c))
            .for_each(|(image, means)| {
                for pixel in image.chunks_exact_mut(c) {
                    for (value, mean) in pixel.iter_mut().zip(means) {
                        *value = mean / (h * w) as f32;
                    }
                }
            });
        let spread = tensor(spread, ops.state);
        let gradient = |old: Option<FlexTensor>| match old {
            None => spread,
            Some(old) => add(old, spread),
        };
        let leaf = x.parents.is_empty();
        accumulate(
            grads,
            x.id,
            leaf,
            |grads| grads.consume::<Flex>(&x),
            gradient,
        );
    }
}

impl<C: CheckpointStrategy> MeanPixel for Autodiff<Flex, C> {
    fn mean_pixel(x: FloatTensor<Self>) -> FloatTensor<Self> {
        let nodes = [x.node()];
        let x = x.into_primitive();
        let state = dims(&x);
        match MeanPixelBackward
            .prepare::<C>(nodes)
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => prep.finish(state, Flex::mean_pixel(x)),
            OpsKind::UnTracked(prep) => prep.finish(Flex::mean_pixel(x)),
        }
    }
}
