use super::*;
use crate::Scores;
use crate::testing::{cosine, skewed};
use std::time::Instant;

#[test]
fn timing() {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .unwrap();
    pool.install(|| {
        for (classes, n, scale, nu, tol) in [(10, 2500, 16.0, 1.0, 1e-3),(10, 2500, 16.0, 0.01, 1e-3),(100, 10_000, 16.0, 1.0, 1e-3), (100, 10_000, 16.0, 0.01, 1e-3), (100, 10_000, 1.0, 0.01, 1e-3),(100,40_000,16.0,0.01,1e-5),(500,20_000,16.0,0.1,1e-3), (1000,100_000,16.0,1.0,1e-3)] {
            let (z, w) = cosine(n, classes, 64, 1);
            let target = skewed(classes, nu);
            let problem = Problem { scores: Scores::product(&z, &w, 64, scale).unwrap(), sample_weights: None, target: &target };
            let start = Instant::now();
            let s = solve(&problem, &Options { chi_square: tol, ..Options::default() }).unwrap();
            let cold = start.elapsed();
            // the head moves a little
            let noise = sphere_samples_like(&w, 64);
            let problem = Problem { scores: Scores::product(&z, &noise, 64, scale).unwrap(), ..problem };
            let start = Instant::now();
            let t = solve(&problem, &Options { chi_square: tol, warm_start: Some(s.offsets.clone()), ..Options::default() }).unwrap();
            let warm = start.elapsed();
            println!("C {classes} n {n} scale {scale} skew {nu}: cold {cold:?} it {} chi {:.2e} rel {:.2e} floor {:.2e} eps {:.3} {} | warm {warm:?} it {} chi {:.2e} {} eps {:.3}", s.iterations, s.chi_square, s.largest_relative_error, s.sample_floor, s.epsilon, s.stop, t.iterations, t.chi_square, t.stop, t.epsilon);
        }
    });
}

fn sphere_samples_like(w: &[f32], dim: usize) -> Vec<f32> {
    let noise = crate::sphere_samples(w.len() / dim, dim, 99);
    w.iter().zip(&noise).map(|(w, n)| w + 0.02 * n).collect()
}

#[test]
fn sweep() {
    let mut seed = 0;
    for classes in [2, 3, 5, 10, 30, 100, 300] {
        for dim in [1, 2, 3, 8, 64] {
            for skew in [1.0, 0.1, 0.01, 1e-3, 1e-6] {
                for per in [5, 20, 100] {
                    seed += 1;
                    let n = classes * per;
                    let (z, w) = cosine(n, classes, dim, seed);
                    let target = skewed(classes, skew);
                    let problem = Problem {
                        scores: Scores::product(&z, &w, dim, 16.0).unwrap(),
                        sample_weights: None,
                        target: &target,
                    };
                    let start = Instant::now();
                    let s = solve(
                        &problem,
                        &Options {
                            ..Options::default()
                        },
                    )
                    .unwrap();
                    let floor: f64 = target.iter().map(|nu| (1.0 / n as f64).powi(2) / nu).sum();
                    println!(
                        "S {classes} {dim} {skew} {per}: {:?} it {} chi {:.2e} chifloor {:.2e} ratio {:.3} rel {:.2e} eps {:.3} {}",
                        start.elapsed(),
                        s.iterations,
                        s.chi_square,
                        floor,
                        s.chi_square / floor,
                        s.largest_relative_error,
                        s.epsilon,
                        s.stop
                    );
                    assert!(s.offsets.iter().all(|h| h.is_finite()));
                }
            }
        }
    }
}
