use std::fs;
use std::sync::{Mutex, MutexGuard, PoisonError};

use burn::optim::GradientsParams;
use burn::prelude::*;
use safetensors::SafeTensors;

use super::*;
use crate::evaluate::to_host;
use crate::head::ClassifierHead;
use crate::networks::Network;
use crate::weights::{NamedWeights, load_weights};

mod photographs;
mod resuming;

/// Held by every test that draws weights: burn's generator and its seed belong to the process.
pub(crate) fn generator() -> MutexGuard<'static, ()> {
    static GENERATOR: Mutex<()> = Mutex::new(());
    GENERATOR.lock().unwrap_or_else(PoisonError::into_inner)
}

fn device() -> Device {
    Device::flex().autodiff()
}

/// Writes 12x12 grey images in IDX form: class `k` is bright in the `k`-th third of its columns, with some noise.
fn write_idx(dir: &Path, prefix: &str, counts: &[usize]) {
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for (class, &count) in counts.iter().enumerate() {
        for image in 0..count {
            labels.push(u8::try_from(class).unwrap());
            pixels.extend((0..144_usize).map(|i| {
                let noise = u8::try_from((image * 31 + i * 17) % 61).unwrap();
                noise + if i % 12 / 4 == class { 180 } else { 0 }
            }));
        }
    }
    let count = u32::try_from(labels.len()).unwrap().to_be_bytes();
    let head = [&[0, 0, 8, 3], &count[..], &[0, 0, 0, 12, 0, 0, 0, 12]].concat();
    let images = dir.join(format!("{prefix}-images-idx3-ubyte"));
    fs::write(images, [head, pixels].concat()).unwrap();
    let head = [&[0, 0, 8, 1], &count[..]].concat();
    let file = dir.join(format!("{prefix}-labels-idx1-ubyte"));
    fs::write(file, [head, labels].concat()).unwrap();
}

/// A folder with the data set in `data` and room for runs.
fn workspace() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    fs::create_dir(&data).unwrap();
    write_idx(&data, "train", &[40, 20, 10]);
    write_idx(&data, "t10k", &[4, 4, 4]);
    dir
}

/// The plain run: cross-entropy, a linear head.
fn plain(dir: &Path, epochs: usize) -> TrainConfig {
    let data = format!("idx:{}", dir.join("data").display());
    let text = format!(
        r#"
        name = "thirds"
        data = {data:?}
        validation = "{data}?split=test"
        seed = 5
        epochs = {epochs}
        batch = 16
        loss = "ce"
        network = {{ depth = 8, width = 4, head = {{ kind = "linear" }} }}
        optimizer = {{ learning_rate = 0.1, weight_decay = 5e-4 }}
        views = {{ classifier = 1 }}
        "#
    );
    toml::from_str(&text).unwrap()
}

/// A run with everything that has a state: momentum, offsets from a feature queue, two losses, augmented views.
fn rich(dir: &Path, epochs: usize) -> TrainConfig {
    let text = r#"
        loss = "sdot"
        network = { depth = 8, width = 4, stem_stride = 2, head = { kind = "cosine", scale = 10.0 } }
        optimizer = { learning_rate = 0.1, weight_decay = 5e-4, nesterov = true, warmup_epochs = 1.0 }
        contrastive = { weight = 0.5, temperature = 0.2, hidden = 8, out = 6 }
        offsets = { source = "balanced-features", update_every = 3, momentum = 0.3, samples = 64 }
        [views]
        classifier = 1
        contrastive = 2
        augment = { crop_padding = 1 }
        contrastive_augment = { crop_padding = 2, cutout = 3 }
        "#;
    let mut all: toml::Table =
        toml::from_str(&toml::to_string(&plain(dir, epochs)).unwrap()).unwrap();
    all.extend(toml::from_str::<toml::Table>(text).unwrap());
    all.try_into().unwrap()
}

