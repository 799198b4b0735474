//! Top-1 decisions of one classifier.

use tailfold_spec::Logits;

/// The top-1 class of every image, and the numbers of images with a tie or without a class.
pub(crate) struct Decisions {
    /// Classes, `[images]`; `None` when a logit is NaN or infinite. Such an image has no decision and counts as
    /// wrong.
    pub(crate) top1: Vec<Option<usize>>,
    /// Number of images whose largest logit occurs more than once.
    pub(crate) ties: usize,
    /// Number of images with a NaN or infinite logit.
    pub(crate) non_finite: usize,
}

impl Decisions {
    /// Decides every row by [`Logits::top1`].
    pub(crate) fn of(logits: &Logits) -> Self {
        let mut ties = 0;
        let top1: Vec<Option<usize>> = logits
            .rows()
            .map(|row| {
                Logits::top1(row).map(|(class, tie)| {
                    ties += usize::from(tie);
                    class
                })
            })
            .collect();
        let non_finite = top1.iter().filter(|class| class.is_none()).count();
        Self {
            top1,
            ties,
            non_finite,
        }
    }
}
