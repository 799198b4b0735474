//! Semi-discrete optimal transport: Laguerre cells, energies and solvers.
//!
//! Class `j` owns the samples whose score `s_j + h_j` is the largest. [`solve`] finds the offsets `h` under which every
//! class owns a given share of the sample:
//!
//! ```
//! use tailfold_sdot::{Options, Problem, Scores, solve, sphere_samples};
//!
//! let points = sphere_samples(5_000, 3, 7);
//! let weights = [1.0, 0.0, 0.0, -0.6, 0.8, 0.0];
//! let problem = Problem { scores: Scores::product(&points, &weights, 3, 16.0)?, sample_weights: None, target: &[0.9, 0.1] };
//! let solution = solve(&problem, &Options::default())?;
//! assert!(solution.chi_square < 1e-3 && solution.offsets[0] > 0.0);
//! # Ok::<(), tailfold_sdot::SolveError>(())
//! ```

mod affine;
mod anneal;
mod averaged;
mod blocks;
mod conjugate;
mod curvature;
mod device;
mod energy;
mod entropic;
mod error;
mod exchange;
mod exp;
mod graph;
mod hessian;
mod levels;
mod measure;
mod method;
mod newton;
mod options;
mod pass;
mod polish;
mod problem;
mod product;
mod row;
mod scores;
mod search;
mod settle;
mod sobol;
mod solution;
mod solve;
mod sphere;
mod twins;
mod visit;
mod walker;

pub use affine::{AffineHead, balanced_weights};
pub use averaged::Averaged;
pub use device::{DeviceFailure, DeviceSample, DeviceSums, solve_on};
pub use energy::{cell_masses, entropic_energy, hard_energy};
pub use error::{SolveError, SolveErrorKind};
pub use measure::{SampledMeasure, Sequence, Sphere};
pub use method::{MAX_NEWTON_CLASSES, Method};
pub use options::{Masses, Options};
pub use problem::Problem;
pub use scores::Scores;
pub use solution::{Solution, Stop, TracePoint};
pub use solve::solve;
pub use sphere::sphere_samples;

#[cfg(test)]
mod testing;
