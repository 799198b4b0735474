use std::fs;
use std::path::Path;

use tailfold_spec::{Architecture, Body, Head, Manifest, artifact};

use super::losses::deferred;
use super::{Watch, device, generator, rich, run, workspace, write_idx};
use crate::config::{Decay, OffsetSolver, SourceMeasure, TrainConfig};
use crate::error::TrainErrorKind;
use crate::report::{Observer, StepReport};
use crate::trainer::train;
use crate::validation::RECALL;

mod crashes;

/// Like [`rich`], but without validation, and the offsets are solved on a sphere with the features' mean length as its
/// radius.
fn spherical(dir: &Path, epochs: usize) -> TrainConfig {
    let mut config = rich(dir, epochs);
    // Without a validation pass, only the save itself updates the running statistics.
    config.validation = None;
    config.network.head = Head::Linear;
    if let Some(offsets) = &mut config.offsets {
        offsets.source = SourceMeasure::Sphere;
    }
    config
}

/// Like [`rich`], but the offsets are solved as tensors.
fn on_device(dir: &Path, epochs: usize) -> TrainConfig {
    let mut config = rich(dir, epochs);
    if let Some(offsets) = &mut config.offsets {
        offsets.solver = OffsetSolver::Device;
    }
    config
}

/// Like [`rich`], with all optional parts of a step.
fn sharp(dir: &Path, epochs: usize) -> TrainConfig {
    let mut config = rich(dir, epochs);
    config.micro_batch = Some(6);
    config.optimizer.sam_rho = Some(0.05);
    config.optimizer.decay = Decay::Weights;
    config
}

/// Trains from the state in `out` until after step `stop` (epoch, step), which saves a state; returns the number of
/// steps that were already done.
fn run_until(config: &TrainConfig, out: &Path, stop: (usize, usize)) -> usize {
    let mut watch = Watch {
        stop_after: Some(stop),
        ..Watch::default()
    };
    let outcome = train(config, out, true, &device(), &mut watch).unwrap();
    assert!(outcome.manifest.is_none() && !out.join(Manifest::FILE).exists());
    assert_eq!(watch.steps.last(), Some(&stop));
    watch.started_after.unwrap()
}

/// Checks that two run folders hold the same bytes, except for the timings in `metrics.csv`.
#[track_caller]
fn assert_same_run(found: &Path, expect: &Path) {
    for file in [
        Manifest::CHECKPOINT,
        Manifest::OFFSETS,
        Manifest::GOLDEN,
        Manifest::FEATURES,
        Manifest::FILE,
        RECALL,
    ] {
        let read = |run: &Path| fs::read(run.join(file)).ok();
        assert!(read(found) == read(expect), "{file} differs");
    }
    assert_eq!(metrics(found), metrics(expect));
    assert!(!found.join("resume").exists());
}

/// Returns the rows of `metrics.csv` without the last three columns, which are timings.
fn metrics(run: &Path) -> Vec<String> {
    let text = artifact::read_to_string(&run.join("metrics.csv")).unwrap();
    let row = |line: &str| line.rsplitn(4, ',').last().unwrap().to_owned();
    text.lines().map(row).collect()
}

#[test]
fn resumed_run_gives_same_bytes() {
    let _generator = generator();
    let dir = workspace();
    for (name, config) in [
        ("rich", rich(dir.path(), 3)),
        ("spherical", spherical(dir.path(), 3)),
        ("on-device", on_device(dir.path(), 3)),
        ("deferred", deferred(dir.path(), 3)),
        ("sharp", sharp(dir.path(), 3)),
    ] {
        let straight = dir.path().join(name);
        run(&config, &straight, false).unwrap();
        // In the first epoch, after the last step of an epoch (before its validation), and in the middle of an epoch.
        for (epoch, step) in [(1, 1), (1, 4), (2, 3)] {
            let resumed = dir.path().join(format!("{name}-{epoch}-{step}"));
            assert_eq!(run_until(&config, &resumed, (epoch, step)), 0);
            let mut watch = Watch::default();
            train(&config, &resumed, true, &device(), &mut watch).unwrap();
            assert_eq!(watch.started_after, Some(4 * (epoch - 1) + step));
            assert_eq!(watch.steps.len(), 12 - (4 * (epoch - 1) + step));
            assert_same_run(&resumed, &straight);
        }
    }
}

/// One process per step, with a saved state after each: neither saving nor loading changes a bit.
#[test]
fn run_in_many_pieces_gives_same_bytes() {
    let _generator = generator();
    let dir = workspace();
    let config = rich(dir.path(), 3);
    let straight = dir.path().join("straight");
    run(&config, &straight, false).unwrap();
    let pieces = dir.path().join("pieces");
    for done in 0..12 {
        let stop = (done / 4 + 1, done % 4 + 1);
        assert_eq!(run_until(&config, &pieces, stop), done);
    }
    run(&config, &pieces, true).unwrap();
    assert_same_run(&pieces, &straight);

    let mut config = config;
    config.checkpoint_minutes = 0.0;
    let saving = dir.path().join("saving");
    run(&config, &saving, false).unwrap();
    assert_same_run(&saving, &straight);
}

