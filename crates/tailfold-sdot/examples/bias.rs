//! Prints the difference between the offsets for softmax masses and the offsets for hard cells, at falling
//! temperatures.
#![expect(clippy::print_stdout, reason = "a program for its table")]

use std::error::Error;

use tailfold_sdot::{Masses, Options, Problem, Scores, Sequence, Sphere, solve, sphere_samples};

const CLASSES: usize = 10;
const DIM: usize = 4;
const SCALE: f32 = 16.0;

fn main() -> Result<(), Box<dyn Error>> {
    let mut sphere = Sphere::new(DIM, 3);
    sphere.sequence = Sequence::Sobol;
    let sample = sphere.sample(1 << 16)?;
    let weights = sphere_samples(CLASSES, DIM, 5);
    let all = (CLASSES * (CLASSES + 1) / 2) as f64;
    let target: Vec<f64> = (1..=CLASSES).map(|j| j as f64 / all).collect();
    let scores = Scores::product(sample.points(), &weights, DIM, SCALE)?;
    let problem = Problem::new(scores, &target);
    let offsets = |masses, chi_square| -> Result<Vec<f64>, Box<dyn Error>> {
        let mut options = Options::default();
        options.masses = masses;
        options.chi_square = chi_square;
        Ok(solve(&problem, &options)?.offsets)
    };
    let hard = offsets(Masses::Hard, 1e-9)?;
    println!("| temperature | largest difference of an offset |\n|---|---|");
    for epsilon in [4.0, 2.0, 1.0, 0.5, 0.25] {
        let soft = offsets(Masses::Soft { epsilon }, 1e-12)?;
        let differences = soft.iter().zip(&hard).map(|(a, b)| (a - b).abs());
        println!("| {epsilon} | {:.2} |", differences.fold(0.0, f64::max));
    }
    Ok(())
}
