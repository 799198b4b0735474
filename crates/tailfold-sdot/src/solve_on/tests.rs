use super::*;
use crate::testing::{cosine, skewed};
use crate::{DeviceFailure, DeviceSums};
use crate::{Problem, Scores, SolveErrorKind, Stop, cell_masses, entropic_energy, solve};

/// A simulated device in single precision, which fails after a number of calls.
struct Pretended {
    /// Scores `[n, C]`.
    scores: Vec<f32>,
    classes: usize,
    weights: Vec<f32>,
    questions: usize,
}

const ALL: usize = usize::MAX;

impl Pretended {
    fn new(z: &[f32], w: &[f32], dim: usize, scale: f32, questions: usize) -> Self {
        let product = |z: &[f32], w: &[f32]| z.iter().zip(w).map(|(z, w)| z * w).sum::<f32>();
        let scores: Vec<f32> = z
            .chunks_exact(dim)
            .flat_map(|z| w.chunks_exact(dim).map(move |w| scale * product(z, w)))
            .collect();
        let rows = z.len() / dim;
        Self {
            scores,
            classes: w.len() / dim,
            weights: vec![1.0 / rows as f32; rows],
            questions,
        }
    }

    fn asked(&mut self) -> Result<(), DeviceFailure> {
        self.questions = self.questions.checked_sub(1).ok_or("the cable is out")?;
        Ok(())
    }

    /// Calls `visit` with the weight, the class, the largest `s + h` and `exp((s + h - max) / epsilon)` of each row.
    fn each(&self, offsets: &[f64], epsilon: f64, mut visit: impl FnMut(f64, usize, f32, &[f32])) {
        for (row, weight) in self.scores.chunks_exact(self.classes).zip(&self.weights) {
            let narrow = |v: f64| format!("{v}").parse::<f32>().unwrap();
            let moved: Vec<f32> = row
                .iter()
                .zip(offsets)
                .map(|(s, &h)| s + narrow(h))
                .collect();
            let mut class = 0;
            for other in 1..moved.len() {
                if moved[other] > moved[class] {
                    class = other;
                }
            }
            let max = moved[class];
            let e = moved.iter().map(|v| ((v - max) / narrow(epsilon)).exp());
            visit(f64::from(*weight), class, max, &e.collect::<Vec<_>>());
        }
    }
}

impl DeviceSample for Pretended {
    fn rows(&self) -> usize {
        self.weights.len()
    }

    fn num_classes(&self) -> usize {
        self.classes
    }

    fn largest_weight(&self) -> f64 {
        f64::from(self.weights[0])
    }

    fn spread(&mut self) -> Result<f64, DeviceFailure> {
        self.asked()?;
        let classes = self.classes as f64;
        let variance = |row: &[f32]| {
            let mean = row.iter().map(|&s| f64::from(s)).sum::<f64>() / classes;
            let squares = row.iter().map(|&s| (f64::from(s) - mean).powi(2));
            squares.sum::<f64>() / classes
        };
        let rows = self.scores.chunks_exact(self.classes);
        let sum: f64 = rows.map(variance).sum();
        Ok((sum / self.rows() as f64).sqrt())
    }

    fn hard_masses(&mut self, offsets: &[f64]) -> Result<Vec<f64>, DeviceFailure> {
        Ok(self.soft_masses(offsets, 1.0)?.hard)
    }

    fn soft_masses(&mut self, offsets: &[f64], epsilon: f64) -> Result<DeviceSums, DeviceFailure> {
        self.asked()?;
        let (mut energy, mut soft) = (0.0, vec![0.0; self.classes]);
        let mut hard = soft.clone();
        self.each(offsets, epsilon, |weight, class, max, e| {
            let sum: f32 = e.iter().sum();
            energy += weight * (f64::from(max) + epsilon * f64::from(sum.ln()));
            hard[class] += weight;
            for (mass, e) in soft.iter_mut().zip(e) {
                *mass += weight * f64::from(e / sum);
            }
        });
        Ok(DeviceSums { energy, soft, hard })
    }

    fn pairs(&mut self, offsets: &[f64], epsilon: f64) -> Result<Vec<f64>, DeviceFailure> {
        self.asked()?;
        let classes = self.classes;
        let mut pairs = vec![0.0; classes * classes];
        self.each(offsets, epsilon, |weight, _, _, e| {
            let sum: f32 = e.iter().sum();
            for (j, row) in pairs.chunks_exact_mut(classes).enumerate() {
                for (pair, other) in row.iter_mut().zip(e) {
                    *pair += weight * f64::from(e[j] / sum) * f64::from(other / sum);
                }
            }
        });
        Ok(pairs)
    }
}

