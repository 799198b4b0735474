use super::*;
use crate::testing::{cosine, noise, skewed};
use crate::{Problem, Scores, entropic_energy};

/// Computes `E[p_j p_k]` below the diagonal by its definition, in `f64`.
fn naive_edges(z: &[f32], w: &[f32], dim: usize, offsets: &[f64], epsilon: f64) -> DMatrix<f64> {
    let classes = offsets.len();
    let rows = z.len() / dim;
    let mut edges = DMatrix::zeros(classes, classes);
    for z in z.chunks_exact(dim) {
        let score = |w: &[f32]| {
            w.iter()
                .zip(z)
                .map(|(w, z)| f64::from(*w) * f64::from(*z))
                .sum::<f64>()
                * 8.0
        };
        let logits: Vec<f64> = w
            .chunks_exact(dim)
            .zip(offsets)
            .map(|(w, h)| (score(w) + h) / epsilon)
            .collect();
        let max = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = logits.iter().map(|l| (l - max).exp()).sum();
        for j in 0..classes {
            for k in 0..j {
                edges[(j, k)] +=
                    (logits[j] - max).exp() * (logits[k] - max).exp() / (sum * sum * rows as f64);
            }
        }
    }
    edges
}

#[test]
fn edges_are_mean_products_of_probabilities() {
    // A high temperature uses matrix products in more than one panel, and a low one uses single pairs.
    for (n, classes, dim, epsilon) in [
        (700, 3, 2, 8.0),
        (700, 3, 2, 0.2),
        (300, 150, 16, 20.0),
        (300, 150, 16, 0.3),
    ] {
        let (z, w) = cosine(n, classes, dim, 3);
        let offsets = noise(classes, 1.0, 4);
        let mut sample = Sample::new(&Scores::product(&z, &w, dim, 8.0).unwrap(), 0, None).unwrap();
        let soft = sample.soft_cells(&offsets, epsilon, None).soft;
        let found = edges(&mut sample, &offsets, &soft, epsilon);
        let expected = naive_edges(&z, &w, dim, &offsets, epsilon);
        for j in 0..classes {
            for k in 0..j {
                // The part of a class that is left out is below NEGLIGIBLE of its mass.
                let tolerance = 1e-5 * expected[(j, k)] + 2.0 * NEGLIGIBLE * soft[j] * soft[k];
                let error = (found[(j, k)] - expected[(j, k)]).abs();
                assert!(
                    error <= tolerance,
                    "{n} {classes} {epsilon}: [{j}, {k}] is off by {error}"
                );
            }
        }
    }
}

#[test]
fn newton_step_reduces_gradient_as_predicted() {
    // H d = -g: along a short part of the step the gradient shrinks in proportion.
    let (z, w) = cosine(4_000, 9, 5, 3);
    let target = skewed(9, 0.1);
    let problem = Problem {
        scores: Scores::product(&z, &w, 5, 8.0).unwrap(),
        sample_weights: None,
        target: &target,
    };
    let offsets = noise(9, 1.0, 5);
    let (_, gradient) = entropic_energy(&problem, &offsets, 1.0).unwrap();
    let mut sample = Sample::new(&problem.scores, 0, None).unwrap();
    let soft = sample.soft_cells(&offsets, 1.0, None).soft;
    let step = Hessian::new(edges(&mut sample, &offsets, &soft, 1.0), &soft, 1.0)
        .unwrap()
        .step(&gradient)
        .unwrap();
    assert!(step.iter().sum::<f64>().abs() < 1e-12);
    let part = 1e-3;
    let moved: Vec<f64> = offsets
        .iter()
        .zip(&step)
        .map(|(h, d)| h + part * d)
        .collect();
    let (_, after) = entropic_energy(&problem, &moved, 1.0).unwrap();
    for (before, after) in gradient.iter().zip(&after) {
        assert!(
            (after - (1.0 - part) * before).abs() < 2e-6,
            "{before} became {after}"
        );
    }
}

#[test]
fn classes_without_edges_give_finite_step_or_none() {
    // Three clusters of samples, each deep inside one cell: no probability is shared.
    let scores = [1e4_f32, 0.0, 0.0, 0.0, 1e4, 0.0, 0.0, 0.0, 1e4];
    let mut sample = Sample::new(&Scores::matrix(&scores, 3).unwrap(), 0, None).unwrap();
    let soft = sample.soft_cells(&[0.0; 3], 1e-3, None).soft;
    if let Some(step) = Hessian::new(edges(&mut sample, &[0.0; 3], &soft, 1e-3), &soft, 1e-3)
        .and_then(|c| c.step(&[0.1, -0.2, 0.1]))
    {
        assert!(step.iter().all(|d| d.is_finite()));
    }
}

#[test]
fn centring_handles_largest_offsets() {
    let mut offsets = vec![f64::from(f32::MAX); 5];
    offsets[0] = -offsets[0];
    centre(&mut offsets);
    assert!(offsets.iter().all(|h| h.is_finite()));
    assert!((offsets.iter().sum::<f64>() / offsets[1]).abs() < 1e-12);
}
