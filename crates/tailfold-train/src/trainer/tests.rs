use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use burn::prelude::*;
use safetensors::SafeTensors;
use tailfold_spec::artifact;

use super::*;
use crate::evaluate::to_host;
use crate::resnet::Network;
use crate::weights::{NamedWeights, load_weights};

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

/// As [`rich`], but the offsets are solved on a sphere as wide as the features are long.
fn spherical(dir: &Path, epochs: usize) -> TrainConfig {
    let mut config = rich(dir, epochs);
    config.network.head = tailfold_spec::Head::Linear;
    if let Some(offsets) = &mut config.offsets {
        offsets.source = crate::config::SourceMeasure::Sphere;
    }
    config
}

/// Watches a run; after `keep.0` epochs it keeps a copy of the state that an interruption would leave.
#[derive(Default)]
struct Watch {
    out: PathBuf,
    keep: Option<(usize, PathBuf)>,
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

    // Comes before the state of this epoch is written: the one on disk is that of the epoch before.
    fn epoch(&mut self, report: &EpochReport) {
        if let Some((epochs, target)) = &self.keep
            && report.epoch == epochs + 1
        {
            let name = format!("resume/epoch-{epochs:06}");
            let (from, to) = (self.out.join(&name), target.join(&name));
            fs::create_dir_all(&to).unwrap();
            for entry in fs::read_dir(from).unwrap() {
                let entry = entry.unwrap();
                fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
            }
        }
    }
}

fn run(config: &TrainConfig, out: &Path, resume: bool) -> Result<Outcome, TrainError> {
    train(config, out, resume, &device(), &mut Watch::default())
}

/// Trains, and leaves in `target` what an interruption after `epochs` epochs would.
fn run_and_keep(config: &TrainConfig, out: &Path, epochs: usize, target: &Path) -> Outcome {
    let mut watch = Watch {
        out: out.to_owned(),
        keep: Some((epochs, target.to_owned())),
        ..Watch::default()
    };
    train(config, out, false, &device(), &mut watch).unwrap()
}

/// Two run folders hold the same bytes, `metrics.csv` with its clock aside.
fn assert_same_run(found: &Path, expect: &Path) {
    for file in [
        Manifest::CHECKPOINT,
        Manifest::OFFSETS,
        Manifest::GOLDEN,
        Manifest::FEATURES,
        Manifest::FILE,
    ] {
        let read = |run: &Path| artifact::read(&run.join(file)).unwrap();
        assert!(read(found) == read(expect), "{file} differs");
    }
    assert_eq!(metrics(found), metrics(expect));
}

/// The rows of `metrics.csv` without `images_per_second`, the last column.
fn metrics(run: &Path) -> Vec<String> {
    let text = artifact::read_to_string(&run.join("metrics.csv")).unwrap();
    let row = |line: &str| line.rsplit_once(',').unwrap().0.to_owned();
    text.lines().map(row).collect()
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
fn an_interrupted_run_goes_on_to_the_same_bytes() {
    let _generator = generator();
    let dir = workspace();
    for (name, config) in [
        ("rich", rich(dir.path(), 4)),
        ("spherical", spherical(dir.path(), 4)),
    ] {
        for epochs in [1, 2, 3] {
            let straight = dir.path().join(name);
            let resumed = dir.path().join(format!("{name}-after-{epochs}"));
            run_and_keep(&config, &straight, epochs, &resumed);
            let mut watch = Watch::default();
            train(&config, &resumed, true, &device(), &mut watch).unwrap();
            assert_eq!(watch.started_after, Some(epochs));
            assert_eq!(watch.steps[0], (epochs + 1, 1));
            assert_same_run(&resumed, &straight);
            assert!(!resumed.join("resume").exists());
        }
    }
}

#[test]
fn a_run_that_could_not_be_written_is_finished_later() {
    let _generator = generator();
    let dir = workspace();
    let config = rich(dir.path(), 2);
    let folder = |name: &str| dir.path().join(name);
    let straight = folder("straight");
    run(&config, &straight, false).unwrap();

    // A file where a folder should be.
    let broken = folder("broken");
    fs::create_dir(&broken).unwrap();
    fs::write(broken.join("golden"), "").unwrap();
    let error = run(&config, &broken, false).unwrap_err();
    assert!(matches!(error, TrainError::File(_)), "{error}");
    assert!(!broken.join(Manifest::FILE).exists());
    fs::remove_file(broken.join("golden")).unwrap();
    run(&config, &broken, true).unwrap();
    assert_same_run(&broken, &straight);

    // Nothing to go on from is no fault.
    let fresh = folder("fresh");
    run(&config, &fresh, true).unwrap();
    assert_same_run(&fresh, &straight);
}

#[test]
fn a_state_that_does_not_fit_is_refused() {
    let _generator = generator();
    let dir = workspace();
    let config = rich(dir.path(), 2);
    let out = dir.path().join("interrupted");
    run_and_keep(&config, &dir.path().join("straight"), 1, &out);
    let folder = out.join("resume/epoch-000001");
    let refuse = |config: &TrainConfig| {
        let error = run(config, &out, true).unwrap_err();
        assert!(!out.join(Manifest::FILE).exists());
        error.to_string()
    };
    let state = folder.join("state.json");
    let from = |file: &Path, why: &str| format!("cannot resume from {}: {why}", file.display());

    let other = TrainConfig {
        seed: 6,
        ..config.clone()
    };
    let why = "it belongs to a run with another configuration";
    assert_eq!(refuse(&other), from(&state, why));

    for file in ["state.json", "network.bpk", "optimizer.bpk"] {
        let path = folder.join(file);
        let whole = fs::read(&path).unwrap();
        let mut damaged = whole.clone();
        let middle = damaged.len() / 2;
        damaged[middle] ^= 1;
        fs::write(&path, &damaged).unwrap();
        let (found, expected) = (artifact::sha256(&damaged), artifact::sha256(&whole));
        let why = format!("sha256 is {found}, expected {expected}");
        assert_eq!(refuse(&config), from(&path, &why));
        fs::remove_file(&path).unwrap();
        assert_eq!(refuse(&config), format!("cannot read {}", path.display()));
        fs::write(&path, whole).unwrap();
    }

    // Another program's state, whole in itself.
    let whole = fs::read(&state).unwrap();
    let foreign = br#"{"config": 1}"#;
    fs::write(&state, foreign).unwrap();
    fs::write(folder.join("state.sha256"), artifact::sha256(foreign)).unwrap();
    let message = refuse(&config);
    assert!(
        message.starts_with(&from(&state, "invalid type")),
        "{message}"
    );
    fs::write(folder.join("state.sha256"), artifact::sha256(&whole)).unwrap();
    fs::write(&state, whole).unwrap();

    // The same configuration, but other classes behind its words.
    let data = dir.path().join("data");
    write_idx(&data, "train", &[40, 20, 10, 5]);
    write_idx(&data, "t10k", &[4, 4, 4, 4]);
    let message = refuse(&config);
    assert!(
        message.starts_with(&from(&folder.join("network.bpk"), "")),
        "{message}"
    );
    write_idx(&data, "train", &[40, 20, 10]);
    write_idx(&data, "t10k", &[4, 4, 4]);

    run(&config, &out, true).unwrap();
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
