//! Whether the reference knows anything on these images: one that does not can be lost without a trace.

use crate::Verdict;
use crate::binomial::at_least;
use crate::image::Image;
use crate::rules::{CHANCE, Rule};

/// Refuses a reference that is not right more often than its decisions would meet the labels by themselves, by a one-sided
/// exact binomial test at `level`; labels that are shifted by one, or classes in another order, look like that.
///
/// Decisions and labels that know nothing of each other agree on the share `sum over classes of (share of decisions) * (share of
/// labels)`, the chance of Cohen's kappa (Educational and Psychological Measurement 20, 1960). On sets with equally many images
/// a class that is `1 / classes`. It is not the share of the most frequent label: on a long-tailed set a model that is fair to
/// the rare classes may be right less often than one that always says the frequent one.
///
/// `None` also where no number of right answers could show it: too few images, or images of a single class. And where the
/// reference has logits that are no numbers, which is another rule's.
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

    /// An image of class `label` to which the reference gives `decision`.
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
    fn a_reference_without_knowledge_is_refused() {
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
        // Always the frequent class, on a long-tailed set: right on 90 %, and no better than that.
        assert!(refusal(&images(&[(0, 0, 900), (1, 0, 100)]), 4, 0.05).is_some());
    }

    #[test]
    fn a_reference_that_knows_something_is_not() {
        // Fair to the rare class, and right less often than the frequent class would be.
        let fair = images(&[(0, 0, 600), (0, 1, 300), (1, 1, 95), (1, 0, 5)]);
        assert!(refusal(&fair, 4, 0.05).is_none());
        assert!(refusal(&images(&[(0, 0, 30), (1, 1, 30), (1, 0, 20)]), 4, 0.05).is_none());
    }

    #[test]
    fn where_nothing_could_show_it_nothing_is_said() {
        assert!(refusal(&images(&[(0, 0, 1), (1, 1, 1)]), 4, 0.05).is_none());
        assert!(refusal(&images(&[(2, 2, 80), (2, 1, 20)]), 4, 0.05).is_none());
        let mut broken = images(&[(0, 1, 50), (1, 0, 50)]);
        assert!(refusal(&broken, 4, 0.05).is_some());
        broken[7].before.class = None;
        assert!(refusal(&broken, 4, 0.05).is_none());
    }
}
