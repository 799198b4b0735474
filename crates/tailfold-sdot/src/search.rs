//! The state of a solve: the effort so far, and the best hard cells so far.

use crate::curvature::Curvature;
use crate::energy::dot;
use crate::graph::Worth;
use crate::hessian::centre;
use crate::pass::CellSums;
use crate::point::SoftPoint;
use crate::walker::Walker;
use crate::{Method, Options, TracePoint};

/// A search for the offsets of a target.
pub(crate) struct Search<'a> {
    pub(crate) sample: Walker<'a>,
    /// Target masses `[C]`, sum 1.
    pub(crate) target: Vec<f64>,
    pub(crate) limits: Limits,
    pub(crate) method: Method,
    pub(crate) iterations: usize,
    pub(crate) best: Cells,
    pub(crate) trace: Vec<TracePoint>,
    /// Number of rows visited before this search.
    pub(crate) walked_before: u64,
    /// Standard deviation of a row's scores.
    pub(crate) spread: f64,
    /// Whether exponentials are in double precision.
    pub(crate) exact: bool,
}

/// The stopping limits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Chi-square of the hard masses that is good enough; `None` in a search for soft masses, which hard cells do not
    /// end.
    pub(crate) tolerance: Option<f64>,
    /// Largest accepted relative error of a class's mass.
    pub(crate) relative: f64,
    /// Absolute error of a class's mass that is always accepted: for hard masses the largest sample weight.
    pub(crate) grain: f64,
    /// Chi-square that the largest sample weight alone explains.
    pub(crate) floor: f64,
    pub(crate) max_iterations: usize,
}

impl Limits {
    /// The limits for a whole sample with the largest weight `largest`.
    pub(crate) fn new(target: &[f64], largest: f64, options: &Options) -> Self {
        Self {
            tolerance: Some(options.chi_square),
            relative: options.largest_relative,
            grain: largest,
            floor: target.iter().map(|nu| largest.powi(2) / nu).sum(),
            max_iterations: options.max_iterations,
        }
    }

    /// Switches to soft masses; returns the chi-square that is good enough for them.
    pub(crate) fn for_soft_masses(&mut self) -> f64 {
        self.grain = 0.0;
        self.tolerance.take().unwrap_or(0.0)
    }

    /// Returns whether a chi-square of the hard masses is good enough.
    pub(crate) fn allow(&self, chi_square: f64) -> bool {
        self.tolerance.is_some_and(|enough| chi_square <= enough)
    }
}

/// Offsets and the hard masses under them.
#[derive(Clone, Debug)]
pub(crate) struct Cells {
    /// Offsets `[C]`, sum 0.
    pub(crate) offsets: Vec<f64>,
    /// Hard masses `[C]`.
    pub(crate) mass: Vec<f64>,
    /// Chi-square of the hard masses; infinite before the first pass.
    pub(crate) chi_square: f64,
}

impl<'a> Search<'a> {
    /// Starts a search from `offsets`, whose cells are not computed yet.
    pub(crate) fn new(
        sample: Walker<'a>,
        target: Vec<f64>,
        limits: Limits,
        method: Method,
        mut offsets: Vec<f64>,
    ) -> Self {
        centre(&mut offsets);
        let best = Cells {
            offsets,
            mass: Vec::new(),
            chi_square: f64::INFINITY,
        };
        Self {
            sample,
            target,
            limits,
            method,
            iterations: 0,
            best,
            trace: Vec::new(),
            walked_before: 0,
            spread: 1.0,
            exact: false,
        }
    }

    /// Sets the spread from which the first of `temperatures` was derived.
    pub(crate) fn set_spread(&mut self, temperatures: &[f64], options: &Options) {
        self.spread = temperatures[0] / options.epsilon_start.max(options.epsilon_end);
    }

    /// Returns whether the search is for hard cells.
    pub(crate) fn wants_hard(&self) -> bool {
        self.limits.tolerance.is_some()
    }

    /// Returns whether the search is done: the target is met, or the iterations are used up.
    pub(crate) fn is_over(&self) -> bool {
        self.iterations >= self.limits.max_iterations || self.is_met(&self.best.mass)
    }

    /// Returns whether `mass` is as close to the target as requested.
    pub(crate) fn is_met(&self, mass: &[f64]) -> bool {
        mass.len() == self.target.len()
            && self.limits.allow(chi_square(mass, &self.target))
            && self.is_close(mass)
    }

    /// Returns whether every class is within the largest relative error, or within one sample if that is more.
    pub(crate) fn is_close(&self, mass: &[f64]) -> bool {
        self.are_within(mass, self.limits.grain * ROUNDING)
    }

    fn are_within(&self, mass: &[f64], grain: f64) -> bool {
        let near = |(m, nu): (&f64, &f64)| (m - nu).abs() <= (nu * self.limits.relative).max(grain);
        mass.iter().zip(&self.target).all(near)
    }

    /// Returns whether `epsilon` is so high that most classes have a share in most samples.
    pub(crate) fn is_wide(&self, epsilon: f64) -> bool {
        epsilon >= WIDE * self.spread
    }

    /// Total number of rows visited so far.
    pub(crate) fn walked(&self) -> u64 {
        self.walked_before + self.sample.walked()
    }

