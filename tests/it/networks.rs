//! Every network with PyTorch's weights gives PyTorch's logits and gradient, and its exported graph gives the same
//! logits.

mod golden;
mod published;
mod shipped;
mod training;

use std::path::Path;

use burn::module::{ModuleVisitor, Param};
use burn::prelude::*;
use burn::tensor::Gradients;
use tailfold_onnx::{Model, build, check};
use tailfold_spec::{Architecture, Body, Classifier as _, Head, ImageBatch, ModelCard, Preprocess};
use tailfold_tract::TractClassifier;
use tailfold_train::{Network, load_pretrained, named_weights};

use crate::fixture::checkpoint;

/// The graph of `network`, without offsets.
pub(crate) fn exported(network: &Network, arch: &Architecture) -> Model {
    let [channels, height, width] = arch.input;
    let card = ModelCard {
        name: "judge".to_owned(),
        architecture: arch.name(),
        classes: (0..arch.classes).map(|c| c.to_string()).collect(),
        train_counts: vec![10; arch.classes],
        preprocess: Preprocess {
            channels,
            height,
            width,
            bgr: false,
            resize: None,
            mean: vec![0.5; channels],
            std: vec![0.5; channels],
        },
        offsets: None,
        checkpoint_sha256: String::new(),
        quantization: None,
    };
    let model = build(arch, &checkpoint(&named_weights(network).unwrap()), &card).unwrap();
    check(&model).unwrap();
    model
}

/// A network of `arch` with the weights in `file`.
fn loaded(arch: &Architecture, file: &str, device: &Device) -> Network {
    let network = Network::new(arch, None, device).materialize();
    let (network, report) = load_pretrained(network, arch, Path::new(file)).unwrap();
    let layers = arch.plan().layers().count();
    let head = if report.dropped.is_none() { 2 } else { 0 };
    assert_eq!(report.tensors, 5 * layers + head);
    network
}

/// Scores computed by burn, row-major.
fn scores(network: &Network, images: &ImageBatch, device: &Device) -> Vec<f32> {
    let data = TensorData::new(images.values().to_vec(), images.shape());
    let scores = network.scores(Tensor::<4>::from_data(data, device));
    scores.into_data().try_to_vec().unwrap()
}

/// Logits computed by tract, row-major.
fn logits(model: &Model, images: &ImageBatch) -> Vec<f32> {
    let mut classifier = TractClassifier::from_onnx(&model.to_bytes(), "exported").unwrap();
    classifier.logits(images).unwrap().values().to_vec()
}

/// Checks that values differ from `expect` by at most `tolerance` times its largest magnitude.
fn close(name: &str, found: &[f32], expect: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expect.len(), "{name}");
    let largest = expect.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
    assert!(largest > 0.1, "{name}: all expected values are near zero");
    for (i, (a, b)) in found.iter().zip(expect).enumerate() {
        let difference = (a - b).abs();
        assert!(
            difference <= tolerance * largest,
            "{name}, {i}: {a}, expected {b}"
        );
    }
}

/// Euclidean length of a gradient over all parameters.
struct Length<'a> {
    gradients: &'a Gradients,
    squares: f64,
    tensors: usize,
}

impl ModuleVisitor for Length<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = param.val().grad(self.gradients) {
            let values: Vec<f32> = gradient.into_data().try_to_vec().unwrap();
            let squares = values.iter().map(|&v| f64::from(v).powi(2));
            self.squares += squares.sum::<f64>();
            self.tensors += 1;
        }
    }
}
