use burn::nn::{BatchNorm, BatchNormConfig};

use super::*;
use crate::casts::to_host;

/// A matrix, a vector and a normalization with running statistics.
#[derive(Module, Debug)]
struct Bowl {
    weight: Param<Tensor<2>>,
    bias: Param<Tensor<1>>,
    norm: BatchNorm,
}

impl Bowl {
    fn new(device: &Device) -> Self {
        let weight = Tensor::from_floats([[1.0, -2.0, 0.5], [0.25, 0.0, -1.0]], device);
        let bias = Tensor::from_floats([2.0, 1.0], device);
        Self {
            weight: Param::from_tensor(weight),
            bias: Param::from_tensor(bias),
            norm: BatchNormConfig::new(2).init(device),
        }
    }

    /// Computes `sum w^2 + 2 sum b^2`, so the gradient is `2 w` and `4 b`; the normalization also processes `x [n, 2]`.
    fn loss(&self, x: Tensor<2>) -> Tensor<1> {
        let beside = self.norm.forward(x).detach().sum().mul_scalar(0.0);
        self.weight.val().square().sum() + self.bias.val().square().sum().mul_scalar(2.0) + beside
    }

    fn gradients(&self, x: Tensor<2>) -> GradientsParams {
        GradientsParams::from_grads(self.loss(x).backward(), self)
    }
}

fn host<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    to_host(tensor.without_autodiff()).unwrap()
}

#[test]
fn second_gradient_is_taken_at_moved_weights() {
    let device = Device::flex().autodiff();
    let bowl = Bowl::new(&device);
    let x = Tensor::from_floats([[1.0, 2.0], [3.0, 7.0]], &device);
    let first = bowl.gradients(x.clone());
    let above = ascend(&bowl, &first, 0.5);
    // |g|^2 = 4 * 6.3125 + 16 * 5: every coordinate moves by 0.5 / |g| of its gradient.
    let share = 0.5 / (4.0_f32 * 6.3125 + 80.0).sqrt();
    let second = above.gradients(x);
    let check = |found: Vec<f32>, at: Vec<f32>, slope: f32| {
        assert_eq!(found.len(), at.len());
        for (f, w) in found.iter().zip(&at) {
            let expect = slope * (w + share * slope * w);
            assert!((f - expect).abs() < 1e-5, "{f}, expected {expect}");
        }
    };
    // The gradients have the ids of the original network.
    let weight = second.get::<2>(bowl.weight.id).unwrap();
    check(host(weight), host(bowl.weight.val()), 2.0);
    let bias = second.get::<1>(bowl.bias.id).unwrap();
    check(host(bias), host(bowl.bias.val()), 4.0);
}

#[test]
fn running_statistics_see_batch_once() {
    let device = Device::flex().autodiff();
    let bowl = Bowl::new(&device);
    let x = Tensor::from_floats([[1.0, 2.0], [3.0, 7.0]], &device);
    let first = bowl.gradients(x.clone());
    let above = ascend(&bowl, &first, 0.5);
    let _second = above.gradients(x);
    // Burn's momentum is 0.1: one update moves the mean from 0 to a tenth of the batch's mean, two updates to 0.19 of
    // it.
    let mean = |bowl: &Bowl| host(bowl.norm.running_mean.value_sync());
    for (found, expect) in mean(&bowl).iter().zip([0.2, 0.45]) {
        assert!((found - expect).abs() < 1e-6, "{found}, expected {expect}");
    }
    for (found, expect) in mean(&above).iter().zip([0.38, 0.855]) {
        assert!((found - expect).abs() < 1e-6, "{found}, expected {expect}");
    }
}

#[test]
fn stationary_point_does_not_move() {
    let device = Device::flex().autodiff();
    let mut bowl = Bowl::new(&device);
    bowl.weight = Param::from_tensor(Tensor::zeros([2, 3], &device));
    bowl.bias = Param::from_tensor(Tensor::zeros([2], &device));
    let x = Tensor::from_floats([[1.0, 2.0], [3.0, 7.0]], &device);
    let above = ascend(&bowl, &bowl.gradients(x), 0.5);
    assert_eq!(host(above.weight.val()), [0.0; 6]);
    assert_eq!(host(above.bias.val()), [0.0; 2]);
}
