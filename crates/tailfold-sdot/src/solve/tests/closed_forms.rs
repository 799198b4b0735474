//! Problems with offsets in closed form.

use super::*;

#[test]
fn intervals_on_line_are_found() {
    // z is uniform on [0, 1] and s_j = z y_j with y rising: the cells are intervals in order, and the end t_j of cell j
    // is the mass of the first j + 1 cells. At t_j, s_j + h_j = s_{j+1} + h_{j+1}.
    let (n, slopes) = (20_000, [-3.0_f32, -1.0, 0.5, 4.0, 5.5]);
    let target = [0.3, 0.05, 0.4, 0.15, 0.1];
    let grid: Vec<f32> = (0..n)
        .map(|i| crate::row::narrow((f64::from(i) + 0.5) / f64::from(n)))
        .collect();
    let mut exact = vec![0.0];
    let mut end = 0.0;
    for j in 0..4 {
        end += target[j];
        exact.push(exact[j] - end * f64::from(slopes[j + 1] - slopes[j]));
    }
    crate::hessian::centre(&mut exact);
    let problem = Problem {
        scores: Scores::product(&grid, &slopes, 1, 1.0).unwrap(),
        sample_weights: None,
        target: &target,
    };
    let solution = check(
        &problem,
        &Options {
            chi_square: 1e-7,
            ..Options::default()
        },
    );
    assert_eq!(solution.stop, Stop::Converged, "{solution:?}");
    // A chi-square of 1e-7 bounds each |mass - target| by 2e-4, hence each end by 1e-3; the slopes span 8.5.
    assert_near(&solution.offsets, &exact, 8.5e-3);
    assert_near(&solution.mass, &target, 2e-4);
}

#[test]
fn symmetric_classes_need_no_offsets() {
    // Weights +-e_i under a sample that is closed under signs and order of the coordinates: h = 0 by symmetry.
    let mut points = Vec::new();
    for p in sphere_samples(200, 3, 3).chunks_exact(3) {
        for order in [
            [0, 1, 2],
            [0, 2, 1],
            [1, 0, 2],
            [1, 2, 0],
            [2, 0, 1],
            [2, 1, 0],
        ] {
            for signs in 0..8 {
                points.extend((0..3).map(|k| {
                    if signs >> k & 1 == 0 {
                        p[order[k]]
                    } else {
                        -p[order[k]]
                    }
                }));
            }
        }
    }
    let weights: Vec<f32> = (0..18)
        .map(|i| {
            if i % 9 % 4 == 0 {
                if i < 9 { 1.0 } else { -1.0 }
            } else {
                0.0
            }
        })
        .collect();
    let target = [1.0 / 6.0; 6];
    let scores = Scores::product(&points, &weights, 3, 16.0).unwrap();
    let problem = Problem {
        scores,
        sample_weights: None,
        target: &target,
    };
    let at_the_answer = Options {
        warm_start: Some(vec![0.0; 6]),
        ..Options::default()
    };
    assert_eq!(check(&problem, &at_the_answer).iterations, 0);
    assert_near(
        &check(&problem, &Options::default()).offsets,
        &[0.0; 6],
        1.0,
    );
    let far = vec![9.0, -9.0, 5.0, 0.0, -5.0, 0.0];
    let back = check(
        &problem,
        &Options {
            warm_start: Some(far),
            chi_square: 1e-5,
            ..Options::default()
        },
    );
    assert_eq!(back.stop, Stop::Converged);
    assert_near(&back.offsets, &[0.0; 6], 0.1);
    // A plain sample: a cell's mass has a relative standard error of sqrt(5 / 20,000) = 1.6 %, and one unit of offset
    // (a sixteenth of the radius) changes it by about a quarter.
    let plain = sphere_samples(20_000, 3, 8);
    let scores = Scores::product(&plain, &weights, 3, 16.0).unwrap();
    let options = Options {
        chi_square: 1e-6,
        ..Options::default()
    };
    assert_near(
        &check(&Problem { scores, ..problem }, &options).offsets,
        &[0.0; 6],
        0.3,
    );
}

#[test]
fn weight_counts_as_repeated_samples() {
    let (z, w) = cosine(1_000, 6, 4, 2);
    let doubled: Vec<f32> = z
        .chunks_exact(4)
        .enumerate()
        .flat_map(|(i, p)| p.repeat(1 + i % 3))
        .collect();
    let weights: Vec<f64> = (0..1_000_u32).map(|i| f64::from(1 + i % 3)).collect();
    let target = skewed(6, 0.2);
    let solve = |features: &[f32], sample_weights| {
        let scores = Scores::product(features, &w, 4, 16.0).unwrap();
        check(
            &Problem {
                scores,
                sample_weights,
                target: &target,
            },
            &Options::default(),
        )
    };
    assert_near(
        &solve(&z, Some(&weights)).offsets,
        &solve(&doubled, None).offsets,
        0.2,
    );
}
