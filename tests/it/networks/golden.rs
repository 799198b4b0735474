//! Golden values from PyTorch for torchvision's networks and timm's `tf_efficientnet_lite0`. The weights are a hash of
//! name and index. `tests/judges/torch_networks.py` computes the values.

use burn::module::Module as _;

use super::*;
use crate::fixture::{Tensors, safetensors};
use crate::scratch::Scratch;

/// Input shape, as in the script: neither square nor the usual size of the networks.
const INPUT: [usize; 3] = [3, 64, 48];
const CLASSES: usize = 7;

/// Values of a network that PyTorch computes in f64.
struct Golden {
    /// Logits of two images.
    logits: [f32; 2 * CLASSES],
    /// Mean square of the logits in training mode, and the Euclidean length of its gradient over all parameters.
    training: [f32; 2],
    /// Relative tolerance of the gradient's length: several times the error of PyTorch's own f32.
    tolerance: f32,
}

/// `count` numbers in -1..1, from the upper 24 bits of SplitMix64 with the FNV-1a hash of `name` as seed.
fn noise(name: &str, count: usize) -> Vec<f32> {
    let seed = name.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3)
    });
    let numbers = (1..=count as u64).map(|i| {
        let z = seed.wrapping_add(i.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let z = z ^ (z >> 31);
        (z >> 40) as f32 / (1 << 23) as f32 - 1.0
    });
    numbers.collect()
}

/// The published file of `arch`, with the same weights as in the script.
pub(super) fn file(arch: &Architecture) -> Tensors {
    let plan = arch.plan();
    let mut tensors = Tensors::new();
    let mut put = |name: String, shape: &[usize], centre: f32, spread: f32| {
        let values = noise(&name, shape.iter().product());
        let values = values.into_iter().map(|v| centre + spread * v).collect();
        tensors.insert(name, (shape.to_vec(), values));
    };
    let he = |fan: usize| {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "rounded to f32 once, as in the script"
        )]
        let spread = (6.0 / fan as f64).sqrt() as f32;
        spread
    };
    for layer in plan.layers() {
        let [conv, norm] = &layer.published;
        let shape = layer.weight_shape();
        let fan = shape[1..].iter().product();
        put(format!("{conv}.weight"), &shape, 0.0, he(fan));
        put(format!("{norm}.weight"), &[layer.to], 0.75, 0.25);
        put(format!("{norm}.bias"), &[layer.to], 0.0, 0.25);
        put(format!("{norm}.running_mean"), &[layer.to], 0.0, 0.25);
        put(format!("{norm}.running_var"), &[layer.to], 1.0, 0.5);
    }
    let (classifier, dim) = (plan.classifiers[0], plan.feature_dim());
    let classes = arch.classes;
    put(
        format!("{classifier}.weight"),
        &[classes, dim],
        0.0,
        he(dim),
    );
    put(format!("{classifier}.bias"), &[classes], 0.0, 0.25);
    tensors
}

fn compare(body: Body, golden: &Golden) {
    let [c, h, w] = INPUT;
    let images = ImageBatch::new(noise("images", 2 * c * h * w), [2, c, h, w]).unwrap();
    let arch = Architecture {
        body,
        input: INPUT,
        classes: CLASSES,
        head: Head::Linear,
    };
    let scratch = Scratch::new();
    let path = scratch.write("published.safetensors", safetensors(&file(&arch)));

    let plain = Device::flex();
    let network = loaded(&arch, &path, &plain);
    let burn = scores(&network, &images, &plain);
    // Each of about fifty layers has a few thousand f32 additions in another order.
    close("burn", &burn, &golden.logits, 2e-5);
    let graph = exported(&network, &arch);
    close("tract", &logits(&graph, &images), &golden.logits, 2e-5);

    // For another head, the published weights load without their classifier.
    let cosine = Architecture {
        head: Head::Cosine { scale: 16.0 },
        ..arch.clone()
    };
    let network = loaded(&cosine, &path, &plain);
    let burn = scores(&network, &images, &plain);
    let graph = exported(&network, &cosine);
    close("cosine", &logits(&graph, &images), &burn, 2e-5);

    let device = Device::flex().autodiff();
    let network = loaded(&arch, &path, &device).train();
    let data = TensorData::new(images.values().to_vec(), images.shape());
    let loss = network.scores(Tensor::<4>::from_data(data, &device));
    let loss = loss.square().mean();
    let gradients = loss.backward();
    let mut length = Length {
        gradients: &gradients,
        squares: 0.0,
        tensors: 0,
    };
    network.visit(&mut length);
    // Each layer has a weight, a scale and a shift, and the classifier has two tensors.
    assert_eq!(length.tensors, 3 * arch.plan().layers().count() + 2);
    let loss: Vec<f32> = loss.without_autodiff().into_data().try_to_vec().unwrap();
    let [expect, steep] = golden.training;
    close("loss", &loss, &[expect], golden.tolerance);
    let length = f64::from(steep) - length.squares.sqrt();
    assert!(
        length.abs() <= f64::from(golden.tolerance * steep),
        "{length}"
    );
}

#[test]
fn resnet50() {
    let golden = Golden {
        logits: [
            -2.2659,
            -3.90705,
            4.7353,
            -4.37197,
            -6.89986,
            4.7449,
            -0.232431,
            -2.4508,
            -3.86635,
            5.43479,
            -4.13667,
            -7.01719,
            5.0036,
            0.000661719,
        ],
        training: [0.973094, 1469.12],
        tolerance: 1e-2,
    };
    compare(Body::Resnet50, &golden);
}

#[test]
fn resnet152() {
    let golden = Golden {
        logits: [
            -261.658, -461.094, 128.89, -340.649, 49.6349, 254.616, -203.847, -259.007, -455.464,
            127.184, -335.624, 48.8917, 255.779, -195.083,
        ],
        training: [0.84923, 22717.6],
        // PyTorch's own f32 has an error of 6e-3, with three times the layers of ResNet-50.
        tolerance: 5e-2,
    };
    compare(Body::Resnet152, &golden);
}

#[test]
fn resnext50() {
    let golden = Golden {
        logits: [
            4.20438, -1.10537, -2.02626, -4.30838, -3.17816, 1.93027, -1.89455, 4.18031, -1.149,
            -2.37391, -4.29393, -2.05742, 2.88861, -1.85996,
        ],
        training: [0.815139, 776.06],
        tolerance: 1e-2,
    };
    compare(Body::Resnext50, &golden);
}

#[test]
fn mobilenet_v2() {
    let golden = Golden {
        logits: [
            -0.863573, -0.38411, -0.14105, 0.0429441, 0.388493, 0.198166, -0.736027, -0.90124,
            -0.413558, -0.134538, 0.0524173, 0.400526, 0.247171, -0.777,
        ],
        training: [0.222816, 110.788],
        tolerance: 1e-2,
    };
    compare(Body::MobilenetV2, &golden);
}

#[test]
fn efficientnet_lite0() {
    let golden = Golden {
        logits: [
            -0.64508, -0.246825, 1.15637, 0.71178, 0.296712, 0.16511, -0.133234, -0.63033,
            -0.277146, 1.17145, 0.706025, 0.287854, 0.143864, -0.145341,
        ],
        training: [0.30304, 143.244],
        tolerance: 1e-2,
    };
    compare(Body::EfficientnetLite0, &golden);
}
