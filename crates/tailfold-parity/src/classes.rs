//! Per-class recalls, with p-values that are corrected for the number of classes.

use crate::ComparedModel;
use crate::groups::ModelGroups;
use crate::image::Image;
use crate::paired::more_lost_than_gained;
use crate::report::{ClassComparison, WorstClass};
use crate::tally::Tally;

/// Number of classes listed as the worst.
const WORST: usize = 5;

/// Compares every class with images, in label order.
pub(crate) fn classes(
    tallies: &[Tally],
    images: &[Image],
    model: &ComparedModel,
    groups: &ModelGroups,
) -> Vec<ClassComparison> {
    let mut decided = vec![(0, 0); tallies.len()];
    for image in images {
        if let Some(class) = image.before.class() {
            decided[class].0 += 1;
        }
        if let Some(class) = image.after.class() {
            decided[class].1 += 1;
        }
    }
    let mut classes: Vec<ClassComparison> = tallies
        .iter()
        .zip(&decided)
        .enumerate()
        .filter_map(|(class, (tally, &(before, after)))| {
            let loss_p = more_lost_than_gained(tally.gained, tally.lost);
            Some(ClassComparison {
                class,
                name: model.classes[class].clone(),
                group: groups.get(class),
                train_count: model.train_counts[class],
                images: tally.images,
                reference_recall: tally.reference_recall()?,
                candidate_recall: tally.candidate_recall()?,
                gained: tally.gained,
                lost: tally.lost,
                loss_p,
                loss_p_holm: loss_p,
                reference_decisions: before,
                candidate_decisions: after,
            })
        })
        .collect();
    let adjusted = holm(&classes.iter().map(|class| class.loss_p).collect::<Vec<_>>());
    for (class, p) in classes.iter_mut().zip(adjusted) {
        class.loss_p_holm = p;
    }
    classes
}

/// Holm's step-down adjustment: multiplies the i-th smallest of m p-values by m - i + 1, and raises it to at least
/// the adjusted value before it and limits it to 1.
fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut adjusted = vec![1.0; p.len()];
    let mut least = 0.0_f64;
    for (rank, &at) in order.iter().enumerate() {
        least = least.max((p.len() - rank) as f64 * p[at]).min(1.0);
        adjusted[at] = least;
    }
    adjusted
}

/// The classes with the largest loss, worst first.
pub(crate) fn worst(classes: &[ClassComparison]) -> Vec<WorstClass> {
    let mut worse: Vec<WorstClass> = classes
        .iter()
        .filter(|class| class.lost > class.gained)
        .map(|class| WorstClass {
            class: class.class,
            name: class.name.clone(),
            group: class.group,
            train_count: class.train_count,
            images: class.images,
            reference_recall: class.reference_recall,
            candidate_recall: class.candidate_recall,
            delta_pp: 100.0 * (class.candidate_recall - class.reference_recall),
        })
        .collect();
    worse.sort_by(|a, b| {
        a.delta_pp
            .total_cmp(&b.delta_pp)
            .then(a.class.cmp(&b.class))
    });
    worse.truncate(WORST);
    worse
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holm_matches_statsmodels() {
        // statsmodels 0.14.6, multipletests(p, method="holm").
        let p = [0.01, 0.04, 0.03, 0.005, 0.9, 0.03];
        let expected = [0.05, 0.12, 0.12, 0.03, 0.9, 0.12];
        for (found, expected) in holm(&p).iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        }
        assert_eq!(holm(&[]), [0.0; 0]);
        assert_eq!(holm(&[0.7, 0.8]), [1.0, 1.0]);
    }
}
