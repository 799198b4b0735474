//! A small network for the embedded data set: seeded random convolutions and a head of class centroids. It is accurate
//! enough that faults reduce its accuracy, and it takes a second to make.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use safetensors::Dtype;
use safetensors::tensor::TensorView;
use tailfold_data::{DataSpec, Dataset, preprocess};
use tailfold_onnx::{Checkpoint, Model, build, fold_offsets};
use tailfold_quant::{CalibrationSet, Draw, FloatModel, Options, quantize};
use tailfold_spec::{
    Apply, Architecture, AtExport, Body, Classifier as _, Head, ImageBatch, Logits, Manifest,
    ModelCard, OffsetsRecord, Preprocess, RunFiles, artifact,
};
use tailfold_tract::{TensorObserver, TractClassifier};

use crate::scratch::Scratch;

/// Configuration of the smallest training: one epoch of a tiny network.
pub(crate) const TINY_TRAINING: &str = r#"
name = "tiny"
data = "embedded?split=train&per-class=2"
epochs = 1
batch = 4
loss = "ce"

[network]
depth = 8
width = 1
stem_stride = 2
head = { kind = "linear" }

[optimizer]
learning_rate = 0.01
weight_decay = 0.0

[views]
classifier = 1
"#;

/// Seed of the convolutions.
const SEED: u64 = 20_260_301;

/// Name to shape and row-major values.
pub(crate) type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// The network at every stage before quantization.
#[derive(Debug)]
pub(crate) struct Fixture {
    pub(crate) architecture: Architecture,
    /// Tensors of the checkpoint.
    pub(crate) tensors: Tensors,
    pub(crate) card: ModelCard,
    pub(crate) offsets: OffsetsRecord,
    /// The exported model without offsets.
    pub(crate) unfolded: Model,
    /// The exported model with folded offsets.
    pub(crate) model: Model,
}

/// The fixture, which is made once.
pub(crate) fn fixture() -> &'static Fixture {
    static FIXTURE: OnceLock<Fixture> = OnceLock::new();
    FIXTURE.get_or_init(Fixture::new)
}

/// The fixture's model, quantized with 8 training images per class, which is made once.
pub(crate) fn int8() -> &'static Model {
    static INT8: OnceLock<Model> = OnceLock::new();
    INT8.get_or_init(|| {
        let Fixture { model, card, .. } = fixture();
        let draw = Draw {
            preprocess: &card.preprocess,
            per_class: 8,
            seed: 0,
            allow_missing: false,
        };
        let float = FloatModel::from_bytes(&model.to_bytes(), "fixture").unwrap();
        let set = CalibrationSet::draw(&embedded("split=train"), &float, &draw).unwrap();
        let quantized = quantize(&float, &set, &Options::default(), &|| {});
        quantized.unwrap().model
    })
}

/// The embedded data set with these options.
pub(crate) fn embedded(options: &str) -> Dataset {
    let spec: DataSpec = format!("embedded?{options}").parse().unwrap();
    Dataset::open(&spec).unwrap()
}

/// Logits of `model` on `data`, one row per image.
pub(crate) fn logits(model: &Model, data: &Dataset) -> Logits {
    let mut classifier = TractClassifier::from_onnx(&model.to_bytes(), "fixture").unwrap();
    let [c, h, w] = classifier.input_shape();
    let spec = model.card().unwrap().preprocess;
    let values = (0..data.len()).flat_map(|i| preprocess(&data.image(i).unwrap(), &spec).unwrap());
    let batch = ImageBatch::new(values.collect(), [data.len(), c, h, w]).unwrap();
    classifier.logits(&batch).unwrap()
}

