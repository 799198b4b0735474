//! A hundred classes on a sphere with long-tailed targets: the solver's convergence and the final masses.

use std::path::Path;

use tailfold_plot::{COLOURS, Convergence, MassSeries, MassesChart, Step, Walk, save_as};
use tailfold_sdot::{
    Options, Problem, Scores, Sequence, Solution, Sphere, TracePoint, cell_masses, solve,
    sphere_samples,
};

const CLASSES: usize = 100;
const DIM: usize = 32;
const POINTS: usize = 1 << 15;

/// Scale factor of the cosine scores.
const SCALE: f32 = 16.0;

/// Ratio of the most frequent class to the rarest class.
const IMBALANCE: f64 = 100.0;

pub(crate) fn draw(folder: &Path) -> anyhow::Result<()> {
    let mut sphere = Sphere::new(DIM, 1);
    sphere.sequence = Sequence::Sobol;
    let source = sphere.sample(POINTS)?;
    let weights = sphere_samples(CLASSES, DIM, 2);
    let target = long_tailed();
    let problem = |weights| -> anyhow::Result<_> {
        let scores = Scores::product(source.points(), weights, DIM, SCALE)?;
        Ok(Problem::new(scores, &target))
    };
    let mut cold = Options::default();
    cold.chi_square = 1e-4;
    // The weights move a little, as between two solves of a training run.
    let moved = moved(&weights);
    let (problem, later) = (problem(&weights)?, problem(&moved)?);
    let solution = solve(&problem, &cold)?;
    let mut warm = cold.clone();
    warm.warm_start = Some(solution.offsets.clone());
    let walk = |title: &str, solution: &Solution| Walk {
        title: title.to_owned(),
        steps: solution.trace.iter().map(step).collect(),
    };
    let walks = [
        walk("from h = 0", &solution),
        walk("from an earlier h", &solve(&later, &warm)?),
    ];
    let weight = 1.0 / POINTS as f64;
    let floor: f64 = target.iter().map(|nu| weight.powi(2) / nu).sum();
    let convergence = Convergence {
        title: "100 classes, 32,768 points of the sphere in R³²",
        walks: &walks,
        lines: &[(cold.chi_square, "tolerance"), (floor, "sample floor")],
    };
    save_as(&folder.join("convergence.svg"), &convergence)?;
    let against = |mass: &[f64]| target.iter().copied().zip(mass.iter().copied()).collect();
    let before = cell_masses(&problem.scores, None, &[0.0; CLASSES])?;
    let series = [
        MassSeries {
            title: "h = 0".to_owned(),
            colour: COLOURS[0],
            points: against(&before),
        },
        MassSeries {
            title: "solved".to_owned(),
            colour: COLOURS[1],
            points: against(&solution.mass),
        },
    ];
    let masses = MassesChart {
        title: "Masses of 100 cells, targets 100 : 1",
        series: &series,
        floor: weight,
    };
    save_as(&folder.join("masses.svg"), &masses)?;
    Ok(())
}

/// Target masses `[C]` that fall geometrically and sum to 1.
fn long_tailed() -> Vec<f64> {
    let steps = (CLASSES - 1) as f64;
    let raw: Vec<f64> = (0..CLASSES)
        .map(|j| IMBALANCE.powf(-(j as f64) / steps))
        .collect();
    let sum: f64 = raw.iter().sum();
    raw.iter().map(|v| v / sum).collect()
}

/// Rotates each row of `weights` `[C, DIM]` by about a tenth of a right angle.
fn moved(weights: &[f32]) -> Vec<f32> {
    let noise = sphere_samples(CLASSES, DIM, 3);
    let rows = weights.chunks_exact(DIM).zip(noise.chunks_exact(DIM));
    rows.flat_map(|(row, noise)| {
        let moved: Vec<f32> = row.iter().zip(noise).map(|(w, n)| w + 0.15 * n).collect();
        let norm = moved.iter().map(|w| w * w).sum::<f32>().sqrt();
        moved.into_iter().map(move |w| w / norm)
    })
    .collect()
}

fn step(point: &TracePoint) -> Step {
    Step {
        rows: point.rows,
        epsilon: point.epsilon,
        chi_square: point.chi_square,
    }
}
