//! The results of two classifiers on one image.

use tailfold_spec::Logits;

/// The result of one classifier on one image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Side {
    /// The top-1 class, the lowest class in a tie; `None` when a logit is NaN or infinite. Such an image has no
    /// decision and counts as wrong.
    pub(crate) class: Option<u32>,
    /// Whether the largest logit occurs more than once.
    pub(crate) tied: bool,
    /// Whether the label's logit is one of the largest.
    pub(crate) label_at_top: bool,
    /// Probability of the top-1 class.
    pub(crate) confidence: f32,
    /// Probability of the label.
    pub(crate) label_probability: f32,
}

/// The probabilities of one row of logits. The buffer is reused from row to row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Softmax {
    /// `[classes]`; empty for a row with a NaN or infinite logit.
    pub(crate) probabilities: Vec<f32>,
    /// Logarithm of the sum of the exponentials of the logits.
    pub(crate) log_sum: f64,
}

/// The results of both classifiers on one image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Image {
    pub(crate) label: u32,
    pub(crate) before: Side,
    pub(crate) after: Side,
}

impl Side {
    /// Computes the decision and the probabilities of `row`.
    pub(crate) fn of(row: &[f32], label: usize, softmax: &mut Softmax) -> Self {
        let probabilities = &mut softmax.probabilities;
        probabilities.clear();
        let Some((class, tied)) = Logits::top1(row) else {
            return Self {
                class: None,
                tied: false,
                label_at_top: false,
                confidence: 0.0,
                label_probability: 0.0,
            };
        };
        let top = row[class];
        probabilities.extend(row.iter().map(|value| (value - top).exp()));
        let sum: f64 = probabilities.iter().copied().map(f64::from).sum();
        #[expect(
            clippy::cast_possible_truncation,
            reason = "1 to the number of classes"
        )]
        let share = (1.0 / sum) as f32;
        softmax.log_sum = f64::from(top) + sum.ln();
        probabilities.iter_mut().for_each(|p| *p *= share);
        Self {
            class: u32::try_from(class).ok(),
            tied,
            label_at_top: row[label] >= top,
            confidence: probabilities[class],
            label_probability: probabilities[label],
        }
    }

    pub(crate) fn class(&self) -> Option<usize> {
        self.class.map(|class| class as usize)
    }

    pub(crate) fn is(&self, label: u32) -> bool {
        self.class == Some(label)
    }
}

impl Image {
    pub(crate) fn label(&self) -> usize {
        self.label as usize
    }

    /// Whether the two classifiers decide differently, or one has no decision.
    pub(crate) fn is_flip(&self) -> bool {
        self.before.class.is_none() || self.before.class != self.after.class
    }

    pub(crate) fn was_right(&self) -> bool {
        self.before.is(self.label)
    }

    pub(crate) fn is_right(&self) -> bool {
        self.after.is(self.label)
    }
}
