//! The result of a ladder, as `ablate --json` prints it (schema `tailfold.ablate/1`).

use serde::Serialize;
use tailfold_spec::Mean;

use super::run::{Accuracy, Finished};

/// The result of a ladder. Accuracies are top-1 in percent on the test data, differences in percentage points. Each
/// mean has the standard error over seeds, which is absent for a single seed.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Always `tailfold.ablate/1`.
    pub(super) schema: &'static str,
    /// The ladder's heading.
    pub(super) title: String,
    /// Data, network and machine of the measurement.
    pub(super) measured: Measured,
    /// Arms with a finished run, in the ladder's order.
    pub(super) arms: Vec<ArmReport>,
    /// Differences to the reference arms, over the seeds that both arms finished.
    pub(super) differences: Vec<Difference>,
    /// Failed runs, with their errors.
    pub(super) failed: Vec<Failure>,
}

/// Data, network and machine, which all arms share.
#[derive(Debug, Serialize)]
pub(super) struct Measured {
    /// Training data, without folders of this machine.
    pub(super) train: String,
    pub(super) train_images: u64,
    pub(super) classes: usize,
    /// Test data, without folders of this machine.
    pub(super) test: String,
    pub(super) test_images: usize,
    pub(super) network: String,
    pub(super) parameters: usize,
    /// The smallest and the largest number of epochs of the arms.
    pub(super) epochs: [usize; 2],
    pub(super) seeds: Vec<u64>,
    pub(super) device: String,
    /// Kind of machine: architecture, system, cores.
    pub(super) machine: String,
}

/// The results of one arm.
#[derive(Debug, Serialize)]
pub(super) struct ArmReport {
    pub(super) name: String,
    pub(super) title: String,
    /// Accuracies after the last epoch.
    pub(super) last: Columns,
    /// Best overall accuracy of any epoch. It is selected on the test data, for comparison with publications that do
    /// so.
    pub(super) best_overall: Mean,
    pub(super) runs: Vec<RunReport>,
    #[serde(skip)]
    pub(super) finished: Vec<Finished>,
}

/// The results of one run.
#[derive(Debug, Serialize)]
pub(super) struct RunReport {
    pub(super) seed: u64,
    #[serde(flatten)]
    pub(super) last: Accuracy,
    pub(super) best_overall: f64,
    pub(super) best_epoch: usize,
}

/// Means over seeds; `None` for a group without classes.
#[derive(Debug, Serialize)]
pub(super) struct Columns {
    pub(super) overall: Mean,
    pub(super) many: Option<Mean>,
    pub(super) medium: Option<Mean>,
    pub(super) few: Option<Mean>,
}

/// Differences between an arm and a reference arm, paired by seed.
#[derive(Debug, Serialize)]
pub(super) struct Difference {
    pub(super) arm: String,
    pub(super) minus: String,
    pub(super) seeds: Vec<u64>,
    #[serde(flatten)]
    pub(super) columns: Columns,
}

/// A run that failed.
#[derive(Debug, Serialize)]
pub(super) struct Failure {
    pub(super) arm: String,
    pub(super) seed: u64,
    pub(super) why: String,
}

impl Columns {
    /// Headings of the columns.
    pub(super) const NAMES: [&'static str; 4] = ["overall", "many", "medium", "few"];

    /// Means of accuracies, or of their differences, over several seeds.
    fn over(values: &[Accuracy]) -> Option<Self> {
        let group = |of: fn(&Accuracy) -> Option<f64>| {
            let values: Option<Vec<f64>> = values.iter().map(of).collect();
            values.and_then(|values| Mean::of(&values))
        };
        Some(Self {
            overall: Mean::of(&values.iter().map(|a| a.overall).collect::<Vec<_>>())?,
            many: group(|a| a.many),
            medium: group(|a| a.medium),
            few: group(|a| a.few),
        })
    }

    /// All means, in the order of [`Self::NAMES`].
    pub(super) fn all(&self) -> [Option<Mean>; 4] {
        [Some(self.overall), self.many, self.medium, self.few]
    }
}

impl ArmReport {
    /// Summarises the `finished` runs of an arm; `None` without a run.
    pub(super) fn of(name: &str, title: &str, finished: Vec<Finished>) -> Option<Self> {
        let last: Vec<Accuracy> = finished.iter().map(|run| run.last).collect();
        let best: Vec<f64> = finished.iter().map(|run| run.best_overall).collect();
        let row = |run: &Finished| RunReport {
            seed: run.seed,
            last: run.last,
            best_overall: run.best_overall,
            best_epoch: run.best_epoch,
        };
        Some(Self {
            name: name.to_owned(),
            title: title.to_owned(),
            last: Columns::over(&last)?,
            best_overall: Mean::of(&best)?,
            runs: finished.iter().map(row).collect(),
            finished,
        })
    }
}

impl Difference {
    /// `arm` minus `other` over the seeds that both finished; `None` without a common seed.
    pub(super) fn between(arm: &ArmReport, other: &ArmReport) -> Option<Self> {
        let pairs: Vec<(&RunReport, &RunReport)> = arm
            .runs
            .iter()
            .filter_map(|a| Some((a, other.runs.iter().find(|b| b.seed == a.seed)?)))
            .collect();
        let minus = |a: Option<f64>, b: Option<f64>| Some(a? - b?);
        let differences: Vec<Accuracy> = pairs
            .iter()
            .map(|(a, b)| Accuracy {
                overall: a.last.overall - b.last.overall,
                many: minus(a.last.many, b.last.many),
                medium: minus(a.last.medium, b.last.medium),
                few: minus(a.last.few, b.last.few),
            })
            .collect();
        Some(Self {
            arm: arm.name.clone(),
            minus: other.name.clone(),
            seeds: pairs.iter().map(|(a, _)| a.seed).collect(),
            columns: Columns::over(&differences)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arm(name: &str, runs: &[(u64, f64, Option<f64>)]) -> ArmReport {
        let accuracy = |overall, few| Accuracy {
            overall,
            many: Some(90.0),
            medium: None,
            few,
        };
        let last: Vec<Accuracy> = runs.iter().map(|&(_, o, f)| accuracy(o, f)).collect();
        ArmReport {
            name: name.to_owned(),
            title: name.to_owned(),
            last: Columns::over(&last).unwrap(),
            best_overall: Mean::of(&[1.0]).unwrap(),
            runs: runs
                .iter()
                .map(|&(seed, o, f)| RunReport {
                    seed,
                    last: accuracy(o, f),
                    best_overall: o,
                    best_epoch: 1,
                })
                .collect(),
            finished: Vec::new(),
        }
    }

    #[test]
    fn differences_are_paired_by_seed() {
        // The arms differ by 1 and 3, whereas the seeds differ by 20.
        let a = arm(
            "a",
            &[(0, 61.0, Some(10.0)), (1, 83.0, Some(20.0)), (7, 5.0, None)],
        );
        let b = arm("b", &[(1, 80.0, Some(15.0)), (0, 60.0, Some(15.0))]);
        let found = Difference::between(&a, &b).unwrap();
        assert_eq!(found.seeds, [0, 1]);
        assert!((found.columns.overall.mean - 2.0).abs() < 1e-9);
        assert!((found.columns.overall.standard_error.unwrap() - 1.0).abs() < 1e-9);
        assert!(found.columns.few.unwrap().mean.abs() < 1e-9);
        assert!(found.columns.medium.is_none());
        assert!(Difference::between(&a, &arm("c", &[(9, 1.0, None)])).is_none());
    }
}