fn soft(epsilon: f64, chi_square: f64) -> Options {
    Options {
        masses: Masses::Soft { epsilon },
        chi_square,
        ..Options::default()
    }
}

#[test]
fn device_finds_same_cells_as_process() {
    let (z, w) = cosine(6_000, 12, 8, 4);
    let target = skewed(12, 0.05);
    let scores = Scores::product(&z, &w, 8, 16.0).unwrap();
    let problem = Problem {
        scores,
        sample_weights: None,
        target: &target,
    };
    let here = solve(&problem, &Options::default()).unwrap();
    let mut device = Pretended::new(&z, &w, 8, 16.0, ALL);
    let there = solve_on(&mut device, &target, &Options::default()).unwrap();
    assert_eq!((here.stop, there.stop), (Stop::Converged, Stop::Converged));
    assert_eq!(there.method, Method::Newton);
    let mass = cell_masses(&scores, None, &there.offsets).unwrap();
    let chi: f64 = mass
        .iter()
        .zip(&target)
        .map(|(m, nu)| (m - nu).powi(2) / nu)
        .sum();
    assert!(chi <= 1.02e-3, "{chi}");
    // A solve from its own solution makes no steps.
    let warm = Options {
        warm_start: Some(there.offsets.clone()),
        ..Options::default()
    };
    let again = solve_on(&mut device, &target, &warm).unwrap();
    assert_eq!((again.iterations, again.stop), (0, Stop::Converged));
}

#[test]
fn device_finds_minimum_of_entropic_energy() {
    let (z, w) = cosine(4_000, 9, 5, 5);
    let target = skewed(9, 0.02);
    let scores = Scores::product(&z, &w, 5, 16.0).unwrap();
    let problem = Problem {
        scores,
        sample_weights: None,
        target: &target,
    };
    let mut device = Pretended::new(&z, &w, 5, 16.0, ALL);
    let here = solve(&problem, &soft(0.5, 1e-12)).unwrap();
    let there = solve_on(&mut device, &target, &soft(0.5, 1e-8)).unwrap();
    assert_eq!(there.stop, Stop::Converged);
    let apart = here
        .offsets
        .iter()
        .zip(&there.offsets)
        .map(|(a, b)| (a - b).abs());
    let apart = apart.fold(0.0, f64::max);
    assert!(apart < 2e-3, "{apart}");
    let (_, gradient) = entropic_energy(&problem, &there.offsets, 0.5).unwrap();
    let chi: f64 = gradient.iter().zip(&target).map(|(g, nu)| g * g / nu).sum();
    assert!(chi < 1.1e-8, "{chi}");
}

#[test]
fn device_error_ends_search() {
    let (z, w) = cosine(500, 4, 3, 6);
    let target = skewed(4, 0.1);
    for questions in 0..6 {
        for options in [Options::default(), soft(0.5, 1e-6)] {
            let mut device = Pretended::new(&z, &w, 3, 16.0, questions);
            let error = solve_on(&mut device, &target, &options).unwrap_err();
            assert_eq!(
                error.to_string(),
                "the device of the sample: the cable is out"
            );
        }
    }
}

#[test]
fn scores_that_are_not_finite_are_error() {
    let (z, w) = cosine(500, 4, 3, 6);
    for bad in [f32::NAN, f32::INFINITY] {
        let mut device = Pretended::new(&z, &w, 3, 16.0, ALL);
        device.scores[37] = bad;
        let error = solve_on(&mut device, &[0.25; 4], &Options::default()).unwrap_err();
        let message = "the device of the sample: the scores are not finite, they spread by NaN";
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn unsupported_request_is_refused_before_search() {
    let (z, w) = cosine(700, 600, 3, 6);
    let mut device = Pretended::new(&z, &w, 3, 16.0, 0);
    let many = solve_on(&mut device, &skewed(600, 0.1), &Options::default()).unwrap_err();
    let limit = crate::MAX_NEWTON_CLASSES;
    let expected = SolveErrorKind::TooManyClasses.error(format!(
        "{classes} classes are more than the method `newton` takes ({limit}): its matrices hold \
         classes x classes values. `newton-cg` has no limit",
        classes = 600
    ));
    assert_eq!(many, expected);
    let mut device = Pretended::new(&z, &w[..12], 3, 16.0, 0);
    let fine = solve_on(&mut device, &[0.25; 4], &soft(0.5, 1e-9)).unwrap_err();
    assert_eq!(
        fine.to_string(),
        "chi_square is 0.000000001, expected 1e-8 or more on a device"
    );
    let short = solve_on(&mut device, &[0.5; 2], &Options::default()).unwrap_err();
    assert_eq!(short.to_string(), "target masses have 2 values, expected 4");
}
