//! Counts of one class's images: right in the reference, gained, lost and tied.

use crate::image::Image;

/// Counts over the images of one class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Number of images.
    pub(crate) images: usize,
    /// Right in the reference.
    pub(crate) reference_right: usize,
    /// Wrong in the reference, right in the candidate.
    pub(crate) gained: usize,
    /// Right in the reference, wrong in the candidate.
    pub(crate) lost: usize,
    /// Images with a tie at the top of the candidate's logits.
    pub(crate) ties: usize,
    /// Right in the candidate, but another class has the same logit.
    pub(crate) right_by_tie: usize,
    /// Wrong in the candidate, but the label has the same logit as the top class.
    pub(crate) wrong_by_tie: usize,
}

impl Tally {
    /// One tally per class, in label order. Labels must be below `classes`.
    pub(crate) fn by_class(images: &[Image], classes: usize) -> Vec<Self> {
        let mut tallies = vec![Self::default(); classes];
        for image in images {
            let tally = &mut tallies[image.label()];
            let (was, is) = (image.was_right(), image.is_right());
            tally.images += 1;
            tally.reference_right += usize::from(was);
            tally.gained += usize::from(is && !was);
            tally.lost += usize::from(was && !is);
            tally.ties += usize::from(image.after.tied);
            tally.right_by_tie += usize::from(image.after.tied && is);
            tally.wrong_by_tie += usize::from(image.after.tied && image.after.label_at_top && !is);
        }
        tallies
    }

    /// Sum over all classes.
    pub(crate) fn total(tallies: &[Self]) -> Self {
        tallies.iter().fold(Self::default(), |sum, tally| Self {
            images: sum.images + tally.images,
            reference_right: sum.reference_right + tally.reference_right,
            gained: sum.gained + tally.gained,
            lost: sum.lost + tally.lost,
            ties: sum.ties + tally.ties,
            right_by_tie: sum.right_by_tie + tally.right_by_tie,
            wrong_by_tie: sum.wrong_by_tie + tally.wrong_by_tie,
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