#[test]
fn run_that_could_not_be_written_is_finished_later() {
    let _generator = generator();
    let dir = workspace();
    let config = rich(dir.path(), 2);
    let folder = |name: &str| dir.path().join(name);
    let straight = folder("straight");
    run(&config, &straight, false).unwrap();

    // A file at the path of a folder.
    let broken = folder("broken");
    fs::create_dir(&broken).unwrap();
    fs::write(broken.join("golden"), "").unwrap();
    let error = run(&config, &broken, false).unwrap_err();
    assert_eq!(error.kind(), TrainErrorKind::File, "{error}");
    let golden = broken.join("golden").display().to_string();
    assert!(error.to_string().contains(&golden), "{error}");
    assert!(!broken.join(Manifest::FILE).exists());
    fs::remove_file(broken.join("golden")).unwrap();
    // The last epoch is done; its validation was not saved and is computed again.
    run(&config, &broken, true).unwrap();
    assert_same_run(&broken, &straight);

    // Without a saved state, resuming starts a new run.
    let fresh = folder("fresh");
    run(&config, &fresh, true).unwrap();
    assert_same_run(&fresh, &straight);
}

#[test]
fn state_that_does_not_fit_is_refused() {
    let _generator = generator();
    let dir = workspace();
    let config = rich(dir.path(), 2);
    let out = dir.path().join("run");
    run_until(&config, &out, (1, 2));
    let folder = out.join("resume/state-000001");
    let refuse = |config: &TrainConfig| {
        let error = run(config, &out, true).unwrap_err();
        assert!(!out.join(Manifest::FILE).exists());
        error
    };
    let state = folder.join("state.json");
    let from = |file: &Path, why: &str| format!("cannot resume from {}: {why}", file.display());

    let mut other = config.clone();
    other.seed = 6;
    other.optimizer.momentum = 0.5;
    let why =
        "it belongs to a run with another configuration (optimizer.momentum: 0.9, 0.5; seed: 5, 6)";
    assert_eq!(refuse(&other).to_string(), from(&state, why));

    for file in [
        "state.json",
        "network.bpk",
        "optimizer.bpk",
        "queue.safetensors",
    ] {
        let path = folder.join(file);
        let whole = fs::read(&path).unwrap();
        let mut damaged = whole.clone();
        let middle = damaged.len() / 2;
        damaged[middle] ^= 1;
        fs::write(&path, &damaged).unwrap();
        let (found, expected) = (artifact::sha256(&damaged), artifact::sha256(&whole));
        let why = format!("sha256 is {found}, expected {expected}");
        assert_eq!(refuse(&config).to_string(), from(&path, &why));
        fs::remove_file(&path).unwrap();
        let expect = format!("cannot read {}", path.display());
        assert_eq!(refuse(&config).to_string(), expect);
        fs::write(&path, whole).unwrap();
    }

    // The state of another program, with a correct hash.
    let whole = fs::read(&state).unwrap();
    let foreign = br#"{"config": 1}"#;
    fs::write(&state, foreign).unwrap();
    fs::write(folder.join("state.sha256"), artifact::sha256(foreign)).unwrap();
    let message = refuse(&config).to_string();
    assert!(message.starts_with(&from(&state, "")), "{message}");
    fs::write(folder.join("state.sha256"), artifact::sha256(&whole)).unwrap();
    fs::write(&state, whole).unwrap();

    // Another network in the configuration, and other classes with the same configuration text.
    let check = |config: &TrainConfig, change: &dyn Fn(&mut Architecture)| {
        let error = refuse(config);
        assert_eq!(error.kind(), TrainErrorKind::Resume, "{error}");
        let saved: serde_json::Value = serde_json::from_slice(&fs::read(&state).unwrap()).unwrap();
        let found: Architecture = serde_json::from_value(saved["architecture"].clone()).unwrap();
        let mut expected = found.clone();
        change(&mut expected);
        assert_eq!(
            error.to_string(),
            format!(
                "{} holds {found:?}, but the configuration and the data make {expected:?}",
                state.display()
            )
        );
    };
    let mut wider = config.clone();
    wider.network.width = Some(5);
    check(&wider, &|a| {
        let Body::CifarResnet { width, .. } = &mut a.body else {
            panic!("{a:?}")
        };
        *width = 5;
    });
    let data = dir.path().join("data");
    write_idx(&data, "train", &[40, 20, 10, 5]);
    write_idx(&data, "t10k", &[4, 4, 4, 4]);
    check(&config, &|a| a.classes = 4);

    // The same classes, but other images.
    write_idx(&data, "train", &[40, 20, 11]);
    write_idx(&data, "t10k", &[4, 4, 4]);
    let why = "it belongs to a run on [40, 20, 10] images per class, the data now has [40, 20, 11]";
    assert_eq!(refuse(&config).to_string(), from(&state, why));

    write_idx(&data, "train", &[40, 20, 10]);
    run(&config, &out, true).unwrap();
    let error = refuse_finished(&config, &out);
    assert!(error.contains("the run is finished"), "{error}");
}

fn refuse_finished(config: &TrainConfig, out: &Path) -> String {
    run(config, out, true).unwrap_err().to_string()
}
