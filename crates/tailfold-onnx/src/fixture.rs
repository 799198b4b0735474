//! A small network for tests: non-square input, and weights from a fixed seed.

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::TensorView;
use tailfold_spec::{Architecture, Body, Head, ModelCard, Preprocess};

use crate::{Checkpoint, Model, build};

pub(crate) mod eval;
pub(crate) mod small;

/// Seed of all weights.
const SEED: u64 = 20_250_301;

/// Name of the checkpoint in messages.
pub(crate) const PATH: &str = "run/checkpoint.safetensors";

pub(crate) const COSINE: Head = Head::Cosine { scale: 16.0 };

/// Shape and values of each tensor, by name.
pub(crate) type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// Knuth's 64-bit linear congruential generator: returns the upper bits as a number in -1..1.
pub(crate) struct Lcg(pub(crate) u64);

impl Lcg {
    pub(crate) fn next(&mut self) -> f32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1 << 23) as f32 - 1.0
    }
}

/// Returns the body of a residual network of depth 8.
pub(crate) fn cifar(width: usize, stem_stride: usize) -> Body {
    Body::CifarResnet {
        depth: 8,
        width,
        stem_stride,
    }
}

/// Returns an architecture with 7 classes and images of 3x12x10.
pub(crate) fn architecture(head: Head) -> Architecture {
    Architecture {
        body: cifar(4, 1),
        input: [3, 12, 10],
        classes: 7,
        head,
    }
}

pub(crate) fn card(arch: &Architecture) -> ModelCard {
    let [channels, height, width] = arch.input;
    let (mean, std) = (vec![0.5; channels], vec![0.25; channels]);
    ModelCard {
        name: "small".to_owned(),
        architecture: arch.name(),
        classes: (0..arch.classes).map(|c| format!("class {c}")).collect(),
        train_counts: vec![10; arch.classes],
        preprocess: Preprocess {
            channels,
            height,
            width,
            bgr: false,
            resize: None,
            mean,
            std,
        },
        offsets: None,
        checkpoint_sha256: "00".to_owned(),
        quantization: None,
    }
}

/// Returns a checkpoint as training writes it, with one tensor more than the network needs.
pub(crate) fn tensors(arch: &Architecture) -> Tensors {
    let mut lcg = Lcg(SEED);
    let mut tensors = Tensors::new();
    let mut put = |name: String, shape: &[usize], centre: f32, spread: f32| {
        let values = (0..shape.iter().product())
            .map(|_| centre + spread * lcg.next())
            .collect();
        tensors.insert(name, (shape.to_vec(), values));
    };
    let plan = arch.plan();
    for layer in plan.layers() {
        let shape = layer.weight_shape();
        // He initialization, except for networks whose dumps are stored.
        let fan: usize = shape[1..].iter().product();
        let spread = match arch.body {
            Body::CifarResnet { .. } => 0.4,
            _ => (6.0 / fan as f32).sqrt(),
        };
        put(
            format!("{}.weight", layer.part("conv")),
            &shape,
            0.0,
            spread,
        );
        for (part, centre, spread) in [
            ("gamma", 1.0, 0.5),
            ("beta", 0.0, 0.3),
            ("running_mean", 0.0, 0.5),
            ("running_var", 1.0, 0.9),
        ] {
            let name = format!("{}.{part}", layer.part("norm"));
            put(name, &[layer.to], centre, spread);
        }
    }
    put(
        "head.weight".to_owned(),
        &[arch.classes, plan.feature_dim()],
        0.0,
        1.0,
    );
    if arch.head == Head::Linear {
        put("head.bias".to_owned(), &[arch.classes], 0.0, 1.0);
    }
    put("projection.weight".to_owned(), &[2, 3], 0.0, 1.0);
    tensors
}

pub(crate) fn safetensors(tensors: &Tensors) -> Vec<u8> {
    let bytes: BTreeMap<&String, Vec<u8>> = tensors
        .iter()
        .map(|(k, (_, v))| (k, v.iter().flat_map(|v| v.to_le_bytes()).collect()))
        .collect();
    let views = tensors.iter().map(|(k, (shape, _))| {
        (
            k,
            TensorView::new(Dtype::F32, shape.clone(), &bytes[k]).unwrap(),
        )
    });
    safetensors::serialize(views, None).unwrap()
}

pub(crate) fn checkpoint(tensors: &Tensors) -> Checkpoint {
    Checkpoint::from_safetensors(&safetensors(tensors), Path::new(PATH)).unwrap()
}

pub(crate) fn model(head: Head) -> Model {
    let arch = architecture(head);
    build(&arch, &checkpoint(&tensors(&arch)), &card(&arch)).unwrap()
}
