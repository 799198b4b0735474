//! The last correction of the hard cells: single samples are counted where they are too few for a curvature.
//!
//! A class that lacks a few samples is raised until the nearest samples of other classes enter it; a class with too
//! many samples is lowered until its own nearest samples leave. A rare class takes samples from frequent ones, which
//! hardly change.

use crate::graph::{Kept, Worth};
use crate::search::Search;

/// Largest number of rounds of counting.
const ROUNDS: usize = 6;
/// Number of samples of the largest weight up to which a class is rare.
const RARE: f64 = 64.0;
/// Smallest error, in samples, at which a class is moved.
const OFF: f64 = 0.5;

/// Moves the classes of the best hard cells that are off by a few samples, by the gaps of the samples within a few
/// `epsilon` of their borders: first all rare classes together, and when that no longer helps, only the class with the
/// largest error.
pub(crate) fn settle(search: &mut Search<'_>, epsilon: f64) {
    // A device gives no access to single samples.
    if search.sample.here().is_none() {
        return;
    }
    let mut together = true;
    for _ in 0..ROUNDS {
        if search.is_over() {
            break;
        }
        search.iterations += 1;
        let start = search.best.clone();
        let worth = Worth::new(&search.target, search.sample.rows());
        let cells = search
            .sample
            .soft_cells(&start.offsets, epsilon, Some(&worth));
        let Some(kept) = cells.kept else {
            break;
        };
        let missing: Vec<f64> = (search.target.iter().zip(&start.mass))
            .map(|(nu, mass)| nu - mass)
            .collect();
        let step = moves(search, &kept, &missing, epsilon, together);
        if search.try_hard(&start.offsets, &step, 1.0).1 {
            continue;
        }
        if !together {
            break;
        }
        together = false;
    }
}

/// Returns how far each class moves, `[C]`.
fn moves(
    search: &Search<'_>,
    kept: &Kept,
    missing: &[f64],
    epsilon: f64,
    together: bool,
) -> Vec<f64> {
    let sample = search.sample.largest_weight();
    let share = |class: usize| missing[class].powi(2) / search.target[class];
    let worst = (0..missing.len()).max_by(|&a, &b| share(a).total_cmp(&share(b)));
    let chosen: Vec<bool> = (0..missing.len())
        .map(|class| {
            if together {
                search.target[class] <= RARE * sample && missing[class].abs() >= OFF * sample
            } else {
                worst == Some(class)
            }
        })
        .collect();
    let mut gaps: Vec<Vec<(f64, f64)>> = vec![Vec::new(); missing.len()];
    kept.each_gap(epsilon, |class, gap, weight| {
        // A positive gap is the distance to a sample of another class, a negative gap the margin of a sample of this
        // class.
        if chosen[class] && (gap > 0.0) == (missing[class] > 0.0) {
            gaps[class].push((gap.abs(), weight));
        }
    });
    gaps.iter_mut()
        .zip(missing)
        .map(|(gaps, missing)| {
            gaps.sort_by(|a, b| a.0.total_cmp(&b.0));
            missing.signum() * distance(gaps, missing.abs())
        })
        .collect()
}

/// Returns how far a border moves over samples at `gaps`, with their weights, so that it passes the weight closest to
/// `mass`: halfway to the first sample that it does not pass.
fn distance(gaps: &[(f64, f64)], mass: f64) -> f64 {
    let (mut passed, mut last) = (0.0, 0.0);
    for &(gap, weight) in gaps {
        if passed + weight / 2.0 > mass {
            return f64::midpoint(last, gap);
        }
        passed += weight;
        last = gap;
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{cosine, search_for, skewed};
    use crate::{Method, Scores};

    #[test]
    fn border_stops_between_samples() {
        let gaps = [(1.0, 0.25), (2.0, 0.25), (4.0, 0.25)];
        let check =
            |mass: f64, expect: f64| assert_eq!(distance(&gaps, mass).to_bits(), expect.to_bits());
        check(0.1, 0.5);
        check(0.25, 1.5);
        check(0.4, 3.0);
        check(9.0, 4.0);
        assert_eq!(distance(&[], 1.0).to_bits(), 0.0_f64.to_bits());
    }

    #[test]
    fn rare_classes_get_their_samples() {
        // The target of the smallest of 200 classes is two of 4,000 samples; without offsets nearly all classes are
        // off.
        let (z, w) = cosine(4_000, 200, 16, 3);
        let scores = Scores::product(&z, &w, 16, 16.0).unwrap();
        let mut search = search_for(&scores, skewed(200, 0.03), 1e-9, 100, vec![0.0; 200]);
        search.method = Method::NewtonCg;
        search.look();
        let before = search.best.chi_square;
        settle(&mut search, 2.0);
        let after = search.best.chi_square;
        assert!(after < before / 2.0, "{after} of {before}");
    }
}
