use tailfold_sdot::sphere_samples;

use super::*;
use crate::config::{OffsetSolver, SourceMeasure, TargetMeasure};

/// Creates offsets on the CPU back end, which both solvers can use.
fn offsets(config: OffsetConfig, target: Vec<f64>) -> OffsetState {
    OffsetState::new(config, target, 3, &Device::flex()).unwrap()
}

fn rows(values: &[f32], dim: usize) -> Tensor<2> {
    let shape = [values.len() / dim, dim];
    Tensor::from_data(TensorData::new(values.to_vec(), shape), &Device::flex())
}

/// Creates a head of `weight` `[classes, dim]` without a bias.
fn affine(weight: &[f32], dim: usize) -> Affine {
    Affine {
        weight: rows(weight, dim),
        bias: None,
    }
}

fn config(source: SourceMeasure, apply: Apply) -> OffsetConfig {
    OffsetConfig {
        source,
        target: TargetMeasure::Train,
        temperature: 0.0,
        apply,
        at_export: tailfold_spec::AtExport::Keep,
        update_every: 5,
        warmup_epochs: 1,
        momentum: 0.0,
        samples: 4000,
        solver: OffsetSolver::Auto,
    }
}

#[test]
fn frequent_class_gets_larger_cell_with_configured_sign() {
    let head = affine(&[8.0, 0.0, -8.0, 0.0], 2);
    for (apply, sign) in [(Apply::Add, 1.0), (Apply::Subtract, -1.0)] {
        let mut state = offsets(config(SourceMeasure::Sphere, apply), vec![0.9, 0.1]);
        state.update(&head, 1.0).unwrap();
        assert!(
            state.h[0] > 1.0 && (state.h[0] + state.h[1]).abs() < 1e-9,
            "{:?}",
            state.h
        );
        let shift = state.shift();
        assert!(
            (f64::from(shift[0]) - sign * state.h[0]).abs() < 1e-5,
            "{shift:?}"
        );
        assert_eq!(state.record().offsets, shift);
    }
}

#[test]
fn offsets_start_after_warmup_when_every_class_is_queued() {
    let mut state = offsets(config(SourceMeasure::Features, Apply::Add), vec![0.5, 0.5]);
    assert!(!state.is_due(0, 0) && state.is_due(1, 0) && !state.is_due(1, 3) && state.is_due(1, 5));
    let head = affine(&[1.0, 0.0, 0.0, 1.0], 2);
    state.push(rows(&[1.0, 0.0, 1.0, 0.1], 2), &[0, 0]);
    state.update(&head, 1.0).unwrap();
    assert!(state.last.is_none() && state.h == [0.0, 0.0]);
    state.push(rows(&[1.0, 0.5], 2), &[1]);
    state.update(&head, 1.0).unwrap();
    assert!(state.last.is_some());
}

#[test]
fn momentum_keeps_its_share_of_old_offsets() {
    let head = affine(&[8.0, 0.0, -8.0, 0.0], 2);
    let solved = |momentum| {
        let config = OffsetConfig {
            momentum,
            ..config(SourceMeasure::Sphere, Apply::Add)
        };
        let mut state = offsets(config, vec![0.8, 0.2]);
        state.update(&head, 1.0).unwrap();
        state.h[0]
    };
    assert!((solved(0.75) - 0.25 * solved(0.0)).abs() < 1e-9);
}

/// Returns a head with unevenly spread classes, and target masses that it does not have without offsets.
fn uneven() -> (Affine, Vec<f64>) {
    let weight = [4.0, 0.0, 0.0, -4.0, 1.0, 0.0, 0.0, -2.0, 5.0];
    (affine(&weight, 3), vec![0.7, 0.2, 0.1])
}

