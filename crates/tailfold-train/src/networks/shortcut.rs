//! The parameter-free shortcut of CIFAR-style residual networks (He et al., CVPR 2016, section 4.2).

use burn::prelude::*;

/// Option A: every `stride`-th pixel, and zero channels on both sides up to `to`.
pub(super) fn shortcut(x: Tensor<4>, to: usize, stride: usize) -> Tensor<4> {
    let [n, from, _, _] = x.dims();
    if from == to && stride == 1 {
        return x;
    }
    let x = if stride == 1 {
        x
    } else {
        // Rows, then columns, by index: every back end has the gradient of a selection.
        let device = x.device();
        let every = |len: usize| {
            let picks: Vec<i32> = (0..len)
                .step_by(stride)
                .map(|i| i32::try_from(i).unwrap_or(i32::MAX))
                .collect();
            Tensor::<1, Int>::from_ints(picks.as_slice(), &device)
        };
        let [_, _, h, w] = x.dims();
        x.select(2, every(h)).select(3, every(w))
    };
    let [_, _, h, w] = x.dims();
    let front = (to - from) / 2;
    let back = to - from - front;
    let zeros = |channels: usize| Tensor::<4>::zeros([n, channels, h, w], &x.device());
    Tensor::cat(vec![zeros(front), x.clone(), zeros(back)], 1)
}
