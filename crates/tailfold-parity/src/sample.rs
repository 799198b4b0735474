//! Reports for tests.

use std::collections::BTreeMap;

use tailfold_spec::Logits;

use crate::report::{Run, RunSide};
use crate::{ComparedModel, Policy, Report, Sides, compare};

/// A report on three classes, one per group, with 1000 images each; the candidate loses some images of the two rarer
/// classes.
pub(crate) fn report() -> Report {
    report_of(["ship", "tug\u{1b}[2J", "raft|_"], &Policy::default())
}

/// The same report with the class names `names` and the policy `policy`.
pub(crate) fn report_of(names: [&str; 3], policy: &Policy) -> Report {
    let labels: Vec<usize> = (0..3000).map(|image| image % 3).collect();
    let logits = |wrong: [usize; 3]| {
        let mut left = wrong;
        let values = labels.iter().flat_map(|&label| {
            let miss = left[label] > 0;
            left[label] -= usize::from(miss);
            let class = if miss { (label + 2) % 3 } else { label };
            [0, 1, 2].map(|c| if c == class { 2.0 } else { 0.0 })
        });
        Logits::new(values.collect(), 3).unwrap()
    };
    let card = ComparedModel {
        classes: names.map(str::to_owned).to_vec(),
        train_counts: vec![400, 40, 4],
        ..ComparedModel::default()
    };
    compare(
        &logits([100, 200, 300]),
        &logits([99, 201, 360]),
        &labels,
        &card,
        policy,
    )
    .unwrap()
}

/// Compares a model with itself on too few images.
pub(crate) fn undecided() -> Report {
    let logits = Logits::new(vec![2.0, 1.0, 0.5, 3.0], 2).unwrap();
    let card = ComparedModel {
        classes: vec!["lynx".to_owned(), "cat".to_owned()],
        train_counts: vec![4, 500],
        ..ComparedModel::default()
    };
    compare(&logits, &logits, &[0, 1], &card, &Policy::default()).unwrap()
}

/// Compares two models of `classes` classes on one image per class. The candidate gives the first class for every
/// image; `letters` lengthens the class names.
pub(crate) fn report_of_many(classes: usize, letters: usize) -> Report {
    let labels: Vec<usize> = (0..classes).collect();
    let values = labels
        .iter()
        .flat_map(|&label| (0..classes).map(move |c| if c == label { 2.0 } else { 0.0 }));
    let reference = Logits::new(values.collect(), classes).unwrap();
    let values = labels
        .iter()
        .flat_map(|_| (0..classes).map(|c| if c == 0 { 2.0 } else { 0.0 }));
    let candidate = Logits::new(values.collect(), classes).unwrap();
    let card = ComparedModel {
        name: "many".to_owned(),
        classes: labels
            .iter()
            .map(|c| format!("{c}{}", "<".repeat(letters)))
            .collect(),
        train_counts: labels.iter().map(|&c| 1 + c as u64).collect(),
    };
    compare(&reference, &candidate, &labels, &card, &Policy::default()).unwrap()
}

/// A made-up run.
pub(crate) fn run() -> Run {
    let side = |file: &str, bytes| RunSide {
        file: file.to_owned(),
        bytes,
        nodes: BTreeMap::from([("conv 3x3".to_owned(), 9)]),
        latency: None,
    };
    Run {
        version: "tailfold 0.1.0".to_owned(),
        command: "tailfold parity --data 'folder:a b'".to_owned(),
        data: "folder:a b".to_owned(),
        machine: "x86_64 linux, avx2".to_owned(),
        sides: Sides {
            reference: side("float.onnx", 4000),
            candidate: side("int8.onnx", 1000),
        },
    }
}
