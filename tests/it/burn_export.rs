//! Cross-check with burn-onnx's exporter: its graph, our graph and burn itself give the same logits for one network.

use burn::module::Module as _;
use burn::prelude::*;
use burn_onnx::export::OnnxExporter;
use tailfold_spec::{Architecture, Body, Classifier as _, Head, ImageBatch};
use tailfold_tract::TractClassifier;
use tailfold_train::Network;

use crate::networks::exported;

fn check(head: Head, stem_stride: usize, depth: usize) {
    // The image is neither square nor a power of two, so that transposed matrices and rounded sizes change the result.
    let [channels, height, width] = [3, 13, 10];
    let classes = 7;
    let arch = Architecture {
        body: Body::CifarResnet {
            depth,
            width: 4,
            stem_stride,
        },
        input: [channels, height, width],
        classes,
        head,
    };
    let device = Device::flex();
    device.seed(11);
    let network = Network::new(&arch, None, &device).materialize();
    let pixels: Vec<f32> = (0..2 * channels * height * width)
        .map(|i| ((i * 37 % 101) as f32 - 50.0) / 25.0)
        .collect();
    // A pass in training mode changes the running statistics from their initial values.
    let training = Device::flex().autodiff();
    let shape = [2, channels, height, width];
    let network = network.to_device(&training).train();
    for _ in 0..20 {
        let _ = network.scores(Tensor::<4>::from_data(
            TensorData::new(pixels.clone(), shape),
            &training,
        ));
    }
    let network = network.valid();
    let input = Tensor::<4>::from_data(TensorData::new(pixels.clone(), shape), &device);
    let burn: Vec<f32> = network.scores(input).into_data().try_to_vec().unwrap();

    // burn-onnx has no transpose, so it gets the transposed weights of the head as a constant.
    let tailfold_train::Affine { weight, bias } = network.head.affine();
    let (weight, bias) = (weight.transpose().into_data(), bias.map(Tensor::into_data));
    let sample = Tensor::<4>::zeros([1, channels, height, width], &device);
    let forward = |m: &Network, x: Tensor<4>| {
        let device = x.device();
        let scores = m
            .head
            .inputs(m.features(x))
            .matmul(Tensor::<2>::from_data(weight, &device));
        match bias {
            Some(bias) => scores + Tensor::<1>::from_data(bias, &device).unsqueeze_dim::<2>(0),
            None => scores,
        }
    };
    let theirs = OnnxExporter::new()
        .export(&network, sample, forward)
        .unwrap();
    let ours = exported(&network, &arch);

    let batch = ImageBatch::new(pixels, shape).unwrap();
    let run = |bytes: &[u8], name| {
        TractClassifier::from_onnx(bytes, name)
            .unwrap()
            .logits(&batch)
            .unwrap()
    };
    let (ours, theirs) = (
        run(&ours.to_bytes(), "ours"),
        run(theirs.as_bytes(), "burn-onnx"),
    );
    assert_eq!(burn.len(), 2 * classes);
    let largest = burn.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
    assert!(largest > 0.1, "logits near zero say nothing");
    for (index, ((a, b), c)) in ours
        .values()
        .iter()
        .zip(theirs.values())
        .zip(&burn)
        .enumerate()
    {
        // A few hundred f32 additions have another order, and one graph has folded BatchNorms.
        assert!(
            (a - b).abs() <= 1e-4 * largest && (a - c).abs() <= 1e-4 * largest,
            "{index}: {a} {b} {c}"
        );
    }
}

#[test]
fn linear_head() {
    check(Head::Linear, 1, 8);
}

#[test]
fn cosine_head_with_strided_stem() {
    check(Head::Cosine { scale: 16.0 }, 2, 14);
}
