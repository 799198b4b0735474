//! Prints how much the masses of a hundred cells vary between samples of a sphere, for Gaussian and for Sobol points.
#![expect(clippy::print_stdout, reason = "a program for its table")]

use std::error::Error;

use tailfold_sdot::{Scores, Sequence, Sphere, cell_masses, sphere_samples};

const CLASSES: usize = 100;
const SEEDS: u64 = 12;
const SCALE: f32 = 16.0;

fn main() -> Result<(), Box<dyn Error>> {
    println!(
        "relative standard deviation of a cell's mass over {SEEDS} seeds, {CLASSES} cells, root mean square"
    );
    println!("| dimensions | points | Gaussian | Sobol | ratio |\n|---|---|---|---|---|");
    for dim in [3, 16, 64, 200] {
        for points in [1 << 12, 1 << 14, 1 << 16] {
            let gaussian = deviation(dim, points, Sequence::Gaussian)?;
            let sobol = deviation(dim, points, Sequence::Sobol)?;
            println!(
                "| {dim} | {points} | {:.1} % | {:.1} % | {:.2} |",
                100.0 * gaussian,
                100.0 * sobol,
                gaussian / sobol
            );
        }
    }
    Ok(())
}

fn deviation(dim: usize, points: usize, sequence: Sequence) -> Result<f64, Box<dyn Error>> {
    let weights = sphere_samples(CLASSES, dim, 99);
    let masses = |seed| -> Result<Vec<f64>, Box<dyn Error>> {
        let mut sphere = Sphere::new(dim, seed);
        sphere.sequence = sequence;
        let sample = sphere.sample(points)?;
        let scores = Scores::product(sample.points(), &weights, dim, SCALE)?;
        Ok(cell_masses(&scores, None, &[0.0; CLASSES])?)
    };
    let all: Vec<Vec<f64>> = (0..SEEDS).map(masses).collect::<Result<_, _>>()?;
    let relative = |class: usize| {
        let mean = all.iter().map(|m| m[class]).sum::<f64>() / SEEDS as f64;
        let squares: f64 = all.iter().map(|m| (m[class] - mean).powi(2)).sum();
        squares / (SEEDS - 1) as f64 / mean.powi(2)
    };
    let mean = (0..CLASSES).map(relative).sum::<f64>() / CLASSES as f64;
    Ok(mean.sqrt())
}
