use tailfold_sdot::{
    Masses, Options, Problem, Scores, cell_masses, entropic_energy, sphere_samples,
};

use super::*;

const DIM: usize = 5;
const CLASSES: usize = 7;
const SCALE: f32 = 12.0;

struct Case {
    /// Points `[n, DIM]`.
    points: Vec<f32>,
    /// Weights of the head, `[CLASSES, DIM]`.
    weight: Vec<f32>,
    bias: Vec<f32>,
    /// Weights of the points, `[n]`, which do not sum to 1.
    weights: Vec<f64>,
    /// Scores `[n, CLASSES]`.
    scores: Vec<f32>,
}

fn matrix(values: &[f32], columns: usize) -> Tensor<2> {
    let shape = [values.len() / columns, columns];
    Tensor::from_data(TensorData::new(values.to_vec(), shape), &Device::flex())
}

impl Case {
    fn new(n: usize) -> Self {
        let points = sphere_samples(n, DIM, 11);
        let weight: Vec<f32> = sphere_samples(CLASSES, DIM, 12)
            .iter()
            .map(|w| w * SCALE)
            .collect();
        let bias: Vec<f32> = sphere_samples(1, CLASSES, 13);
        let weights = (0..n).map(|i| 0.5 + f64::from(u8::try_from(i % 5).unwrap()));
        let scores = points.chunks_exact(DIM).flat_map(|z| {
            let product = |w: &[f32]| z.iter().zip(w).map(|(z, w)| z * w).sum::<f32>();
            let rows = weight.chunks_exact(DIM).zip(&bias);
            rows.map(|(w, b)| product(w) + b).collect::<Vec<_>>()
        });
        Self {
            scores: scores.collect(),
            weights: weights.collect(),
            points,
            weight,
            bias,
        }
    }

    fn sample(&self) -> TensorSample {
        let head = Affine {
            weight: matrix(&self.weight, DIM),
            bias: Some(Tensor::from_floats(self.bias.as_slice(), &Device::flex())),
        };
        TensorSample::new(matrix(&self.points, DIM), Some(&self.weights), &head)
    }

    fn problem<'a>(&'a self, target: &'a [f64]) -> Problem<'a> {
        let scores = Scores::matrix(&self.scores, CLASSES).unwrap();
        let mut problem = Problem::new(scores, target);
        problem.sample_weights = Some(&self.weights);
        problem
    }
}

fn skewed() -> Vec<f64> {
    let raw: Vec<f64> = (0..7_i32).map(|k| 0.6_f64.powi(k)).collect();
    let sum: f64 = raw.iter().sum();
    raw.iter().map(|v| v / sum).collect()
}

#[track_caller]
fn close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (class, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (found - expected).abs();
        assert!(error <= tolerance, "{class}: {found} against {expected}");
    }
}

#[test]
fn sums_match_cpu() {
    let case = Case::new(3_001);
    let target = skewed();
    let problem = case.problem(&target);
    let mut sample = case.sample();
    assert_eq!((sample.rows(), sample.num_classes()), (3_001, CLASSES));
    let all: f64 = case.weights.iter().sum();
    assert!((sample.largest_weight() - 4.5 / all).abs() < 1e-12);
    let offsets = [0.5, -1.0, 2.0, 0.0, -0.75, -0.5, -0.25];
    let hard = cell_masses(&problem.scores, problem.sample_weights, &offsets).unwrap();
    close(&sample.hard_masses(&offsets).unwrap(), &hard, 1e-6);
    for epsilon in [4.0, 1.0, 0.05] {
        let (energy, gradient) = entropic_energy(&problem, &offsets, epsilon).unwrap();
        let moved: f64 = target.iter().zip(&offsets).map(|(nu, h)| nu * h).sum();
        let soft: Vec<f64> = gradient.iter().zip(&target).map(|(g, nu)| g + nu).collect();
        let sums = sample.soft_masses(&offsets, epsilon).unwrap();
        close(&[sums.energy], &[energy + moved], 2e-5);
        close(&sums.soft, &soft, 2e-6);
        close(&sums.hard, &hard, 1e-6);
        // Each row and each column of the products sums to its class's mass.
        let pairs = sample.pairs(&offsets, epsilon).unwrap();
        let rows: Vec<f64> = pairs
            .chunks_exact(CLASSES)
            .map(|row| row.iter().sum())
            .collect();
        close(&rows, &soft, 2e-6);
        close(&[pairs[1]], &[pairs[CLASSES]], 1e-7);
    }
}

#[test]
fn tie_counts_for_one_class() {
    let head = Affine {
        weight: matrix(&[1.0, 0.0, 1.0, 0.0, 0.0, 1.0], 2),
        bias: None,
    };
    let mut sample = TensorSample::new(matrix(&[1.0, 0.0, 0.0, 1.0, 2.0, 0.0], 2), None, &head);
    let mass = sample.hard_masses(&[0.0; 3]).unwrap();
    close(&mass, &[2.0 / 3.0, 0.0, 1.0 / 3.0], 1e-6);
}

/// The stated tolerance: 0.001 for the offsets of soft masses, where scores reach 12; 2 % for the chi-squares of hard
/// masses.
#[test]
fn solutions_match_cpu() {
    let case = Case::new(4_096);
    let target = skewed();
    let problem = case.problem(&target);
    for epsilon in [1.0, 0.25] {
        let options = |chi_square| {
            let mut options = Options::default();
            options.masses = Masses::Soft { epsilon };
            options.chi_square = chi_square;
            options
        };
        let there = tailfold_sdot::solve_on(&mut case.sample(), &target, &options(1e-8)).unwrap();
        let here = tailfold_sdot::solve(&problem, &options(1e-12)).unwrap();
        assert_eq!(there.stop, tailfold_sdot::Stop::Converged);
        close(&there.offsets, &here.offsets, 1e-3);
    }
    let options = Options::default();
    let there = tailfold_sdot::solve_on(&mut case.sample(), &target, &options).unwrap();
    assert_eq!(there.stop, tailfold_sdot::Stop::Converged);
    let mass = cell_masses(&problem.scores, problem.sample_weights, &there.offsets).unwrap();
    let chi: f64 = mass
        .iter()
        .zip(&target)
        .map(|(m, nu)| (m - nu).powi(2) / nu)
        .sum();
    assert!(chi <= 1.02e-3, "{chi}");
}