    /// Evaluates the entropic energy at `start + length * step`, and records its hard cells if they are the best so
    /// far.
    pub(crate) fn soft_point(
        &mut self,
        start: &[f64],
        step: &[f64],
        length: f64,
        epsilon: f64,
    ) -> SoftPoint {
        let offsets = moved(start, step, length);
        let cells = if self.exact {
            self.sample.exact_soft_cells(&offsets, epsilon)
        } else {
            let wants = self.method != Method::Newton && !self.is_wide(epsilon);
            let worth = wants.then(|| self.worth());
            self.sample.soft_cells(&offsets, epsilon, worth.as_ref())
        };
        self.keep_if_best(&offsets, cells.hard.clone(), epsilon);
        self.point(offsets, epsilon, cells)
    }

    fn point(&self, offsets: Vec<f64>, epsilon: f64, cells: CellSums) -> SoftPoint {
        let gradient = (cells.soft.iter().zip(&self.target)).map(|(mass, nu)| mass - nu);
        SoftPoint {
            gradient: gradient.collect(),
            energy: cells.energy - dot(&self.target, &offsets),
            chi_square: chi_square(&cells.soft, &self.target),
            hard_chi_square: chi_square(&cells.hard, &self.target),
            soft: cells.soft,
            kept: cells.kept,
            offsets,
            epsilon,
        }
    }

    /// Evaluates the entropic energy at the best offsets on a few rows, and keeps the probabilities for the curvature.
    pub(crate) fn rough_best(&mut self, epsilon: f64) -> SoftPoint {
        let (offsets, worth) = (self.best.offsets.clone(), self.worth());
        let cells = self.sample.some_soft_cells(&offsets, epsilon, &worth);
        self.point(offsets, epsilon, cells)
    }

    /// Evaluates the entropic energy at the best offsets.
    pub(crate) fn soft_best(&mut self, epsilon: f64) -> SoftPoint {
        let offsets = self.best.offsets.clone();
        let still = vec![0.0; offsets.len()];
        self.soft_point(&offsets, &still, 0.0, epsilon)
    }

    /// Returns the curvature of the entropic energy at `point` in the method's form; `None` when it cannot be computed.
    pub(crate) fn curvature(&mut self, point: &mut SoftPoint) -> Option<Curvature> {
        let mut kept = point.kept.take();
        if kept.is_none() && self.method != Method::Newton {
            let (offsets, worth) = (&point.offsets, self.worth());
            let cells = self.sample.soft_cells(offsets, point.epsilon, Some(&worth));
            kept = cells.kept;
        }
        Curvature::at(&mut self.sample, point, kept)
    }

    /// Returns the Newton step of `residual`, `[C]`, scaled down so that no class moves by more than [`LONGEST`]
    /// allows.
    pub(crate) fn step(&self, curvature: &Curvature, residual: &[f64]) -> Option<Vec<f64>> {
        let mut step = curvature.step(residual)?;
        let largest = step.iter().fold(0.0, |max: f64, d| max.max(d.abs()));
        let most = (self.spread * LONGEST).min(f64::from(f32::MAX) * 1e-3);
        if largest > most {
            step.iter_mut().for_each(|d| *d *= most / largest);
        }
        Some(step)
    }

    /// The rule for keeping probabilities: near a solution, the masses are the targets.
    fn worth(&self) -> Worth {
        Worth::new(&self.target, self.sample.rows())
    }

    /// Evaluates the hard cells of the start.
    pub(crate) fn look(&mut self) {
        let offsets = self.best.offsets.clone();
        let still = vec![0.0; offsets.len()];
        self.try_hard(&offsets, &still, 0.0);
    }

    /// Evaluates the hard cells at `start + length * step`: returns their masses, and whether they are the best so far.
    pub(crate) fn try_hard(
        &mut self,
        start: &[f64],
        step: &[f64],
        length: f64,
    ) -> (Vec<f64>, bool) {
        let offsets = moved(start, step, length);
        let mass = self.sample.hard_masses(&offsets);
        let better = self.keep_if_best(&offsets, mass.clone(), 0.0);
        (mass, better)
    }

    fn keep_if_best(&mut self, offsets: &[f64], mass: Vec<f64>, epsilon: f64) -> bool {
        let chi_square = chi_square(&mass, &self.target);
        self.trace.push(TracePoint {
            rows: self.walked(),
            epsilon,
            chi_square,
        });
        let better = chi_square < self.best.chi_square || self.best.mass.is_empty();
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

/// Longest step, in standard deviations of a row's scores: without samples shared by cells, the curvature is
/// meaningless.
const LONGEST: f64 = 1e4;
/// Temperatures from here on, in standard deviations of a row's scores, are wide.
const WIDE: f64 = 0.5;
/// Relative rounding error of a sum of weights.
const ROUNDING: f64 = 1.0 + 1e-9;

/// `sum_j (mass_j - target_j)^2 / target_j`.
pub(crate) fn chi_square(mass: &[f64], target: &[f64]) -> f64 {
    mass.iter()
        .zip(target)
        .map(|(m, nu)| (m - nu).powi(2) / nu)
        .sum()
}

/// Returns `start + length * step` with sum 0, so that the returned offsets are exactly the evaluated ones.
fn moved(start: &[f64], step: &[f64], length: f64) -> Vec<f64> {
    let mut offsets: Vec<f64> = start
        .iter()
        .zip(step)
        .map(|(h, d)| h + length * d)
        .collect();
    centre(&mut offsets);
    offsets
}