/// The bytes of a safetensors file with f32 tensors.
pub(crate) fn safetensors(tensors: &Tensors) -> Vec<u8> {
    let bytes: BTreeMap<&str, Vec<u8>> = tensors
        .iter()
        .map(|(name, (_, v))| {
            (
                name.as_str(),
                v.iter().flat_map(|v| v.to_le_bytes()).collect(),
            )
        })
        .collect();
    let views = tensors.iter().map(|(name, (shape, _))| {
        let view = TensorView::new(Dtype::F32, shape.clone(), &bytes[name.as_str()]);
        (name, view.unwrap())
    });
    safetensors::serialize(views, None).unwrap()
}

impl Fixture {
    fn new() -> Self {
        let train = embedded("split=train");
        let architecture = Architecture {
            body: Body::CifarResnet {
                depth: 8,
                width: 4,
                stem_stride: 1,
            },
            input: [1, 28, 28],
            classes: train.classes().len(),
            head: Head::Linear,
        };
        let preprocess = Preprocess {
            channels: 1,
            height: 28,
            width: 28,
            bgr: false,
            resize: None,
            mean: vec![0.286],
            std: vec![0.353],
        };
        let mut card = ModelCard {
            name: "fixture".to_owned(),
            architecture: architecture.name(),
            classes: train.classes().to_vec(),
            train_counts: train.class_counts(),
            preprocess,
            offsets: None,
            checkpoint_sha256: String::new(),
            quantization: None,
        };
        let mut tensors = convolutions(&architecture);
        centroid_head(&mut tensors, &architecture, &card);
        card.checkpoint_sha256 = artifact::sha256(&safetensors(&tensors));
        let mut offsets = OffsetsRecord::zeros(architecture.classes);
        // Any offsets that change decisions and sum to 0 would do.
        offsets.offsets = vec![
            0.5, -0.5, 0.25, -0.25, 0.75, -0.75, 1.0, -1.0, 0.125, -0.125,
        ];
        offsets.origin = "fixture".to_owned();
        let unfolded = build(&architecture, &checkpoint(&tensors), &card).unwrap();
        let mut model = unfolded.clone();
        fold_offsets(&mut model, &offsets).unwrap();
        Self {
            architecture,
            tensors,
            card,
            offsets,
            unfolded,
            model,
        }
    }

    /// Writes a run folder as training does, but with goldens that tract computes. Returns its path.
    pub(crate) fn write_run(&self, scratch: &Scratch, folder: &str) -> String {
        let images = embedded("split=val&per-class=1");
        let [c, h, w] = self.architecture.input;
        let inputs = (0..images.len())
            .flat_map(|i| preprocess(&images.image(i).unwrap(), &self.card.preprocess).unwrap())
            .collect();
        let scores = logits(&self.unfolded, &images).values().to_vec();
        let golden = Tensors::from([
            ("inputs".to_owned(), (vec![images.len(), c, h, w], inputs)),
            (
                "scores".to_owned(),
                (vec![images.len(), self.architecture.classes], scores),
            ),
        ]);
        let write = |file: &str, bytes: &[u8]| {
            scratch.write(&format!("{folder}/{file}"), bytes);
            artifact::sha256(bytes)
        };
        let offsets = serde_json::to_vec(&self.offsets).unwrap();
        let manifest = Manifest {
            schema: Manifest::SCHEMA.to_owned(),
            name: self.card.name.clone(),
            loss: "ce".to_owned(),
            data: "embedded?split=train".to_owned(),
            seed: SEED,
            epochs: 1,
            apply: Apply::Add,
            at_export: AtExport::Keep,
            classes: self.card.classes.clone(),
            train_counts: self.card.train_counts.clone(),
            architecture: self.architecture.clone(),
            preprocess: self.card.preprocess.clone(),
            files: RunFiles {
                checkpoint_sha256: write(Manifest::CHECKPOINT, &safetensors(&self.tensors)),
                offsets_sha256: write(Manifest::OFFSETS, &offsets),
                golden_sha256: write(Manifest::GOLDEN, &safetensors(&golden)),
                features_sha256: write(Manifest::FEATURES, b""),
            },
        };
        scratch.write(&format!("{folder}/{}", Manifest::FILE), manifest.to_toml());
        scratch.at(folder)
    }
}

