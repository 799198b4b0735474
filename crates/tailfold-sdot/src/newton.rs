//! Damped Newton steps on the entropic energy at one temperature.

use crate::energy::dot;
use crate::point::SoftPoint;
use crate::search::Search;

/// Part of the decrease promised by the slope that a step must bring (Armijo).
const ARMIJO: f64 = 1e-4;
/// Rounding of the energy's exponentials, in units of epsilon.
const ENERGY_ROUNDING: f64 = 1e-8;
/// Halvings of a step before it is given up.
const MAX_HALVINGS: usize = 10;
/// Steps at one temperature.
const MAX_STEPS: usize = 30;
/// A step that leaves more than this part of the chi-square is a stall.
const STALL: f64 = 0.98;
/// Stalls in a row that end a temperature: classes that no sample of their boundary connects move at a snail's pace.
const MAX_STALLS: usize = 3;
/// Part of the chi-square that Sinkhorn's step may leave to be worth another: at a wide temperature it leaves little, and needs
/// no curvature.
const PAYS: f64 = 0.25;
/// Part of the hard cells' chi-square below which that of the soft masses is not what keeps the hard ones off.
const SHARE: f64 = 0.25;
/// A class this many e-foldings from its mass is out of reach of a quadratic model.
const FAR: f64 = 3.0;

/// Minimises the energy at `epsilon` from `offsets` until the soft masses' chi-square is at most `tolerance`; returns
/// the point reached.
///
/// Ends early when the hard cells are good enough, the iterations are spent, or no step helps.
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

/// Some class has less than `exp(-foldings)` of its mass.
fn is_off(soft: &[f64], target: &[f64], foldings: f64) -> bool {
    soft.iter()
        .zip(target)
        .any(|(mass, nu)| (nu / mass).ln() > foldings)
}

/// A Newton step, halved until the energy falls by Armijo's rule or the masses improve. `None` when none does.
fn newton_step(search: &mut Search<'_>, point: &mut SoftPoint) -> Option<SoftPoint> {
    let epsilon = point.epsilon;
    let curvature = search.curvature(point)?;
    let step = search.step(&curvature, &point.gradient)?;
    let slope = dot(&step, &point.gradient);
    let mut length = 1.0;
    for _ in 0..MAX_HALVINGS {
        let next = search.soft_point(&point.offsets, &step, length, epsilon);
        let falls = next.energy <= point.energy + ARMIJO * length * slope;
        // Near the minimum the energy's decrease drowns in rounding; the gradient's does not.
        if falls || next.chi_square <= (1.0 - 0.1 * length) * point.chi_square {
            return Some(next);
        }
        length *= 0.5;
    }
    None
}

/// `h_j += epsilon ln(target_j / mass_j)`: Sinkhorn's step, which never raises the energy, however far the masses are.
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
