//! The file format of class offsets: the solver's result, its target masses, and its accuracy.

use serde::{Deserialize, Serialize};

/// Sign with which the offsets `h` enter the training loss: it sees `s + h` or `s - h`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Apply {
    /// The loss sees `s + h`.
    #[default]
    Add,
    /// The loss sees `s - h`.
    Subtract,
}

/// Which offsets the exporter folds into the head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum AtExport {
    /// The training offsets, with the sign they had in the loss.
    #[default]
    Keep,
    /// No offsets: zeros.
    Drop,
    /// Offsets solved again on class-balanced training features for the deployment prior.
    Resolve,
}

/// Deployment prior: the expected frequency of each class.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Prior {
    /// Uniform over the classes.
    #[default]
    Uniform,
    /// The class frequencies of the training set.
    Train,
    /// The class frequencies of the training set in reverse: the most frequent class gets the rarest class's share,
    /// the second most frequent gets the second rarest's, and so on. Label order breaks ties.
    Reversed,
    /// Given masses, `[num_classes]`, positive; they are normalized to sum to 1.
    Masses(Vec<f64>),
}

/// The offsets or prior masses do not fit the model.
#[derive(Debug, thiserror::Error, PartialEq)]
#[non_exhaustive]
pub enum OffsetsError {
    /// The number of values differs from the number of classes.
    #[error("the model has {classes} classes but {found} {quantity} were given")]
    ClassCount {
        /// Kind of values: `offsets` or `prior masses`.
        quantity: &'static str,
        /// Number of classes of the model.
        classes: usize,
        /// Number of values given.
        found: usize,
    },
    /// The value is not usable.
    #[error("{quantity} of class {class} is {value}")]
    Value {
        /// Kind of value: `offset` or `prior mass`.
        quantity: &'static str,
        /// Class index.
        class: usize,
        /// The value.
        value: f64,
    },
}

impl Prior {
    /// Target masses, `[num_classes]`, summing to 1.
    ///
    /// # Errors
    /// [`OffsetsError`] when the length differs from `train_counts` or a mass is zero, negative or not finite.
    pub fn masses(&self, train_counts: &[u64]) -> Result<Vec<f64>, OffsetsError> {
        let classes = train_counts.len();
        let raw = match self {
            Self::Uniform => vec![1.0; classes],
            Self::Train => train_counts.iter().map(|&n| n as f64).collect(),
            Self::Reversed => reversed(train_counts),
            Self::Masses(masses) => masses.clone(),
        };
        if raw.len() != classes {
            return Err(OffsetsError::ClassCount {
                quantity: "prior masses",
                classes,
                found: raw.len(),
            });
        }
        if let Some((class, &value)) = raw
            .iter()
            .enumerate()
            .find(|(_, v)| !v.is_finite() || **v <= 0.0)
        {
            return Err(OffsetsError::Value {
                quantity: "prior mass",
                class,
                value,
            });
        }
        let sum: f64 = raw.iter().sum();
        Ok(raw.iter().map(|v| v / sum).collect())
    }
}

/// Returns, for each class, the count of the class at the mirrored frequency rank.
fn reversed(train_counts: &[u64]) -> Vec<f64> {
    let mut by_frequency: Vec<usize> = (0..train_counts.len()).collect();
    by_frequency.sort_by_key(|&class| std::cmp::Reverse(train_counts[class]));
    let mut masses = vec![0.0; train_counts.len()];
    for (&class, &mirrored) in by_frequency.iter().zip(by_frequency.iter().rev()) {
        masses[class] = train_counts[mirrored] as f64;
    }
    masses
}

