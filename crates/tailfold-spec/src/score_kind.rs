//! The kind of scores at a model's output, and probabilities from logits.

use serde::{Deserialize, Serialize};

use crate::softmax;

/// Kind of the scores at a model's output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScoreKind {
    /// Logits: real numbers whose softmax gives probabilities.
    #[default]
    Logit,
    /// Logarithms of probabilities, as from LogSoftmax.
    LogProbability,
    /// Probabilities that sum to 1, as from Softmax.
    Probability,
    /// One independent probability per class, as from Sigmoid.
    IndependentProbability,
}

impl ScoreKind {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Logit => "logit",
            Self::LogProbability => "log_probability",
            Self::Probability => "probability",
            Self::IndependentProbability => "independent_probability",
        }
    }

    /// Returns the probability of each class for the `logits` of one image, both `[num_classes]`.
    ///
    /// [`Self::IndependentProbability`] applies the sigmoid to each logit, the other kinds the softmax to all.
    pub fn probabilities(self, logits: &[f32]) -> Vec<f64> {
        match self {
            Self::IndependentProbability => logits
                .iter()
                .map(|&v| 1.0 / (1.0 + (-f64::from(v)).exp()))
                .collect(),
            _ => softmax(logits),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sigmoid_is_applied_to_each_class_alone() {
        let logits = [0.0_f32, 2.0, -1.5];
        let each = ScoreKind::IndependentProbability.probabilities(&logits);
        // Python: 1 / (1 + math.exp(-x)).
        let expect = [0.5, 0.880_797_077_977_882_4, 0.182_425_523_806_356_34];
        for (found, expect) in each.iter().zip(expect) {
            assert!((found - expect).abs() < 1e-15, "{found} {expect}");
        }
        let all = ScoreKind::Probability.probabilities(&logits);
        assert!((all.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }
}
