//! Timing of the convolution layers of a network, one at a time.

use std::time::Instant;

use burn::nn::BatchNorm;
use burn::nn::conv::Conv2d;
use burn::prelude::*;
use burn::tensor::Distribution;
use serde::Serialize;
use tailfold_spec::{Activation, Architecture, ConvNorm};

use super::layer::modules;
use super::layers::{conv_norm, forget, plain_conv_norm};

/// A kind of layer and its cost on the CPU.
#[derive(Clone, Debug, Serialize)]
pub struct LayerTime {
    /// Input and output channels.
    pub channels: [usize; 2],
    /// Height and width of the kernel.
    pub kernel: usize,
    /// Stride of the convolution.
    pub stride: usize,
    /// Height and width of the result.
    pub size: [usize; 2],
    /// Number of layers of this kind in the network.
    pub layers: usize,
    /// Multiply-accumulates of one forward pass over the batch.
    pub macs: u64,
    /// Time of the fused operation: convolution, batch normalization and ReLU.
    pub fused: Milliseconds,
    /// Time of burn's own operations.
    pub plain: Milliseconds,
}

/// Times of one layer, as medians over the repeats.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Milliseconds {
    /// Forward pass, including the tensors saved for the gradient.
    pub forward: f64,
    /// Gradients of input, weights, scale and shift.
    pub backward: f64,
}

/// Times every kind of layer of `architecture` on the CPU with batches of `batch` images: `repeats` interleaved runs of
/// the fused and the plain operation, after one warm-up run. Each operation gets its input and its gradient in the
/// memory order that its own kind produces.
///
/// # Panics
/// When `repeats` is 0.
pub fn layer_times(architecture: &Architecture, batch: usize, repeats: usize) -> Vec<LayerTime> {
    assert!(repeats > 0, "nothing to take a median of");
    let device = &Device::flex().autodiff();
    let plan = architecture.plan();
    let mut found: Vec<(&ConvNorm, usize)> = Vec::new();
    for layer in plan.layers() {
        match found
            .iter_mut()
            .find(|(known, _)| kind(known) == kind(layer))
        {
            Some((_, count)) => *count += 1,
            None => found.push((layer, 1)),
        }
    }
    let time = |(spec, layers): (&ConvNorm, usize)| {
        let (conv, norm) = modules(spec, &plan, device);
        let [height, width] = spec.size.map(|side| side * spec.stride);
        let shape = [batch, spec.from, height, width];
        let rows = Tensor::<4>::random(shape, Distribution::Normal(0.0, 1.0), device);
        let layer = Layer {
            conv,
            norm,
            activate: spec.activation == Activation::Relu,
            // The gradient of the input images is not needed.
            first: *spec == plan.stem,
        };
        let pixels = channels_last(&rows);
        let mut times = [Vec::new(), Vec::new()];
        for repeat in 0..=repeats {
            let now = [layer.fused(&pixels), layer.plain(&rows)];
            if repeat > 0 {
                for (times, now) in times.iter_mut().zip(now) {
                    times.push(now);
                }
            }
        }
        let [fused, plain] = times.map(|times| median(&times));
        let pixels = batch * spec.size[0] * spec.size[1];
        let macs = pixels * spec.weight_shape().iter().product::<usize>();
        LayerTime {
            channels: [spec.from, spec.to],
            kernel: spec.kernel,
            stride: spec.stride,
            size: spec.size,
            layers,
            macs: macs as u64,
            fused,
            plain,
        }
    };
    found.into_iter().map(time).collect()
}

/// Returns a key that is equal for layers of equal cost.
fn kind(layer: &ConvNorm) -> ([usize; 5], [usize; 2]) {
    let dims = [
        layer.from,
        layer.to,
        layer.kernel,
        layer.stride,
        layer.groups,
    ];
    (dims, layer.size)
}

/// Returns the same values in channels-last layout, as in a network of fused operations.
fn channels_last(x: &Tensor<4>) -> Tensor<4> {
    let data = x.clone().permute([0, 2, 3, 1]).into_data();
    Tensor::from_data(data, &x.device()).permute([0, 3, 1, 2])
}

struct Layer {
    conv: Conv2d,
    norm: BatchNorm,
    activate: bool,
    first: bool,
}

impl Layer {
    fn fused(&self, x: &Tensor<4>) -> Milliseconds {
        // The permutation gives the gradient of ones the layout that a following fused operation would produce.
        self.pass(
            x,
            |x| conv_norm(&self.conv, &self.norm, x, None, self.activate),
            |y| y.permute([0, 2, 3, 1]),
        )
    }

    fn plain(&self, x: &Tensor<4>) -> Milliseconds {
        self.pass(
            x,
            |x| plain_conv_norm(&self.conv, &self.norm, x, None, self.activate),
            |y| y,
        )
    }

    /// Times one forward and backward pass; `end` runs before the gradient and is not timed.
    fn pass(
        &self,
        x: &Tensor<4>,
        operation: impl FnOnce(Tensor<4>) -> Tensor<4>,
        end: impl FnOnce(Tensor<4>) -> Tensor<4>,
    ) -> Milliseconds {
        let x = if self.first {
            x.clone()
        } else {
            x.clone().detach().require_grad()
        };
        let start = Instant::now();
        let y = operation(x);
        let forward = start.elapsed().as_secs_f64();
        let y = end(y);
        let start = Instant::now();
        let gradients = y.backward();
        let backward = start.elapsed().as_secs_f64();
        forget();
        drop(gradients);
        Milliseconds {
            forward: 1e3 * forward,
            backward: 1e3 * backward,
        }
    }
}

fn median(times: &[Milliseconds]) -> Milliseconds {
    let middle = |of: fn(&Milliseconds) -> f64| {
        let mut values: Vec<f64> = times.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    Milliseconds {
        forward: middle(|t| t.forward),
        backward: middle(|t| t.backward),
    }
}

#[cfg(test)]
mod tests {
    use tailfold_spec::{Body, Head};

    use super::*;
    use crate::trainer::tests::generator;

    #[test]
    fn layer_kinds_cover_network_and_take_time() {
        let _held = generator();
        let architecture = Architecture {
            body: Body::CifarResnet {
                depth: 8,
                width: 4,
                stem_stride: 1,
            },
            input: [3, 12, 8],
            classes: 3,
            head: Head::Linear,
        };
        let rows = layer_times(&architecture, 2, 3);
        let found: Vec<_> = rows
            .iter()
            .map(|r| (r.channels, r.size, r.layers))
            .collect();
        let expect = [
            ([3, 4], [12, 8], 1),
            ([4, 4], [12, 8], 2),
            ([4, 8], [6, 4], 1),
            ([8, 8], [6, 4], 1),
            ([8, 16], [3, 2], 1),
            ([16, 16], [3, 2], 1),
        ];
        assert_eq!(found, expect);
        assert_eq!(rows[0].macs, 2 * 96 * 4 * 3 * 9);
        for time in rows.iter().flat_map(|r| [r.fused, r.plain]) {
            assert!(time.forward > 0.0 && time.backward > 0.0, "{time:?}");
        }
    }
}
