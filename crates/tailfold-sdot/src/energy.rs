//! The two convex energies that the offsets minimise, and the masses of the cells.

use crate::pass::Sample;
use crate::problem::{check_offsets, normalised_target};
use crate::{Problem, Scores, SolveError, SolveErrorKind};

const OFFSETS: [&str; 2] = ["offsets", "offset"];

/// Entropic energy `epsilon E[logsumexp_j((s_j + h_j) / epsilon)] - <target, h>` in score units, and its gradient
/// `E[softmax_j] - target_j`, `[C]`.
///
/// `offsets` is `[C]`, in score units. The probabilities are computed and summed in `f64`.
///
/// # Errors
/// [`SolveError`] when the problem or the offsets do not fit the scores, or `epsilon` is not a positive normal number.
pub fn entropic_energy(
    problem: &Problem<'_>,
    offsets: &[f64],
    epsilon: f64,
) -> Result<(f64, Vec<f64>), SolveError> {
    let (mut sample, target) = checked(problem, offsets)?;
    if !epsilon.is_normal() || epsilon < 0.0 {
        return Err(SolveErrorKind::Setting
            .error(format!("epsilon is {epsilon}, expected a positive number")));
    }
    let cells = sample.exact_soft_cells(offsets, epsilon);
    let gradient = cells
        .soft
        .iter()
        .zip(&target)
        .map(|(mass, nu)| mass - nu)
        .collect();
    Ok((cells.energy - dot(&target, offsets), gradient))
}

/// Hard energy `E[max_j (s_j + h_j)] - <target, h>` in score units: convex, and minimal where the cells have the target
/// masses.
///
/// # Errors
/// [`SolveError`] when the problem or the offsets do not fit the scores.
pub fn hard_energy(problem: &Problem<'_>, offsets: &[f64]) -> Result<f64, SolveError> {
    let (mut sample, target) = checked(problem, offsets)?;
    Ok(sample.hard_cells(offsets).energy - dot(&target, offsets))
}

/// Mass of each Laguerre cell `{ z : s_j + h_j >= s_i + h_i for all i }`, `[C]`, sum 1; a tie goes to the lowest class.
///
/// ```
/// use tailfold_sdot::{Scores, cell_masses};
///
/// // Four samples, two classes.
/// let scores = Scores::matrix(&[2.0, 1.0, 2.0, 1.5, 0.0, 1.0, 3.0, 0.0], 2)?;
/// assert_eq!(cell_masses(&scores, None, &[0.0, 0.0])?, [0.75, 0.25]);
/// assert_eq!(cell_masses(&scores, None, &[-0.4, 0.4])?, [0.5, 0.5]);
/// # Ok::<(), tailfold_sdot::SolveError>(())
/// ```
///
/// # Errors
/// [`SolveError`] when the weights or the offsets do not fit the scores.
pub fn cell_masses(
    scores: &Scores<'_>,
    sample_weights: Option<&[f64]>,
    offsets: &[f64],
) -> Result<Vec<f64>, SolveError> {
    check_offsets(offsets, scores.num_classes(), OFFSETS)?;
    Ok(Sample::new(scores, 0, sample_weights)?
        .hard_cells(offsets)
        .hard)
}

fn checked<'a>(
    problem: &Problem<'a>,
    offsets: &[f64],
) -> Result<(Sample<'a>, Vec<f64>), SolveError> {
    let classes = problem.scores.num_classes();
    let target = normalised_target(problem.target, classes)?;
    check_offsets(offsets, classes, OFFSETS)?;
    Ok((
        Sample::new(&problem.scores, 0, problem.sample_weights)?,
        target,
    ))
}

pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
mod tests;
