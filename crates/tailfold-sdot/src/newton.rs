//! Damped Newton steps on the entropic energy at one temperature.

use crate::energy::dot;
use crate::point::SoftPoint;
use crate::search::Search;

/// Fraction of the decrease predicted by the slope that a step must achieve (Armijo).
const ARMIJO: f64 = 1e-4;
/// Rounding error of the energy's exponentials, in units of epsilon.
const ENERGY_ROUNDING: f64 = 1e-8;
/// Number of halvings before a step is given up.
const MAX_HALVINGS: usize = 10;
/// Largest number of steps at one temperature.
const MAX_STEPS: usize = 30;
/// A step that leaves more than this fraction of the chi-square is a stall.
const STALL: f64 = 0.98;
/// Consecutive stalls that end a temperature: classes that no boundary sample connects move very slowly.
const MAX_STALLS: usize = 3;
/// Fraction of the chi-square that a Sinkhorn step may leave to be repeated: at a high temperature it leaves little and
/// needs no curvature.
const PAYS: f64 = 0.25;
/// Fraction of the hard chi-square below which the soft chi-square no longer limits the hard cells.
const SHARE: f64 = 0.25;
/// A class this many e-foldings from its mass is out of reach of a quadratic model.
const FAR: f64 = 3.0;

/// Minimises the energy at `epsilon` from `offsets` until the soft chi-square is at most `tolerance`; returns the point
/// reached.
///
/// The search ends early when the hard cells are good enough, the iterations are used up, or no step helps.
pub(crate) fn minimise(
    search: &mut Search<'_>,
    offsets: &[f64],
    epsilon: f64,
    tolerance: f64,
) -> SoftPoint {
    let still = vec![0.0; offsets.len()];
    let mut point = search.soft_point(offsets, &still, 0.0, epsilon);
    let (mut stalls, mut pays) = (0, search.is_wide(epsilon));
    for _ in 0..MAX_STEPS {
        let enough = if search.wants_hard() {
            tolerance.max(SHARE * point.hard_chi_square)
        } else {
            tolerance
        };
        if (point.chi_square <= enough && search.is_close(&point.soft)) || search.is_over() {
            break;
        }
        search.iterations += 1;
        let next = if pays || is_off(&point.soft, &search.target, FAR) {
            None
        } else {
            newton_step(search, &mut point)
        };
        let next = next.unwrap_or_else(|| log_ratio_step(search, &point, epsilon));
        pays &= next.chi_square <= PAYS * point.chi_square;
        let slack = ENERGY_ROUNDING * epsilon;
        if next.energy > point.energy + slack && next.chi_square >= point.chi_square {
            break;
        }
        stalls = if next.chi_square > STALL * point.chi_square {
            stalls + 1
        } else {
            0
        };
        point = next;
        if stalls == MAX_STALLS {
            break;
        }
    }
    point
}

/// Returns whether some class has less than `exp(-foldings)` of its mass.
fn is_off(soft: &[f64], target: &[f64], foldings: f64) -> bool {
    soft.iter()
        .zip(target)
        .any(|(mass, nu)| (nu / mass).ln() > foldings)
}

/// Makes a Newton step, halved until the energy falls by Armijo's rule or the masses improve; `None` when no length
/// helps.
fn newton_step(search: &mut Search<'_>, point: &mut SoftPoint) -> Option<SoftPoint> {
    let epsilon = point.epsilon;
    let curvature = search.curvature(point)?;
    let step = search.step(&curvature, &point.gradient)?;
    let slope = dot(&step, &point.gradient);
    let mut length = 1.0;
    for _ in 0..MAX_HALVINGS {
        let next = search.soft_point(&point.offsets, &step, length, epsilon);
        let falls = next.energy <= point.energy + ARMIJO * length * slope;
        // Near the minimum the energy's decrease is lost in rounding, but the gradient's decrease is not.
        if falls || next.chi_square <= (1.0 - 0.1 * length) * point.chi_square {
            return Some(next);
        }
        length *= 0.5;
    }
    None
}

/// Sinkhorn's step `h_j += epsilon ln(target_j / mass_j)` never raises the energy, no matter how far the masses are.
fn log_ratio_step(search: &mut Search<'_>, point: &SoftPoint, epsilon: f64) -> SoftPoint {
    let ratios: Vec<f64> = search
        .target
        .iter()
        .zip(&point.soft)
        .map(|(nu, mass)| (nu / mass).ln())
        .collect();
    search.soft_point(&point.offsets, &ratios, epsilon, epsilon)
}

#[cfg(test)]
mod tests;
