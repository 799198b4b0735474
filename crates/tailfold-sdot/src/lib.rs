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
mod point;
mod polish;
mod prior;
mod problem;
mod product;
mod row;
mod scores;
mod search;
mod settle;
mod shard;
mod sobol;
mod solution;
mod solve;
mod solve_on;
mod sphere;
mod trace;
mod twins;
mod visit;
mod walker;
mod weights;

pub use affine::AffineHead;
pub use averaged::Averaged;
pub use device::{DeviceFailure, DeviceSample, DeviceSums};
pub use energy::{cell_masses, entropic_energy, hard_energy};
pub use error::{SolveError, SolveErrorKind};
pub use measure::{SampledMeasure, Sequence, Sphere};
pub use method::{MAX_NEWTON_CLASSES, Method};
pub use options::{Masses, Options};
pub use prior::{MassMeasure, Resolved, solve_for_prior};
pub use problem::Problem;
pub use scores::Scores;
pub use solution::{Solution, Stop};
pub use solve::solve;
pub use solve_on::solve_on;
pub use sphere::sphere_samples;
pub use trace::TracePoint;
pub use weights::{Weighing, balanced_weights};

#[cfg(test)]
mod testing;
