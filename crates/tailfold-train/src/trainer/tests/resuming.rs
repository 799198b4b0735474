use std::fs;
use std::path::Path;

use tailfold_spec::{Head, Manifest, artifact};

use super::losses::deferred;
use super::{Watch, device, generator, rich, run, workspace, write_idx};
use crate::config::{SourceMeasure, TrainConfig};
use crate::error::TrainError;
use crate::report::{EpochReport, Observer};
use crate::trainer::train;

/// As [`rich`], but unwatched, and the offsets are solved on a sphere as wide as the features are long.
fn spherical(dir: &Path, epochs: usize) -> TrainConfig {
    let mut config = rich(dir, epochs);
    // Without a validation pass nothing but the saving itself brings the running statistics up to date.
    config.validation = None;
    config.network.head = Head::Linear;
    if let Some(offsets) = &mut config.offsets {
        offsets.source = SourceMeasure::Sphere;
    }
    config
}

/// Copies the state that an interruption after `epochs` epochs would leave in `out` to `target`.
struct Keep<'a> {
    out: &'a Path,
    epochs: usize,
    target: &'a Path,
}

impl Observer for Keep<'_> {
    // Comes before the state of this epoch is written: the one on disk is that of the epoch before.
    fn epoch(&mut self, report: &EpochReport) {
        if report.epoch != self.epochs + 1 {
            return;
        }
        let name = format!("resume/epoch-{:06}", self.epochs);
        let (from, to) = (self.out.join(&name), self.target.join(&name));
        fs::create_dir_all(&to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

/// Trains, and leaves in `target` what an interruption after `epochs` epochs would.
fn run_and_keep(config: &TrainConfig, out: &Path, epochs: usize, target: &Path) {
    let mut keep = Keep {
        out,
        epochs,
        target,
    };
    train(config, out, false, &device(), &mut keep).unwrap();
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

#[test]
fn an_interrupted_run_goes_on_to_the_same_bytes() {
    let _generator = generator();
    let dir = workspace();
    for (name, config) in [
        ("rich", rich(dir.path(), 4)),
        ("spherical", spherical(dir.path(), 4)),
        ("deferred", deferred(dir.path(), 4)),
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
