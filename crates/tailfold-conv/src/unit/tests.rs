use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use reference::{Case, EPSILON};

mod reference;

/// All results and gradients of a unit.
#[derive(Debug, Clone, PartialEq)]
struct Results {
    u: Vec<f32>,
    y: Vec<f32>,
    mean: Vec<f32>,
    variance: Vec<f32>,
    dx: Vec<f32>,
    dr: Vec<f32>,
    conv: Vec<f32>,
    gamma: Vec<f32>,
    beta: Vec<f32>,
    inferred: Vec<f32>,
}

fn shape(
    (n, h, w): (usize, usize, usize),
    (c_in, c_out): (usize, usize),
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
) -> ConvShape {
    ConvShape {
        n,
        input: [h, w],
        c_in,
        c_out,
        kernel,
        stride,
        padding,
    }
}

fn shapes() -> Vec<ConvShape> {
    vec![
        shape((2, 9, 32), (16, 16), [3, 3], [1, 1], [1, 1]),
        shape((3, 7, 10), (3, 16), [3, 3], [1, 1], [1, 1]),
        shape((2, 8, 14), (16, 32), [3, 3], [2, 2], [1, 1]),
        shape((2, 7, 9), (16, 32), [3, 3], [2, 2], [1, 1]),
        shape((17, 5, 8), (32, 64), [3, 3], [1, 1], [1, 1]),
        shape((1, 6, 5), (5, 7), [3, 3], [1, 1], [0, 0]),
        shape((2, 6, 7), (64, 20), [1, 1], [1, 1], [0, 0]),
        shape((2, 7, 6), (18, 48), [1, 1], [2, 2], [0, 0]),
        shape((2, 9, 8), (4, 6), [5, 5], [1, 1], [2, 2]),
        shape((1, 15, 18), (3, 10), [7, 7], [2, 2], [3, 3]),
        shape((2, 6, 9), (2, 33), [2, 3], [3, 2], [1, 2]),
        shape((2, 3, 3), (3, 4), [3, 3], [1, 1], [4, 3]),
        shape((3, 1, 1), (40, 24), [1, 1], [1, 1], [0, 0]),
    ]
}

fn case(shape: ConvShape, activate: bool, seed: u64) -> Case {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut draw = |n: usize| -> Vec<f32> { (0..n).map(|_| rng.random_range(-1.0..1.0)).collect() };
    let [h, w] = shape.output().unwrap();
    let out = shape.n * h * w * shape.c_out;
    Case {
        shape,
        activate,
        x: draw(shape.n * shape.input_len()),
        conv: draw(shape.weight_len()),
        gamma: draw(shape.c_out),
        beta: draw(shape.c_out),
        residual: draw(out),
        grad: draw(out),
    }
}

fn run(case: &Case, isa: Isa) -> Results {
    let unit = Unit::new(isa, case.shape, case.activate).unwrap();
    let weights = Weights {
        conv: &case.conv,
        gamma: &case.gamma,
        beta: &case.beta,
        epsilon: EPSILON,
    };
    let residual = Some(case.residual.as_slice());
    let trained = unit.forward(&case.x, weights, residual, [vec![f32::NAN; 3], vec![]]);
    let inferred = unit.infer(
        &case.x,
        weights,
        [&trained.mean, &trained.variance],
        residual,
        vec![f32::NAN; 5000],
    );
    let tape = Tape {
        x: &case.x,
        u: &trained.u,
        y: &trained.y,
        mean: &trained.mean,
        variance: &trained.variance,
    };
    let mut dx = vec![0.0; case.x.len()];
    let mut dr = vec![0.0; case.residual.len()];
    let images = ImageGradients {
        x: Some(&mut dx),
        add_x: false,
        residual: Some(&mut dr),
    };
    let gradients = unit.backward(tape, weights, &case.grad, images);
    Results {
        u: trained.u,
        y: trained.y,
        mean: trained.mean,
        variance: trained.variance,
        dx,
        dr,
        conv: gradients.conv,
        gamma: gradients.gamma,
        beta: gradients.beta,
        inferred,
    }
}