/// `offsets.json`: the offsets of a model and their origin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OffsetsRecord {
    /// Always [`OffsetsRecord::SCHEMA`].
    pub schema: String,
    /// Offsets in logits, `[num_classes]`, label order, zero mean; the exporter *adds* them to the raw scores.
    pub offsets: Vec<f32>,
    /// Origin of the offsets: `training`, `zeros` or `resolved`.
    pub origin: String,
    /// Source measure: `sphere`, `balanced-features`, `features` or `none`. An export can also have
    /// `prior-features`, whose classes are weighted by the target, and `balanced-scores` or `prior-scores`, which are
    /// scores of images outside the training set. The suffix `, softmax at temperature T` means that the masses are
    /// mean probabilities, not cell masses.
    pub source: String,
    /// Target masses, `[num_classes]`, which sum to 1.
    pub target: Vec<f64>,
    /// Mass of each Laguerre cell, or mean probability of each class, in the solver's last solution,
    /// `[num_classes]`, before training blends it by `momentum` and negates it for `apply = subtract`.
    pub mass: Vec<f64>,
    /// `sum_j (mass_j - target_j)^2 / target_j`.
    pub chi_square: f64,
    /// Largest `|mass_j - target_j| / target_j`.
    pub largest_relative_error: f64,
    /// Reason why the solver stopped.
    pub stop: String,
}

impl OffsetsRecord {
    /// Name and version of the format.
    pub const SCHEMA: &'static str = "tailfold.offsets/1";

    /// Offsets of zero, which change nothing.
    pub fn zeros(num_classes: usize) -> Self {
        let uniform = vec![1.0 / num_classes as f64; num_classes];
        Self {
            schema: Self::SCHEMA.to_owned(),
            offsets: vec![0.0; num_classes],
            origin: "zeros".to_owned(),
            source: "none".to_owned(),
            target: uniform,
            mass: Vec::new(),
            chi_square: 0.0,
            largest_relative_error: 0.0,
            stop: "not solved".to_owned(),
        }
    }

    /// Checks length and finiteness against a model of `classes` classes.
    ///
    /// # Errors
    /// [`OffsetsError`] naming the class.
    pub fn validate(&self, classes: usize) -> Result<(), OffsetsError> {
        if self.offsets.len() != classes {
            return Err(OffsetsError::ClassCount {
                quantity: "offsets",
                classes,
                found: self.offsets.len(),
            });
        }
        match self
            .offsets
            .iter()
            .enumerate()
            .find(|(_, v)| !v.is_finite())
        {
            Some((class, &value)) => Err(OffsetsError::Value {
                quantity: "offset",
                class,
                value: value.into(),
            }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn priors_are_normalised_and_checked() {
        assert_eq!(Prior::Uniform.masses(&[9, 1]).unwrap(), [0.5, 0.5]);
        assert_eq!(Prior::Train.masses(&[9, 1]).unwrap(), [0.9, 0.1]);
        assert_eq!(
            Prior::Masses(vec![3.0, 1.0]).masses(&[9, 1]).unwrap(),
            [0.75, 0.25]
        );
        // The counts are unsorted, and two of them are equal.
        let reversed = Prior::Reversed.masses(&[20, 50, 20, 10]).unwrap();
        assert_eq!(reversed, [0.2, 0.1, 0.2, 0.5]);
        let message = |prior: Prior| prior.masses(&[9, 1]).unwrap_err().to_string();
        assert_eq!(
            message(Prior::Masses(vec![1.0])),
            "the model has 2 classes but 1 prior masses were given"
        );
        assert_eq!(
            message(Prior::Masses(vec![1.0, 0.0])),
            "prior mass of class 1 is 0"
        );
        assert_eq!(
            Prior::Train.masses(&[9, 0]).unwrap_err().to_string(),
            "prior mass of class 1 is 0"
        );
    }

    #[test]
    fn offsets_survive_json_to_the_bit() {
        let mut record = OffsetsRecord::zeros(3);
        record.offsets = vec![0.1, -1.234_567_9e-7, f32::MIN_POSITIVE];
        let back: OffsetsRecord =
            serde_json::from_str(&serde_json::to_string(&record).unwrap()).unwrap();
        assert_eq!(back, record);
        assert_eq!(
            back.validate(4).unwrap_err().to_string(),
            "the model has 4 classes but 3 offsets were given"
        );
    }
}
