//! Counts of one class's images: right before, right after, gained and lost.

use crate::decisions::Decisions;

/// Counts over the images of one class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Images.
    pub(crate) images: usize,
    /// Right in the reference.
    pub(crate) reference_right: usize,
    /// Wrong in the reference, right in the candidate.
    pub(crate) gained: usize,
    /// Right in the reference, wrong in the candidate.
    pub(crate) lost: usize,
}

impl Tally {
    /// One tally a class, label order. Labels are below `classes`.
    pub(crate) fn by_class(
        reference: &Decisions,
        candidate: &Decisions,
        labels: &[usize],
        classes: usize,
    ) -> Vec<Self> {
        let mut tallies = vec![Self::default(); classes];
        for ((&before, &after), &label) in reference.top1.iter().zip(&candidate.top1).zip(labels) {
            let tally = &mut tallies[label];
            let (was, is) = (before == Some(label), after == Some(label));
            tally.images += 1;
            tally.reference_right += usize::from(was);
            tally.gained += usize::from(is && !was);
            tally.lost += usize::from(was && !is);
        }
        tallies
    }

    /// Sum over classes.
    pub(crate) fn total(tallies: &[Self]) -> Self {
        tallies.iter().fold(Self::default(), |sum, tally| Self {
            images: sum.images + tally.images,
            reference_right: sum.reference_right + tally.reference_right,
            gained: sum.gained + tally.gained,
            lost: sum.lost + tally.lost,
        })
    }

    /// Share of images that the reference gets right; `None` without images.
    pub(crate) fn reference_recall(&self) -> Option<f64> {
        (self.images > 0).then(|| self.reference_right as f64 / self.images as f64)
    }

    /// Share of images that the candidate gets right; `None` without images.
    pub(crate) fn candidate_recall(&self) -> Option<f64> {
        let right = self.reference_right + self.gained - self.lost;
        (self.images > 0).then(|| right as f64 / self.images as f64)
    }
}
