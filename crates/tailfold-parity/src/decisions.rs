//! What a classifier decided, image by image.

use tailfold_spec::Logits;

/// The winning class of every image, and how many images had none or more than one.
pub(crate) struct Decisions {
    /// `[images]`; `None` where a logit is NaN or infinite: such a row decides nothing and counts as wrong.
    pub(crate) top1: Vec<Option<usize>>,
    /// Images whose largest logit occurs more than once.
    pub(crate) ties: usize,
    /// Images with a NaN or infinite logit.
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
