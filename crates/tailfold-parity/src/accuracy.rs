//! Accuracy of one classifier: overall, per class and per group.

use serde::Serialize;
use tailfold_spec::{ClassGroups, Group, Logits};

use crate::decisions::Decisions;
use crate::{ParityError, ParityErrorKind};

/// Accuracy of one classifier on labelled images, as shares in 0..1.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Accuracy {
    /// Number of images.
    pub images: usize,
    /// Share of images that are classified correctly.
    pub overall: f64,
    /// Share of each class's images that are classified correctly, in label order; `None` for a class without images.
    pub per_class: Vec<Option<f64>>,
    /// Mean accuracy of the classes with more than 100 training images.
    pub many: Option<f64>,
    /// Mean accuracy of the classes with 20 to 100 training images.
    pub medium: Option<f64>,
    /// Mean accuracy of the classes with fewer than 20 training images.
    pub few: Option<f64>,
    /// Number of images whose largest logit occurs more than once; the lowest class wins.
    pub ties: usize,
    /// Number of images with a NaN or infinite logit; they count as wrong.
    pub non_finite: usize,
}

impl Accuracy {
    /// Scores `logits` against `labels`, `[images]`; `train_counts` is `[num_classes]` in label order.
    ///
    /// # Errors
    /// [`ParityError`] when lengths do not match, a label is out of range, or there are no images.
    pub fn of(
        logits: &Logits,
        labels: &[usize],
        train_counts: &[u64],
    ) -> Result<Self, ParityError> {
        check_labels(logits, labels)?;
        check_card(logits, "training counts", train_counts.len())?;
        let decisions = Decisions::of(logits);
        let mut images = vec![0_usize; train_counts.len()];
        let mut right = vec![0_usize; train_counts.len()];
        for (&decision, &label) in decisions.top1.iter().zip(labels) {
            images[label] += 1;
            right[label] += usize::from(decision == Some(label));
        }
        let per_class: Vec<Option<f64>> = right
            .iter()
            .zip(&images)
            .map(|(&r, &n)| (n > 0).then(|| r as f64 / n as f64))
            .collect();
        let groups = ClassGroups::from_counts(train_counts);
        Ok(Self {
            images: labels.len(),
            overall: right.iter().sum::<usize>() as f64 / labels.len() as f64,
            many: groups.mean(Group::Many, &per_class),
            medium: groups.mean(Group::Medium, &per_class),
            few: groups.mean(Group::Few, &per_class),
            per_class,
            ties: decisions.ties,
            non_finite: decisions.non_finite,
        })
    }

    /// Mean of the per-class accuracies of one group; `None` when no class of the group has images.
    pub fn group(&self, group: Group) -> Option<f64> {
        match group {
            Group::Many => self.many,
            Group::Medium => self.medium,
            Group::Few => self.few,
        }
    }
}

/// Checks that there is at least one image, and one label below the number of classes per image.
pub(crate) fn check_labels(logits: &Logits, labels: &[usize]) -> Result<(), ParityError> {
    let classes = logits.num_classes();
    if logits.len() != labels.len() {
        return Err(ParityErrorKind::Mismatch.error(format!(
            "{images} images were scored but {labels} labels were given",
            images = logits.len(),
            labels = labels.len()
        )));
    }
    if labels.is_empty() {
        return Err(ParityErrorKind::Empty.error("there are no images to compare"));
    }
    match labels
        .iter()
        .enumerate()
        .find(|(_, label)| **label >= classes)
    {
        Some((row, &label)) => Err(ParityErrorKind::Mismatch.error(format!(
            "image {row} has label {label} but the model has {classes} classes"
        ))),
        None => Ok(()),
    }
}

/// Checks that the model's metadata have one entry per class; `entries` names the entries in errors.
pub(crate) fn check_card(
    logits: &Logits,
    entries: &'static str,
    found: usize,
) -> Result<(), ParityError> {
    let classes = logits.num_classes();
    if found == classes {
        Ok(())
    } else {
        Err(ParityErrorKind::Mismatch.error(format!(
            "the logits have {classes} classes but the model has {found} {entries}"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_means_of_classes_and_undecided_rows_are_wrong() {
        let (x, o) = (f32::NAN, 0.0);
        // The classes are 0 (many), 1 and 2 (few), and 3 (medium, without images).
        let rows = [
            [1.0, o, o, o],   // 0, right
            [1.0, 1.0, o, o], // 0, right by the lowest index of a tie
            [o, 1.0, o, o],   // 1, right
            [o, o, 1.0, o],   // 2, right
            [o, o, o, 1.0],   // 2, wrong
            [o, o, 9.0, x],   // 2, no decision
            [o, 1.0, o, o],   // 2, wrong
        ];
        let logits = Logits::new(rows.concat(), 4).unwrap();
        let accuracy = Accuracy::of(&logits, &[0, 0, 1, 2, 2, 2, 2], &[101, 19, 1, 20]).unwrap();
        assert_eq!(accuracy.per_class, [Some(1.0), Some(1.0), Some(0.25), None]);
        assert_eq!(
            Group::ALL.map(|g| accuracy.group(g)),
            [Some(1.0), None, Some(0.625)]
        );
        assert_eq!(
            (accuracy.images, accuracy.ties, accuracy.non_finite),
            (7, 1, 1)
        );
        assert!((accuracy.overall - 4.0 / 7.0).abs() < 1e-15);
    }

    #[test]
    fn bad_inputs_are_named() {
        let logits = Logits::new(vec![0.0; 6], 3).unwrap();
        let check = |labels: &[usize], counts: &[u64], message: &str| {
            assert_eq!(
                Accuracy::of(&logits, labels, counts)
                    .unwrap_err()
                    .to_string(),
                message
            );
        };
        check(
            &[0],
            &[1, 1, 1],
            "2 images were scored but 1 labels were given",
        );
        check(
            &[0, 3],
            &[1, 1, 1],
            "image 1 has label 3 but the model has 3 classes",
        );
        check(
            &[0, 2],
            &[1, 1],
            "the logits have 3 classes but the model has 2 training counts",
        );
        let none = Logits::new(vec![], 3).unwrap();
        let error = Accuracy::of(&none, &[], &[1, 1, 1]).unwrap_err();
        assert_eq!(error.to_string(), "there are no images to compare");
    }
}