/// Largest absolute difference, divided by the reference's largest value.
fn distance(found: &[f32], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let scale = expected.iter().fold(1e-3f64, |most, e| most.max(e.abs()));
    let differences = found
        .iter()
        .zip(expected)
        .map(|(f, e)| (f64::from(*f) - e).abs());
    differences.fold(0.0, |most, d| if d <= most { most } else { d }) / scale
}

#[test]
fn agrees_with_the_definition_in_double_precision() {
    // Sums of up to a few thousand products in single precision: tens of units in the last place (6e-8).
    const TOLERANCE: f64 = 2e-5;
    for (i, shape) in shapes().into_iter().enumerate() {
        for activate in [true, false] {
            let case = case(shape, activate, i as u64);
            let (found, expected) = (run(&case, Isa::detect()), case.reference());
            let pairs = [
                ("u", &found.u, &expected.u),
                ("y", &found.y, &expected.y),
                ("inferred", &found.inferred, &expected.y),
                ("mean", &found.mean, &expected.mean),
                ("variance", &found.variance, &expected.variance),
                ("dx", &found.dx, &expected.dx),
                ("dr", &found.dr, &expected.dr),
                ("conv", &found.conv, &expected.conv),
                ("gamma", &found.gamma, &expected.gamma),
                ("beta", &found.beta, &expected.beta),
            ];
            for (name, found, expected) in pairs {
                let distance = distance(found, expected);
                assert!(distance < TOLERANCE, "{name} of {shape:?}: {distance:e}");
            }
        }
    }
}

#[test]
fn every_isa_and_thread_count_gives_same_bits() {
    for (i, shape) in shapes().into_iter().enumerate() {
        let case = case(shape, true, 100 + i as u64);
        let expected = run(&case, Isa::Portable);
        for isa in Isa::available() {
            for threads in [1, 2, 5] {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
                let found = pool.build().unwrap().install(|| run(&case, isa));
                assert!(found == expected, "{isa:?}, {threads} threads, {shape:?}");
            }
        }
    }
}

#[test]
fn gradient_is_added_to_existing_values() {
    for (i, shape) in shapes().into_iter().enumerate() {
        let case = case(shape, true, 200 + i as u64);
        let isa = Isa::detect();
        let alone = run(&case, isa);
        let unit = Unit::new(isa, shape, true).unwrap();
        let weights = Weights {
            conv: &case.conv,
            gamma: &case.gamma,
            beta: &case.beta,
            epsilon: EPSILON,
        };
        let tape = Tape {
            x: &case.x,
            u: &alone.u,
            y: &alone.y,
            mean: &alone.mean,
            variance: &alone.variance,
        };
        let mut sum: Vec<f32> = case.x.clone();
        let images = ImageGradients {
            x: Some(&mut sum),
            add_x: true,
            residual: None,
        };
        unit.backward(tape, weights, &case.grad, images);
        let expected: Vec<f32> = case.x.iter().zip(&alone.dx).map(|(x, d)| x + d).collect();
        assert!(sum == expected, "{shape:?}");
    }
}

#[test]
fn nan_input_reaches_results_and_gradients() {
    let mut case = case(shapes()[0], true, 7);
    case.x[100] = f32::NAN;
    let found = run(&case, Isa::detect());
    assert!(found.u.iter().any(|v| v.is_nan()));
    // One value spoils the statistics of every channel, and so every result and gradient.
    let all = [&found.y, &found.mean, &found.variance, &found.inferred];
    assert!(all.iter().all(|values| values.iter().all(|v| v.is_nan())));
    assert!(found.dx.iter().all(|v| v.is_nan()));
    assert!(found.gamma.iter().all(|v| v.is_nan()));
}

#[test]
fn invalid_shape_is_error() {
    let kernel = shape((1, 2, 3), (1, 1), [4, 3], [1, 1], [0, 0]);
    let error = Unit::new(Isa::Portable, kernel, true).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a kernel of [4, 3] does not fit into a padded image of [2, 3]"
    );
    let none = shape((1, 2, 3), (1, 0), [1, 1], [1, 1], [0, 0]);
    assert!(matches!(none.output(), Err(ShapeError::Zero(_))));
}
