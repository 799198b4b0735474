use std::fs;
use std::sync::{Mutex, MutexGuard, PoisonError};

use burn::prelude::*;
use safetensors::SafeTensors;
use tailfold_spec::NamedTensors;

use super::*;
use crate::casts::to_host;
use crate::networks::Network;
use crate::validation::RECALL;
use crate::weights::load_weights;

mod losses;
mod photographs;
mod resuming;

/// A lock for every test that draws weights: burn's generator and its seed belong to the process.
pub(crate) fn generator() -> MutexGuard<'static, ()> {
    static GENERATOR: Mutex<()> = Mutex::new(());
    GENERATOR.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn device() -> Device {
    Device::flex().autodiff()
}

/// Writes 12x12 grey images in IDX form: class `k` is bright in the `k`-th third of its columns, with some noise.
pub(crate) fn write_idx(dir: &Path, prefix: &str, counts: &[usize]) {
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

/// Creates a folder with the data set in `data` and room for runs.
pub(crate) fn workspace() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    fs::create_dir(&data).unwrap();
    write_idx(&data, "train", &[40, 20, 10]);
    write_idx(&data, "t10k", &[4, 4, 4]);
    dir
}

/// The plain run: cross-entropy, a linear head.
pub(crate) fn plain(dir: &Path, epochs: usize) -> TrainConfig {
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

/// A run with every kind of state: momentum, offsets from a feature queue, two losses, augmented views.
pub(crate) fn rich(dir: &Path, epochs: usize) -> TrainConfig {
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

/// Ignores all reports and never stops the run.
pub(crate) struct Silent;

impl Observer for Silent {}

/// Records the reports of a run.
#[derive(Default)]
struct Watch {
    started_after: Option<usize>,
    steps: Vec<(usize, usize)>,
    /// Epoch and step after which the run is stopped.
    stop_after: Option<(usize, usize)>,
}

impl Observer for Watch {
    fn start(&mut self, _manifest: &Manifest, _steps_per_epoch: usize, steps_done: usize) {
        self.started_after = Some(steps_done);
    }

    fn step(&mut self, report: &StepReport) {
        assert!(report.loss.is_finite() && report.images_per_second > 0.0);
        assert!(report.seconds_left >= 0.0 && report.seconds_left < 600.0);
        self.steps.push((report.epoch, report.step));
    }

    fn wants_stop(&mut self) -> bool {
        self.stop_after.is_some() && self.steps.last() == self.stop_after.as_ref()
    }
}

fn run(config: &TrainConfig, out: &Path, resume: bool) -> Result<Outcome, TrainError> {
    train(config, out, resume, &device(), &mut Watch::default())
}

fn tensors(bytes: &[u8]) -> NamedTensors {
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
fn run_folder_is_complete() {
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
        // 70 images make 4 whole batches of 16.
        let steps: Vec<_> = (1..=2).flat_map(|e| (1..=4).map(move |s| (e, s))).collect();
        assert_eq!(watch.steps, steps);

        let manifest = Manifest::read(&out).unwrap();
        assert_eq!(Some(&manifest), outcome.manifest.as_ref());
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
            RECALL,
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

        check_recall_of_last_epoch(&out, &manifest, &rows[1]);
        for row in &rows {
            let (wait, loader) = (row.loader_wait, row.loader_images_per_second);
            assert!((0.0..=1.0).contains(&wait) && loader > 0.0 && loader.is_finite());
        }

        // The checkpoint is the network that computed the golden outputs.
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

fn check_recall_of_last_epoch(out: &Path, manifest: &Manifest, last: &EpochReport) {
    type Row = (usize, String, u64, u64, Option<f64>, f32);
    let mut reader = csv::Reader::from_path(out.join(RECALL)).unwrap();
    let header = "class,name,train_count,images,recall,offset";
    assert_eq!(
        reader
            .headers()
            .unwrap()
            .iter()
            .collect::<Vec<_>>()
            .join(","),
        header
    );
    let rows: Vec<Row> = reader.deserialize().collect::<Result<_, _>>().unwrap();
    assert_eq!(rows.len(), 3);
    for (class, row) in rows.iter().enumerate() {
        assert_eq!((row.0, &row.1), (class, &manifest.classes[class]));
        assert_eq!((row.2, row.3), (manifest.train_counts[class], 4));
    }
    // There are four images per class, so the mean over classes equals the mean over images.
    let mean = rows.iter().map(|row| row.4.unwrap()).sum::<f64>() / 3.0;
    assert!((mean - last.val_top1.unwrap()).abs() < 1e-12);
    let offsets = rows.iter().map(|row| row.5.abs()).fold(0.0, f32::max);
    assert_eq!(offsets > 0.0, manifest.loss == "sdot", "{rows:?}");
}

#[test]
fn without_validation_there_is_no_recall_and_no_best_epoch() {
    let _generator = generator();
    let dir = workspace();
    let out = dir.path().join("run");
    let outcome = run(&plain(dir.path(), 3), &out, false).unwrap();
    let best = outcome.best_epoch().unwrap();
    let better = |r: &EpochReport| r.val_top1 > best.val_top1;
    assert!(!outcome.reports.iter().any(better));
    assert!(out.join(RECALL).exists());
    // The recall file of an earlier run is removed.
    let mut config = plain(dir.path(), 1);
    config.validation = None;
    let outcome = run(&config, &out, false).unwrap();
    assert!(outcome.best_epoch().is_none() && !out.join(RECALL).exists());
}

/// With a radius too small to move a weight, both gradients are equal, and so are all results: if the running
/// statistics saw a batch twice, the checkpoint would differ.
#[test]
fn sharpness_aware_steps_update_running_statistics_once() {
    let _generator = generator();
    let dir = workspace();
    let checkpoint = |rho: Option<f64>| {
        let mut config = plain(dir.path(), 2);
        config.optimizer.sam_rho = rho;
        config.micro_batch = Some(9);
        let out = dir.path().join("run");
        run(&config, &out, false).unwrap();
        tensors(&artifact::read(&out.join(Manifest::CHECKPOINT)).unwrap())
    };
    let plain = checkpoint(None);
    assert!(plain.contains_key("stem.norm.running_var"));
    assert!(checkpoint(Some(1e-30)) == plain);
    assert!(checkpoint(Some(0.05)) != plain);
}

#[test]
fn separable_classes_are_learned() {
    let _generator = generator();
    let dir = workspace();
    for config in [plain(dir.path(), 8), rich(dir.path(), 8)] {
        let outcome = run(&config, &dir.path().join("run"), false).unwrap();
        let last = outcome.reports.last().unwrap();
        assert!(last.val_top1.unwrap() > 0.9, "{:?}", outcome.reports);
    }
}

#[test]
fn diverging_run_names_step_and_writes_nothing() {
    let _generator = generator();
    let dir = workspace();
    let out = dir.path().join("run");
    let diverge = |config: &TrainConfig, steps_before: usize, rate: f64| {
        let mut watch = Watch::default();
        let error = train(config, &out, false, &device(), &mut watch).unwrap_err();
        let message = error.to_string();
        assert_eq!(error.kind(), TrainErrorKind::Diverged, "{message}");
        let loss: f32 = message.split(' ').nth(3).unwrap().parse().unwrap();
        let (_, indices) = message.split_once("images ").unwrap();
        let indices: Vec<usize> = serde_json::from_str(indices).unwrap();
        assert!(!loss.is_finite());
        assert_eq!(watch.steps.len(), steps_before);
        let step = steps_before + 1;
        assert_eq!(
            message,
            format!(
                "the loss is {loss} at epoch 1, step {step} (learning rate {rate}); the batch held images {indices:?}"
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

    // The first step moves the weights out of f32's range; the learning rate is at step 1 of 8 of the cosine.
    let mut config = plain(dir.path(), 2);
    config.optimizer.learning_rate = 100.0;
    config.network.head = tailfold_spec::Head::Cosine { scale: 1e30 };
    let second = diverge(
        &config,
        1,
        50.0 * (1.0 + (std::f64::consts::PI / 8.0).cos()),
    );

    // A step with a finite loss makes infinite weights that would be saved at once: the save must not replace anything.
    config.network.head = tailfold_spec::Head::Cosine { scale: 2e37 };
    config.checkpoint_minutes = 0.0;
    let error = run(&config, &out, false).unwrap_err();
    assert_eq!(error.kind(), TrainErrorKind::Weights, "{error:?}");
    assert_eq!(error.to_string(), "the network's weights are unusable");
    let cause = error.cause().unwrap().to_string();
    let (tensor, index) = cause.split_once(" at index ").unwrap();
    assert!(index.parse::<usize>().is_ok(), "{cause}");
    let (tensor, value) = tensor.split_once("` is ").unwrap();
    assert!(tensor.starts_with("tensor `"), "{cause}");
    assert!(!value.parse::<f32>().unwrap().is_finite(), "{cause}");
    let states = fs::read_dir(out.join("resume")).unwrap().count();
    assert_eq!(states, 0);

    let mut seen = [first, second].concat();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 32);
    assert!(seen.iter().all(|&image| image < 70), "{seen:?}");
}
