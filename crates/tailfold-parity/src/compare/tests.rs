use tailfold_spec::{Group, Logits};

use crate::{ComparedModel, Policy, Report, Unchecked, Verdict, compare};

mod properties;
mod refusals;
mod rules;
mod verdicts;

/// Training counts of six classes, two per group.
const TRAIN_COUNTS: [u64; 6] = [5000, 500, 90, 30, 12, 5];

fn card() -> ComparedModel {
    ComparedModel {
        name: "pets".to_owned(),
        classes: ["cat", "dog", "fox", "owl", "lynx", "stoat"]
            .map(str::to_owned)
            .to_vec(),
        train_counts: TRAIN_COUNTS.to_vec(),
    }
}

/// `per_class` images of each class, interleaved.
fn labels(per_class: usize) -> Vec<usize> {
    (0..6 * per_class).map(|image| image % 6).collect()
}

/// Logits with the top-1 classes `decisions`, and a runner-up so that the other logits are not all equal.
fn deciding(decisions: &[usize]) -> Logits {
    let row = |&class: &usize| (0..6).map(move |c| if c == class { 4.0 } else { 0.25 * c as f32 });
    Logits::new(decisions.iter().flat_map(row).collect(), 6).unwrap()
}

/// Decisions that equal the labels, except for the first `wrong[class]` images of each class: they go to the next
/// more frequent class (for class 0, to class 1).
fn mistaken(labels: &[usize], wrong: [usize; 6]) -> Vec<usize> {
    let mut left = wrong;
    labels
        .iter()
        .map(|&label| {
            if left[label] == 0 {
                return label;
            }
            left[label] -= 1;
            if label == 0 { 1 } else { label - 1 }
        })
        .collect()
}

fn run(reference: &Logits, candidate: &Logits, labels: &[usize], policy: &Policy) -> Report {
    compare(reference, candidate, labels, &card(), policy).unwrap()
}
