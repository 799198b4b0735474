//! Weights of labelled samples.

use crate::{SolveError, SolveErrorKind};

/// The total weight of each class's samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Weighing {
    /// The class's mass in the prior: the weighted sample looks like deployment.
    #[default]
    Prior,
    /// The same weight for every class: the prior is then each class's share of the feature space.
    Balanced,
}

impl Weighing {
    /// Name in reports: `prior` or `balanced`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Prior => "prior",
            Self::Balanced => "balanced",
        }
    }

    /// Returns the weight of each sample by its label, `[n]`, of any sum, for masses `prior` `[C]`.
    ///
    /// # Errors
    /// [`SolveErrorKind::Label`] when a label is not below `C`.
    pub fn weights(self, labels: &[usize], prior: &[f64]) -> Result<Vec<f64>, SolveError> {
        let counts = counts(labels, prior.len())?;
        // Divided by the largest mass, so that a uniform prior gives the same bits as `Balanced`.
        let largest = prior.iter().copied().fold(0.0, f64::max);
        let class = |y: usize| match self {
            Self::Prior => prior[y] / largest,
            Self::Balanced => 1.0,
        };
        let weight = |&y: &usize| class(y) / f64::from(counts[y]);
        Ok(labels.iter().map(weight).collect())
    }
}

/// Returns the weight `1 / n_y` for each label, so that every class present has the same total mass.
///
/// # Errors
/// [`SolveErrorKind::Label`] when a label is not below `classes`.
pub fn balanced_weights(labels: &[usize], classes: usize) -> Result<Vec<f64>, SolveError> {
    let counts = counts(labels, classes)?;
    Ok(labels.iter().map(|&y| 1.0 / f64::from(counts[y])).collect())
}

/// Number of samples of each class, `[C]`.
fn counts(labels: &[usize], classes: usize) -> Result<Vec<u32>, SolveError> {
    let mut counts = vec![0_u32; classes];
    for (row, &label) in labels.iter().enumerate() {
        *counts.get_mut(label).ok_or_else(|| {
            SolveErrorKind::Label.error(format!(
                "label of row {row} is {label}, but there are {classes} classes"
            ))
        })? += 1;
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balanced_weights_give_each_class_the_same_mass() {
        let weights = balanced_weights(&[0, 0, 0, 1, 2, 2], 4).unwrap();
        assert_eq!(weights, [1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0, 1.0, 0.5, 0.5]);
    }

    #[test]
    fn class_weight_is_its_mass_and_equal_under_uniform_prior() {
        let labels = [0, 0, 1, 2, 2, 2];
        let sums = |weights: &[f64]| {
            let class = |y| {
                let own = labels.iter().zip(weights).filter(move |(l, _)| **l == y);
                own.map(|(_, w)| w).sum::<f64>()
            };
            [0, 1, 2].map(class).to_vec()
        };
        let weights = Weighing::Prior
            .weights(&labels, &[0.5, 0.25, 0.25])
            .unwrap();
        assert_eq!(sums(&weights), [1.0, 0.5, 0.5]);
        let uniform = [1.0 / 3.0; 3];
        let alike = Weighing::Balanced.weights(&labels, &[0.5, 0.25, 0.25]);
        assert_eq!(Weighing::Prior.weights(&labels, &uniform), alike);
        assert_eq!(balanced_weights(&labels, 3), alike);
    }

    #[test]
    fn label_without_a_class_is_named() {
        let message = "label of row 1 is 3, but there are 3 classes";
        let error = balanced_weights(&[0, 3], 3).unwrap_err();
        assert_eq!(error.to_string(), message);
        let error = Weighing::Prior.weights(&[0, 3], &[0.5, 0.25, 0.25]);
        assert_eq!(error.unwrap_err().to_string(), message);
    }
}
