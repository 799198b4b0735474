//! What the numbers at the output of a model file are, and the probabilities that follow from its logits.

use serde::{Deserialize, Serialize};

use crate::softmax;

/// What the numbers at a file's output are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScoreKind {
    /// Any real number; a softmax makes probabilities of them.
    #[default]
    Logit,
    /// Logarithms of probabilities, as LogSoftmax makes them.
    LogProbability,
    /// Probabilities that sum to 1, as Softmax makes them.
    Probability,
    /// A probability for each class by itself, as Sigmoid makes them.
    IndependentProbability,
}

impl ScoreKind {
    /// As in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Logit => "logit",
            Self::LogProbability => "log_probability",
            Self::Probability => "probability",
            Self::IndependentProbability => "independent_probability",
        }
    }

    /// The probability of each class, for the `logits` of one image: each class by itself where the file has a sigmoid, the
    /// softmax of all otherwise. In f64.
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
    fn sigmoid_scores_each_class_by_itself() {
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