#[test]
fn next_solution_starts_from_last() {
    let (head, target) = uneven();
    let mut state = offsets(config(SourceMeasure::Sphere, Apply::Add), target);
    state.update(&head, 1.0).unwrap();
    let first = state.take_effort();
    assert!(first.updates == 1 && first.iterations > 1, "{first:?}");
    let h = state.h.clone();
    // The same head needs no steps, and a slightly rotated head needs fewer steps than a cold start.
    state.update(&head, 1.0).unwrap();
    let (updates, iterations) = (1, 0);
    assert_eq!(
        state.take_effort(),
        Effort {
            updates,
            iterations
        }
    );
    assert_eq!(state.h, h);
    let weight = [4.1, 0.1, 0.0, -4.0, 1.0, 0.1, 0.0, -2.1, 5.0];
    let turned = affine(&weight, 3);
    state.update(&turned, 1.0).unwrap();
    let second = state.take_effort();
    assert!(second.iterations < first.iterations, "{second:?} {first:?}");
    assert_eq!(state.take_effort(), Effort::default());
}

/// Returns the mass of each class of the weighted sample `points` under `state`'s offsets.
fn masses(state: &OffsetState, points: &[f32], weights: &[f64]) -> Vec<f64> {
    let weight = [4.0, 0.0, 0.0, -4.0, 1.0, 0.0, 0.0, -2.0, 5.0_f32];
    let mut masses = [0.0; 3];
    for (z, mass) in points.chunks_exact(3).zip(weights) {
        let score = |j: usize| -> f64 {
            let row = &weight[3 * j..3 * j + 3];
            let product: f32 = row.iter().zip(z).map(|(w, x)| w * x).sum();
            f64::from(product) + state.h[j]
        };
        let best = (0..3)
            .max_by(|&a, &b| score(a).total_cmp(&score(b)))
            .unwrap();
        masses[best] += mass;
    }
    let all: f64 = masses.iter().sum();
    masses.iter().map(|m| m / all).collect()
}

/// For every source measure, counted by hand: the offsets give the target masses on it, but not on the other measures.
#[test]
fn offsets_meet_target_only_on_their_source() {
    let (head, target) = uneven();
    // 900 points around class 0's axis, 90 around class 1's, 10 around class 2's, each a third of a cloud.
    let cloud = sphere_samples(1000, 3, 8);
    let labels: Vec<i32> = (0..1000)
        .map(|i| if i < 900 { 0 } else { 1 + i32::from(i >= 990) })
        .collect();
    let features: Vec<f32> = cloud
        .chunks_exact(3)
        .zip(&labels)
        .flat_map(|(z, &y)| {
            (0..3_u8).map(move |k| z[usize::from(k)] + if y == i32::from(k) { 1.0 } else { 0.0 })
        })
        .collect();
    let balanced: Vec<f64> = labels
        .iter()
        .map(|&y| 1.0 / [900.0, 90.0, 10.0][usize::try_from(y).unwrap()])
        .collect();
    let sphere = sphere_samples(4000, 3, 3);
    let measures = [
        (SourceMeasure::Sphere, &sphere, vec![1.0; 4000]),
        (SourceMeasure::Features, &features, vec![1.0; 1000]),
        (SourceMeasure::BalancedFeatures, &features, balanced),
    ];
    for (source, ..) in &measures {
        for solver in [OffsetSolver::Cpu, OffsetSolver::Device] {
            let config = OffsetConfig {
                solver,
                ..config(*source, Apply::Add)
            };
            let mut state = offsets(config, target.clone());
            state.push(rows(&features, 3), &labels);
            state.update(&head, 1.0).unwrap();
            for (other, points, weights) in &measures {
                let found = masses(&state, points, weights);
                let squares = found.iter().zip(&target);
                let chi: f64 = squares.map(|(m, nu)| (m - nu).powi(2) / nu).sum();
                // The offsets are solved to 1e-3, and the three measures differ much more.
                if source == other {
                    assert!(chi < 1.1e-3, "{solver:?}, {source:?}: {found:?}");
                } else {
                    assert!(chi > 0.02, "{solver:?}, {source:?} on {other:?}: {found:?}");
                }
            }
        }
    }
}

