//! Semi-discrete optimal transport: Laguerre cells, energies and solvers.
//!
#![doc = include_str!("../README.md")]

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
pub use error::SolveError;
pub use measure::{MeasureError, SampledMeasure, Sequence, Sphere};
pub use method::{MAX_NEWTON_CLASSES, Method};
pub use options::{Masses, Options};
pub use problem::Problem;
pub use scores::Scores;
pub use solution::{Solution, Stop, TracePoint};
pub use solve::solve;
pub use sphere::sphere_samples;

#[cfg(test)]
mod testing;