/// Remembers what a run told.
#[derive(Default)]
struct Watch {
    started_after: Option<usize>,
    steps: Vec<(usize, usize)>,
}

impl Observer for Watch {
    fn start(&mut self, _manifest: &Manifest, _steps_per_epoch: usize, epochs_done: usize) {
        self.started_after = Some(epochs_done);
    }

    fn step(&mut self, epoch: usize, step: usize, _loss: f64) {
        self.steps.push((epoch, step));
    }
}

fn run(config: &TrainConfig, out: &Path, resume: bool) -> Result<Outcome, TrainError> {
    train(config, out, resume, &device(), &mut Watch::default())
}

fn tensors(bytes: &[u8]) -> NamedWeights {
    let file = SafeTensors::deserialize(bytes).unwrap();
    let floats = |view: &safetensors::tensor::TensorView<'_>| {
        let word = |b: &[u8]| f32::from_le_bytes(b.try_into().unwrap());
        view.data().chunks_exact(4).map(word).collect()
    };
    file.tensors()
        .iter()
        .map(|(name, view)| (name.clone(), (view.shape().to_vec(), floats(view))))
        .collect()
}

#[test]
fn a_run_folder_is_whole() {
    let _generator = generator();
    let dir = workspace();
    for (name, config) in [
        ("plain", plain(dir.path(), 2)),
        ("rich", rich(dir.path(), 2)),
    ] {
        let out = dir.path().join(name);
        let mut watch = Watch::default();
        let outcome = train(&config, &out, false, &device(), &mut watch).unwrap();
        assert_eq!(watch.started_after, Some(0));
        // 70 images: 4 whole batches of 16.
        let steps: Vec<_> = (1..=2).flat_map(|e| (1..=4).map(move |s| (e, s))).collect();
        assert_eq!(watch.steps, steps);

        let manifest = Manifest::read(&out).unwrap();
        assert_eq!(manifest, outcome.manifest);
        assert_eq!(manifest.train_counts, [40, 20, 10]);
        assert_eq!(manifest.architecture.input, [1, 12, 12]);
        manifest.read_offsets(&out).unwrap();
        let mut files: Vec<_> = fs::read_dir(&out)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort_unstable();
        let expect = [
            "checkpoint.safetensors",
            "features.safetensors",
            "golden",
            "manifest.toml",
            "metrics.csv",
            "offsets.json",
        ];
        assert_eq!(files, expect);

        let rows: Vec<EpochReport> = csv::Reader::from_path(out.join("metrics.csv"))
            .unwrap()
            .deserialize()
            .collect::<Result<_, _>>()
            .unwrap();
        assert_eq!(format!("{rows:?}"), format!("{:?}", outcome.reports));
        assert_eq!(rows.iter().map(|r| r.epoch).collect::<Vec<_>>(), [1, 2]);
        assert!(
            rows[1].classifier_loss < rows[0].classifier_loss,
            "{rows:?}"
        );

        // The checkpoint is the network that gave the golden answers.
        let golden = tensors(&manifest.read_file(&out, Manifest::GOLDEN).unwrap());
        let weights = tensors(&manifest.read_file(&out, Manifest::CHECKPOINT).unwrap());
        let plain = device().without_autodiff();
        let network = Network::new(&manifest.architecture, None, &plain);
        let network = load_weights(network, &weights).unwrap();
        let (shape, values) = golden["inputs"].clone();
        assert_eq!(shape, [6, 1, 12, 12]);
        let inputs = Tensor::<4>::from_data(TensorData::new(values, shape), &plain);
        let scores = to_host(network.scores(inputs)).unwrap();
        assert_eq!(golden["scores"], (vec![6, 3], scores));

        let bytes = manifest.read_file(&out, Manifest::FEATURES).unwrap();
        let features = SafeTensors::deserialize(&bytes).unwrap();
        let labels = features.tensor("labels").unwrap().shape().to_vec();
        let shape = features.tensor("features").unwrap().shape().to_vec();
        assert_eq!(shape, [labels[0], 16]);
    }
}

