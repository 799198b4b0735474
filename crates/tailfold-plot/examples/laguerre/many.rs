//! A hundred classes on a sphere with long-tailed targets: the way down, and where it ends.

use std::path::Path;

use tailfold_plot::{COLOURS, Convergence, MassSeries, MassesChart, Step, Walk, save_as};
use tailfold_sdot::{
    Options, Problem, Scores, Sequence, Solution, Sphere, cell_masses, solve, sphere_samples,
};

const CLASSES: usize = 100;
const DIM: usize = 32;
const POINTS: usize = 1 << 15;

/// Factor of the cosines.
const SCALE: f32 = 16.0;

/// Most frequent against rarest class.
const IMBALANCE: f64 = 100.0;

pub(crate) fn draw(folder: &Path) -> anyhow::Result<()> {
    let sphere = Sphere {
        dim: DIM,
        radius: 1.0,
        sequence: Sequence::Sobol,
        seed: 1,
    };
    let source = sphere.sample(POINTS)?;
    let weights = sphere_samples(CLASSES, DIM, 2);
    let target = long_tailed();
    let problem = Problem {
        scores: Scores::product(source.points(), &weights, DIM, SCALE)?,
        sample_weights: None,
        target: &target,
    };
    let options = Options {
        chi_square: 1e-4,
        ..Options::default()
    };
    let solution = solve(&problem, &options)?;
    let walks = [Walk {
        title: "from h = 0".to_owned(),
        steps: trace(&problem, &options, &solution)?,
    }];
    let convergence = Convergence {
        title: "100 classes on the sphere of R³², 32,768 points, imbalance 100",
        walks: &walks,
        lines: &[(options.chi_square, "tolerance")],
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
        title: "Masses of 100 cells before and after",
        series: &series,
        floor: 1.0 / POINTS as f64,
    };
    save_as(&folder.join("masses.svg"), &masses)?;
    Ok(())
}

/// Masses that fall geometrically, `[C]`, sum 1.
fn long_tailed() -> Vec<f64> {
    let steps = (CLASSES - 1) as f64;
    let raw: Vec<f64> = (0..CLASSES)
        .map(|j| IMBALANCE.powf(-(j as f64) / steps))
        .collect();
    let sum: f64 = raw.iter().sum();
    raw.iter().map(|v| v / sum).collect()
}

/// Where the solver stood after each of its steps: solved again with fewer of them, a step counted as one walk.
fn trace(
    problem: &Problem<'_>,
    options: &Options,
    solution: &Solution,
) -> anyhow::Result<Vec<Step>> {
    let step = |iterations: usize| {
        let cut = Options {
            max_iterations: iterations,
            ..options.clone()
        };
        let at = solve(problem, &cut)?;
        Ok(Step {
            rows: (problem.scores.rows() * (1 + at.iterations)) as u64,
            epsilon: at.epsilon,
            chi_square: at.chi_square,
        })
    };
    (0..=solution.iterations).map(step).collect()
}
