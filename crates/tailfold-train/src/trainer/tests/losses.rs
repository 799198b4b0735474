//! Whole runs under each loss.

use std::path::Path;

use burn::module::Module as _;
use tailfold_spec::Manifest;

use super::{device, generator, rich, run, tensors, workspace};
use crate::config::{
    ContrastiveKind, FocalConfig, LdamConfig, LossKind, OffsetSolver, Precision, TargetMeasure,
    TrainConfig,
};
use crate::networks::Network;
use crate::weights::named_weights;

/// Like [`rich`], but without offsets, and with projected prototypes.
fn balanced(dir: &Path, epochs: usize) -> TrainConfig {
    let mut config = rich(dir, epochs);
    config.loss = LossKind::LogitAdjustment;
    config.offsets = None;
    if let Some(contrastive) = &mut config.contrastive {
        contrastive.kind = ContrastiveKind::Balanced;
    }
    config
}

/// Like [`balanced`], but with the loss whose weights begin halfway.
pub(super) fn deferred(dir: &Path, epochs: usize) -> TrainConfig {
    TrainConfig {
        loss: LossKind::Ldam,
        ldam: Some(LdamConfig {
            drw_from: 0.5,
            ..LdamConfig::default()
        }),
        ..balanced(dir, epochs)
    }
}

#[test]
fn separable_classes_are_learned_under_every_loss() {
    let _generator = generator();
    let dir = workspace();
    let focal = TrainConfig {
        loss: LossKind::Focal,
        focal: Some(FocalConfig { gamma: 1.0 }),
        ..balanced(dir.path(), 8)
    };
    for config in [focal, balanced(dir.path(), 8), deferred(dir.path(), 8)] {
        let outcome = run(&config, &dir.path().join("run"), false).unwrap();
        let (first, last) = (&outcome.reports[0], outcome.reports.last().unwrap());
        assert!(last.val_top1.unwrap() > 0.9, "{:?}", outcome.reports);
        assert!(last.contrastive_loss < first.contrastive_loss);
        assert_eq!(outcome.manifest.unwrap().loss, config.loss.as_str());
        assert_eq!(last.offsets_updates, None);
    }
}

/// The same run twice, with offsets solved on the CPU and as tensors: both are solved and give similar offsets.
#[test]
fn offsets_can_be_solved_on_training_device() {
    let _generator = generator();
    let dir = workspace();
    let solved = |solver: OffsetSolver| {
        let mut config = rich(dir.path(), 2);
        if let Some(offsets) = &mut config.offsets {
            offsets.solver = solver;
            // The minimum of soft masses is unique, while hard cells allow a range of offsets.
            offsets.temperature = 1.0;
        }
        let out = dir.path().join(format!("{solver:?}"));
        let outcome = run(&config, &out, false).unwrap();
        let updates = outcome.reports.iter().map(|r| r.offsets_updates);
        assert!(updates.sum::<Option<usize>>().unwrap() >= 2);
        outcome.manifest.unwrap().read_offsets(&out).unwrap()
    };
    let (host, device) = (solved(OffsetSolver::Cpu), solved(OffsetSolver::Device));
    assert!(!host.source.contains("device"), "{}", host.source);
    assert!(
        device.source.ends_with(", solved on the training device"),
        "{}",
        device.source
    );
    for record in [&host, &device] {
        assert!(record.chi_square <= 1e-3 && record.stop.starts_with("converged"));
    }
    for (host, device) in host.offsets.iter().zip(&device.offsets) {
        assert!((host - device).abs() < 0.1, "{host} against {device}");
    }
}

#[test]
fn separable_classes_are_learned_in_half_precision() {
    let _generator = generator();
    let dir = workspace();
    let config = TrainConfig {
        precision: Precision::Bf16,
        ..balanced(dir.path(), 8)
    };
    let (single, half) = (dir.path().join("single"), dir.path().join("half"));
    let outcome = run(&config, &half, false).unwrap();
    assert!(
        outcome.reports.last().unwrap().val_top1.unwrap() > 0.9,
        "{:?}",
        outcome.reports
    );
    // The weights differ from a single-precision run but are stored in single precision, so export and golden outputs
    // are unaffected.
    run(&balanced(dir.path(), 8), &single, false).unwrap();
    let checkpoint = |run: &Path| {
        let manifest = Manifest::read(run).unwrap();
        manifest.read_file(run, Manifest::CHECKPOINT).unwrap()
    };
    let (single, half) = (checkpoint(&single), checkpoint(&half));
    assert_ne!(single, half);
    assert_eq!(single.len(), half.len());
}

#[test]
fn checkpoint_holds_only_deployed_tensors() {
    let _generator = generator();
    let dir = workspace();
    let out = dir.path().join("run");
    run(&balanced(dir.path(), 1), &out, false).unwrap();
    let manifest = Manifest::read(&out).unwrap();
    let kept = tensors(&manifest.read_file(&out, Manifest::CHECKPOINT).unwrap());
    let device = device().without_autodiff();
    let bare = Network::new(&manifest.architecture, None, &device).materialize();
    let expect = named_weights(&bare).unwrap();
    assert!(kept.keys().eq(expect.keys()), "{:?}", kept.keys());
}

#[test]
fn offsets_are_solved_for_masses_from_file() {
    let _generator = generator();
    let dir = workspace();
    let (path, out) = (dir.path().join("prior.json"), dir.path().join("run"));
    std::fs::write(&path, "[1, 1, 6]").unwrap();
    let mut config = rich(dir.path(), 2);
    if let Some(offsets) = &mut config.offsets {
        offsets.target = TargetMeasure::File(path.clone());
        offsets.momentum = 0.0;
    }
    let outcome = run(&config, &out, false).unwrap();
    let record = outcome.manifest.unwrap().read_offsets(&out).unwrap();
    assert_eq!(record.target, [0.125, 0.125, 0.75]);
    // Four steps per epoch, of which the first and the fourth solve the offsets. At the first step of the first epoch
    // the queue is still empty, so the offsets are not solved.
    let updates: Vec<_> = outcome.reports.iter().map(|r| r.offsets_updates).collect();
    assert_eq!(updates, [Some(1), Some(2)]);
    assert!(outcome.reports[0].offsets_iterations > Some(0));
    assert_eq!(outcome.reports[1].offsets_stop, Some(record.stop));

    std::fs::write(&path, "[1, 1]").unwrap();
    let error = run(&config, &out, false).unwrap_err();
    let error = std::error::Error::source(&error).unwrap().to_string();
    let expect = format!("{} has 2 masses, the model 3 classes", path.display());
    assert_eq!(error, expect);
}