/// A checkpoint in memory.
pub(crate) fn checkpoint(tensors: &Tensors) -> Checkpoint {
    Checkpoint::from_safetensors(&safetensors(tensors), Path::new("checkpoint.safetensors"))
        .unwrap()
}

/// Random convolutions with He's variance, identity BatchNorms, and a head of zeros.
fn convolutions(arch: &Architecture) -> Tensors {
    // Random numbers in -1..1 are the upper bits of Knuth's 64-bit linear congruential generator.
    let mut state = SEED;
    let mut draw = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    let mut tensors = Tensors::new();
    for layer in arch.plan().layers() {
        let shape = layer.weight_shape();
        let fan: usize = shape[1..].iter().product();
        let spread = (6.0 / fan as f32).sqrt();
        let weights = (0..shape.iter().product())
            .map(|_| spread * draw())
            .collect();
        let name = format!("{}.weight", layer.part("conv"));
        tensors.insert(name, (shape.to_vec(), weights));
        for (part, value) in [
            ("gamma", 1.0),
            ("beta", 0.0),
            ("running_mean", 0.0),
            ("running_var", 1.0),
        ] {
            let name = format!("{}.{part}", layer.part("norm"));
            tensors.insert(name, (vec![layer.to], vec![value; layer.to]));
        }
    }
    let (classes, dim) = (arch.classes, arch.feature_dim());
    tensors.insert(
        "head.weight".to_owned(),
        (vec![classes, dim], vec![0.0; classes * dim]),
    );
    tensors.insert("head.bias".to_owned(), (vec![classes], vec![0.0; classes]));
    tensors
}

/// Sets the head to nearest class centroids: `<m_c / v, z> - <m_c / v, m_c> / 2`. This is `-|z - m_c|^2 / 2`, scaled by
/// the variance `v` within classes, without the term that all classes share.
fn centroid_head(tensors: &mut Tensors, arch: &Architecture, card: &ModelCard) {
    let bytes = build(arch, &checkpoint(tensors), card).unwrap().to_bytes();
    let observer = TensorObserver::from_onnx(&bytes, "fixture", &["feature".to_owned()]).unwrap();
    let data = embedded("split=train&per-class=30");
    let (classes, dim) = (arch.classes, arch.feature_dim());
    let features: Vec<Vec<f32>> = (0..data.len())
        .map(|i| {
            let image = preprocess(&data.image(i).unwrap(), &card.preprocess).unwrap();
            let mut feature = Vec::new();
            observer
                .observe(&image, |_, values| feature = values.to_vec())
                .unwrap();
            feature
        })
        .collect();
    let mut means = vec![vec![0.0_f32; dim]; classes];
    for (feature, &label) in features.iter().zip(data.labels()) {
        let count = data.class_counts()[label] as f32;
        means[label]
            .iter_mut()
            .zip(feature)
            .for_each(|(m, z)| *m += z / count);
    }
    let mut variances = vec![1e-6_f32; dim];
    for (feature, &label) in features.iter().zip(data.labels()) {
        for ((v, z), m) in variances.iter_mut().zip(feature).zip(&means[label]) {
            *v += (z - m) * (z - m) / data.len() as f32;
        }
    }
    let rows = means
        .iter()
        .map(|mean| mean.iter().zip(&variances).map(|(m, v)| m / v).collect());
    let weights: Vec<Vec<f32>> = rows.collect();
    let bias = |(row, mean): (&Vec<f32>, &Vec<f32>)| {
        row.iter().zip(mean).map(|(w, m)| w * m).sum::<f32>() / -2.0
    };
    let biases = weights.iter().zip(&means).map(bias).collect();
    tensors.insert(
        "head.weight".to_owned(),
        (vec![classes, dim], weights.concat()),
    );
    tensors.insert("head.bias".to_owned(), (vec![classes], biases));
}
