//! The state of a solve: what has been spent, and the best hard cells seen on the way.

use crate::energy::dot;
use crate::hessian::centre;
use crate::pass::Sample;

/// A search for the offsets of a target.
pub(crate) struct Search<'a> {
    pub(crate) sample: Sample<'a>,
    /// `[C]`, sum 1.
    pub(crate) target: Vec<f64>,
    pub(crate) limits: Limits,
    pub(crate) iterations: usize,
    pub(crate) best: Cells,
}

/// When to stop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Chi-square of the hard masses that is good enough.
    pub(crate) tolerance: f64,
    /// Chi-square that the largest sample weight alone explains.
    pub(crate) floor: f64,
    pub(crate) max_iterations: usize,
}

/// Offsets and the hard masses they give.
#[derive(Clone, Debug)]
pub(crate) struct Cells {
    /// `[C]`, sum 0.
    pub(crate) offsets: Vec<f64>,
    /// `[C]`.
    pub(crate) mass: Vec<f64>,
    pub(crate) chi_square: f64,
}

/// Offsets and what the entropic energy is there.
#[derive(Clone, Debug)]
pub(crate) struct SoftPoint {
    /// `[C]`, sum 0.
    pub(crate) offsets: Vec<f64>,
    /// Mean probabilities, `[C]`.
    pub(crate) soft: Vec<f64>,
    /// `soft - target`, `[C]`.
    pub(crate) gradient: Vec<f64>,
    pub(crate) energy: f64,
    /// Of the soft masses.
    pub(crate) chi_square: f64,
}

impl<'a> Search<'a> {
    /// A search from `offsets`.
    pub(crate) fn new(
        mut sample: Sample<'a>,
        target: Vec<f64>,
        limits: Limits,
        mut offsets: Vec<f64>,
    ) -> Self {
        centre(&mut offsets);
        let mass = sample.hard_cells(&offsets).hard;
        let chi_square = chi_square(&mass, &target);
        let best = Cells {
            offsets,
            mass,
            chi_square,
        };
        Self {
            sample,
            target,
            limits,
            iterations: 0,
            best,
        }
    }

    /// Nothing more to gain, or to spend.
    pub(crate) fn is_over(&self) -> bool {
        self.best.chi_square <= self.limits.tolerance
            || self.iterations >= self.limits.max_iterations
    }

    /// Entropic energy at `start + length * step`, and its hard cells remembered when they are the best.
    pub(crate) fn soft_point(
        &mut self,
        start: &[f64],
        step: &[f64],
        length: f64,
        epsilon: f64,
    ) -> SoftPoint {
        let offsets = moved(start, step, length);
        let cells = self.sample.soft_cells(&offsets, epsilon);
        self.keep_if_best(&offsets, cells.hard);
        let gradient = cells
            .soft
            .iter()
            .zip(&self.target)
            .map(|(mass, nu)| mass - nu)
            .collect();
        let energy = cells.energy - dot(&self.target, &offsets);
        let chi_square = chi_square(&cells.soft, &self.target);
        SoftPoint {
            offsets,
            soft: cells.soft,
            gradient,
            energy,
            chi_square,
        }
    }

    /// Tries the hard cells at `start + length * step`; true when they are the best so far.
    pub(crate) fn try_hard(&mut self, start: &[f64], step: &[f64], length: f64) -> bool {
        let offsets = moved(start, step, length);
        let mass = self.sample.hard_cells(&offsets).hard;
        self.keep_if_best(&offsets, mass)
    }

    fn keep_if_best(&mut self, offsets: &[f64], mass: Vec<f64>) -> bool {
        let chi_square = chi_square(&mass, &self.target);
        let better = chi_square < self.best.chi_square;
        if better {
            self.best = Cells {
                offsets: offsets.to_vec(),
                mass,
                chi_square,
            };
        }
        better
    }
}

/// `sum_j (mass_j - target_j)^2 / target_j`.
pub(crate) fn chi_square(mass: &[f64], target: &[f64]) -> f64 {
    mass.iter()
        .zip(target)
        .map(|(m, nu)| (m - nu).powi(2) / nu)
        .sum()
}

/// `start + length * step` with sum 0, so that what is measured is what is returned.
fn moved(start: &[f64], step: &[f64], length: f64) -> Vec<f64> {
    let mut offsets: Vec<f64> = start
        .iter()
        .zip(step)
        .map(|(h, d)| h + length * d)
        .collect();
    centre(&mut offsets);
    offsets
}