#[test]
fn configured_solver_is_used_if_it_fits() {
    let place = |solver, classes: usize| {
        let config = OffsetConfig {
            solver,
            ..config(SourceMeasure::Sphere, Apply::Add)
        };
        let target = vec![1.0 / classes as f64; classes];
        let state = OffsetState::new(config, target, 3, &Device::flex());
        state.map(|state| state.place).map_err(|e| e.to_string())
    };
    // These tests always train on the CPU.
    assert_eq!(place(OffsetSolver::Auto, 512), Ok(Place::Host));
    assert_eq!(place(OffsetSolver::Cpu, 513), Ok(Place::Host));
    assert_eq!(place(OffsetSolver::Device, 512), Ok(Place::Device));
    let message =
        "offsets.solver is `device` for 513 classes, expected `cpu` or `auto` for more than 512";
    assert_eq!(place(OffsetSolver::Device, 513), Err(message.to_owned()));
}

#[test]
fn mean_softmax_at_temperature_matches_target() {
    let (head, target) = uneven();
    let hard_config = config(SourceMeasure::Sphere, Apply::Add);
    let config = OffsetConfig {
        temperature: 4.0,
        ..hard_config.clone()
    };
    let mut state = offsets(config, target.clone());
    state.update(&head, 1.0).unwrap();
    let sphere = sphere_samples(4000, 3, 3);
    let mut mean = vec![0.0; target.len()];
    for z in sphere.chunks_exact(3) {
        let weight = [4.0, 0.0, 0.0, -4.0, 1.0, 0.0, 0.0, -2.0, 5.0_f32];
        let score = |j: usize| {
            (0..3)
                .map(|k| f64::from(weight[3 * j + k] * z[k]))
                .sum::<f64>()
        };
        let e: Vec<f64> = (0..3)
            .map(|j| ((score(j) + state.h[j]) / 4.0).exp())
            .collect();
        let sum: f64 = e.iter().sum();
        for (mean, e) in mean.iter_mut().zip(e) {
            *mean += e / sum / 4000.0;
        }
    }
    for (class, (mean, nu)) in mean.iter().zip(&target).enumerate() {
        // The solver stops at a chi-square of at most 1e-3.
        assert!(
            (mean - nu).abs() <= (1e-3 * nu).sqrt(),
            "class {class}: {mean} against {nu}"
        );
    }
    // The offsets for hard cells differ, because they solve another problem.
    let mut hard = offsets(hard_config, target);
    hard.update(&head, 1.0).unwrap();
    let apart = state.h.iter().zip(&hard.h).map(|(a, b)| (a - b).abs());
    let apart = apart.fold(0.0, f64::max);
    assert!(apart > 0.2, "{:?} against {:?}", state.h, hard.h);
    assert_eq!(state.record().stop, "converged");
}

#[test]
fn target_comes_from_rule_or_file() {
    let classes = ["cat", "dog"].map(str::to_owned);
    let masses = |target: TargetMeasure| target.prior(&classes).unwrap().masses(&[30, 10]).unwrap();
    assert_eq!(masses(TargetMeasure::Uniform), [0.5, 0.5]);
    assert_eq!(masses(TargetMeasure::Train), [0.75, 0.25]);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("prior.json");
    tailfold_spec::artifact::write(&path, br#"{"dog": 7, "cat": 1}"#).unwrap();
    assert_eq!(masses(TargetMeasure::File(path.clone())), [0.125, 0.875]);
    tailfold_spec::artifact::write(&path, br#"{"dog": 7}"#).unwrap();
    let error = TargetMeasure::File(path.clone())
        .prior(&classes)
        .unwrap_err();
    let expect = format!("{} has no mass for class `cat`", path.display());
    assert_eq!(error.to_string(), expect);
}
