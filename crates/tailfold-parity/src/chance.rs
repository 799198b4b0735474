//! Refuses a reference at chance level: a candidate has no accuracy to lose against it.

use crate::Verdict;
use crate::binomial::at_least;
use crate::image::Image;
use crate::rules::{CHANCE, Rule};

/// Refuses a reference whose decisions match the labels no more often than by chance, by a one-sided exact binomial
/// test at `level`. Labels that are shifted by one, or classes in another order, give such a reference.
///
/// Independent decisions and labels agree on the share
/// `sum over classes of (share of decisions) * (share of labels)`, the chance agreement of Cohen's kappa (Educational
/// and Psychological Measurement 20, 1960). With equally many images per class this is `1 / classes`. The share of
/// the most frequent label would be too strict: on a long-tailed set, a model that is fair to the rare classes may be
/// right less often than a model that always answers the most frequent class.
///
/// Returns `None` also when no number of right decisions could pass the test, because there are too few images or
/// images of a single class, and when the reference has NaN or infinite logits, which another rule covers.
pub(crate) fn refusal(images: &[Image], classes: usize, level: f64) -> Option<Rule> {
    let (mut labels, mut decisions) = (vec![0_u64; classes], vec![0_u64; classes]);
    let mut right = 0;
    for image in images {
        let decision = image.before.class()?;
        labels[image.label()] += 1;
        decisions[decision] += 1;
        right += u64::from(decision == image.label());
    }
    if labels.iter().filter(|&&images| images > 0).count() < 2 {
        return None;
    }
    let all = images.len() as u64;
    let expected: f64 = labels
        .iter()
        .zip(&decisions)
        .map(|(&labels, &decisions)| labels as f64 * decisions as f64 / all as f64)
        .sum();
    let rate = expected / all as f64;
    let p = at_least(all, rate, right);
    if p <= level || at_least(all, rate, all) > level {
        return None;
    }
    Some(Rule {
        name: CHANCE,
        verdict: Verdict::Error,
        sentence: format!(
            "the reference is right on {right} of {all} images, and {expected:.0} would be chance (p {p:.2}): \
             nothing can be compared with it; check the labels, the order of the classes and the preprocessing"
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Side;

    /// An image of class `label`, for which the reference decides `decision`.
    fn image(label: usize, decision: usize) -> Image {
        let mut row = [0.0; 4];
        row[decision] = 1.0;
        let side = Side::of(&row, label, &mut crate::image::Softmax::default());
        Image {
            label: u32::try_from(label).unwrap(),
            before: side,
            after: side,
        }
    }

    fn images(pairs: &[(usize, usize, usize)]) -> Vec<Image> {
        let of = |&(label, decision, number)| vec![image(label, decision); number];
        pairs.iter().flat_map(of).collect()
    }

    #[test]
    fn reference_no_better_than_chance_is_refused() {
        let shifted = images(&[(0, 1, 90), (1, 2, 80), (2, 3, 70), (3, 0, 60), (3, 3, 10)]);
        let reason = refusal(&shifted, 4, 0.05).unwrap();
        assert_eq!((reason.name, reason.verdict), ("chance", Verdict::Error));
        assert!(
            reason.sentence.starts_with(
                "the reference is right on 10 of 310 images, and 77 would be chance (p 1.00)"
            ),
            "{}",
            reason.sentence
        );
        // Always answering the frequent class of a long-tailed set is right on 90 % of the images, and no better than
        // chance.
        assert!(refusal(&images(&[(0, 0, 900), (1, 0, 100)]), 4, 0.05).is_some());
    }

    #[test]
    fn reference_better_than_chance_is_accepted() {
        // This reference is fair to the rare class, and right less often than always answering the frequent class.
        let fair = images(&[(0, 0, 600), (0, 1, 300), (1, 1, 95), (1, 0, 5)]);
        assert!(refusal(&fair, 4, 0.05).is_none());
        assert!(refusal(&images(&[(0, 0, 30), (1, 1, 30), (1, 0, 20)]), 4, 0.05).is_none());
    }

    #[test]
    fn reference_is_accepted_when_test_cannot_decide() {
        assert!(refusal(&images(&[(0, 0, 1), (1, 1, 1)]), 4, 0.05).is_none());
        assert!(refusal(&images(&[(2, 2, 80), (2, 1, 20)]), 4, 0.05).is_none());
        let mut broken = images(&[(0, 1, 50), (1, 0, 50)]);
        assert!(refusal(&broken, 4, 0.05).is_some());
        broken[7].before.class = None;
        assert!(refusal(&broken, 4, 0.05).is_none());
    }
}