#[test]
fn separable_classes_are_learnt() {
    let _generator = generator();
    let dir = workspace();
    for config in [plain(dir.path(), 8), rich(dir.path(), 8)] {
        let outcome = run(&config, &dir.path().join("run"), false).unwrap();
        let last = outcome.reports.last().unwrap();
        assert!(last.val_top1.unwrap() > 0.9, "{:?}", outcome.reports);
    }
}

#[test]
fn a_run_that_diverges_says_where_and_writes_nothing() {
    let _generator = generator();
    let dir = workspace();
    let out = dir.path().join("run");
    let diverge = |config: &TrainConfig, steps_before: usize, rate: f64| {
        let mut watch = Watch::default();
        let error = train(config, &out, false, &device(), &mut watch).unwrap_err();
        let message = error.to_string();
        let TrainError::Diverged { loss, indices, .. } = error else {
            panic!("{message}");
        };
        assert!(!loss.is_finite());
        assert_eq!(watch.steps.len(), steps_before);
        let step = steps_before + 1;
        assert_eq!(
            message,
            format!(
                "the loss is {loss} at epoch 1, step {step} (learning rate {rate:.5}); the batch held images {indices:?}"
            ),
        );
        assert!(!out.exists());
        indices
    };

    // Pixels so large that the first convolution overflows.
    let mut config = plain(dir.path(), 2);
    config.normalisation = Some(crate::config::NormalisationConfig {
        mean: vec![0.0],
        std: vec![2e-38],
    });
    let first = diverge(&config, 0, 0.1);

    // A first step that throws the weights out of f32's range; 1 of 8 steps down the cosine.
    let mut config = plain(dir.path(), 2);
    config.optimizer.learning_rate = 100.0;
    config.network.head = tailfold_spec::Head::Cosine { scale: 1e30 };
    let second = diverge(
        &config,
        1,
        50.0 * (1.0 + (std::f64::consts::PI / 8.0).cos()),
    );

    let mut seen = [first, second].concat();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 32);
    assert!(seen.iter().all(|&image| image < 70), "{seen:?}");
}

/// PyTorch's SGD, by its documentation: `g + decay w`, a velocity without dampening, and Nesterov's look ahead.
#[test]
fn the_optimizer_is_pytorchs() {
    let _generator = generator();
    let device = device();
    let dir = workspace();
    for nesterov in [false, true] {
        let mut config = plain(dir.path(), 1);
        config.optimizer.nesterov = nesterov;
        config.optimizer.momentum = 0.8;
        config.optimizer.weight_decay = 0.1;
        let kind = tailfold_spec::Head::Cosine { scale: 1.0 };
        let mut head = ClassifierHead::new(2, 3, kind, &device);
        let mut expect = to_host(head.weight.val().without_autodiff()).unwrap();
        let mut velocity = [0.0_f32; 6];
        let slope = [1.0, -2.0, 0.5, 0.0, 3.0, -1.0];
        let mut optimizer = sgd(&config);
        for rate in [0.5_f32, 0.25, 0.125] {
            let slopes = Tensor::<1>::from_floats(slope, &device).reshape([2, 3]);
            let loss = (head.weight.val() * slopes).sum();
            let gradients = GradientsParams::from_grads(loss.backward(), &head);
            head = optimizer.step(f64::from(rate), head, gradients);
            for ((w, v), g) in expect.iter_mut().zip(&mut velocity).zip(slope) {
                let g = g + 0.1 * *w;
                *v = 0.8 * *v + g;
                *w -= rate * if nesterov { g + 0.8 * *v } else { *v };
            }
            let found = to_host(head.weight.val().without_autodiff()).unwrap();
            for (f, e) in found.iter().zip(&expect) {
                assert!((f - e).abs() < 1e-5, "{found:?}, expected {expect:?}");
            }
        }
    }
}
