//! Accuracy of each way to serve a prior on the test images.

use tailfold_spec::{ClassGroups, Group, Mean};

use super::arm_report::{ArmReport, Difference, PriorReport};
use super::arms::Arm;
use super::resample::draw;
use crate::expected::{Weighted, by_class, right};
use crate::{AskedPrior, ExportError, Scored};

/// The test images under one prior.
pub(super) struct Under<'a> {
    pub(super) test: &'a Scored,
    pub(super) prior: &'a AskedPrior,
    /// Number of training images per class.
    pub(super) train_counts: &'a [u64],
    /// Drawn sets, as indices of test images.
    pub(super) sets: Vec<Vec<usize>>,
}

/// The decisions of an arm, and whether each one is right.
struct Judged<'a> {
    arm: &'a Arm,
    /// Top-1 classes, `[n]`.
    decisions: Vec<usize>,
    /// 1 for a right decision, 0 for a wrong one, `[n]`.
    right: Vec<f64>,
}

impl<'a> Under<'a> {
    /// Draws one set per seed for `prior`, the prior with index `place`, with `counts` images per class.
    pub(super) fn new(
        test: &'a Scored,
        (place, prior): (usize, &'a AskedPrior),
        train_counts: &'a [u64],
        counts: &[usize],
        seeds: u64,
    ) -> Self {
        let sets = (0..seeds).map(|seed| draw(&test.labels, counts, seed, place));
        Self {
            test,
            prior,
            train_counts,
            sets: sets.collect(),
        }
    }

    /// Measures all arms, and the differences between the solved arms and `references`.
    pub(super) fn measure(
        &self,
        arms: &[Arm],
        references: &[&str],
        counts: Vec<usize>,
    ) -> Result<PriorReport, ExportError> {
        let judged: Vec<Judged<'_>> = arms
            .iter()
            .map(|arm| {
                let decisions = self.test.decisions(&arm.offsets)?;
                let right = right(&decisions, &self.test.labels);
                Ok(Judged {
                    arm,
                    decisions,
                    right,
                })
            })
            .collect::<Result<_, ExportError>>()?;
        let solved = || judged.iter().filter(|j| j.arm.stop.is_some());
        let reference = |name: &&str| judged.iter().find(|j| j.arm.name == *name);
        let differences = references.iter().filter_map(reference).flat_map(|minus| {
            solved().map(move |judged| Difference {
                arm: judged.arm.name,
                minus: minus.arm.name,
                expected: self.expected(&difference(&judged.right, &minus.right)),
                drawn: self.drawn(&difference(&judged.right, &minus.right)),
            })
        });
        Ok(PriorReport {
            prior: self.prior.name.clone(),
            masses: self.prior.masses.clone(),
            drawn_counts: counts,
            effective_images: self.weighted().effective_images(),
            arms: judged.iter().map(|judged| self.row(judged)).collect(),
            differences: differences.collect(),
        })
    }

    fn weighted(&self) -> Weighted<'_> {
        Weighted::new(&self.test.labels, &self.prior.masses)
    }

    fn row(&self, judged: &Judged<'_>) -> ArmReport {
        let arm = judged.arm;
        let recalls = by_class(&judged.right, &self.test.labels, self.test.classes());
        let recalls: Vec<Option<f64>> =
            recalls.iter().map(|(mean, _)| Some(100.0 * mean)).collect();
        let groups = ClassGroups::from_counts(self.train_counts);
        let group = |group| groups.mean(group, &recalls);
        let answered = self.weighted().answered(&judged.decisions);
        let misplaced = answered.iter().zip(&self.prior.masses);
        ArmReport {
            name: arm.name,
            title: arm.title,
            expected: self.expected(&judged.right),
            drawn: self.drawn(&judged.right),
            many: group(Group::Many),
            medium: group(Group::Medium),
            few: group(Group::Few),
            misplaced: 50.0 * misplaced.map(|(m, nu)| (m - nu).abs()).sum::<f64>(),
            offsets: arm.offsets.clone(),
            stop: arm.stop.clone(),
        }
    }

    /// Returns the mean of `values` over all test images, weighted by the prior, in percent.
    fn expected(&self, values: &[f64]) -> Mean {
        self.weighted().mean(values).times(100.0)
    }

    /// Returns the mean of `values` over the drawn sets, in percent.
    fn drawn(&self, values: &[f64]) -> Option<Mean> {
        let mean = |set: &Vec<usize>| {
            100.0 * set.iter().map(|&i| values[i]).sum::<f64>() / set.len() as f64
        };
        Mean::of(&self.sets.iter().map(mean).collect::<Vec<f64>>())
    }
}

fn difference(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}
