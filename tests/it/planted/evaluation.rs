//! Faults of the evaluation set: shifted labels, repeated images, training images.

use super::trial::{Bench, Caught, FLOAT, Fault, INT8, POLICY, Trial, Way};
use crate::fixture::embedded;

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "labels shifted by one",
        caught: Caught::Refused("chance", "would be chance"),
        plant: shifted,
    },
    Fault {
        name: "an evaluation set with duplicated images",
        caught: Caught::Refused("duplicates", "evaluation images repeat another one"),
        plant: repeated,
    },
    Fault {
        name: "an evaluation set with training images",
        caught: Caught::Refused(
            "training images",
            "30 of 3000 evaluation images are training images",
        ),
        plant: trained_on,
    },
];

/// Increments every label, as if the list numbered classes from 1; the last class becomes the first.
fn shifted(bench: &Bench, way: Way) -> Option<Trial> {
    let test = embedded("split=test");
    let classes = test.classes().len();
    let label = |i: usize| (test.labels()[i] + usize::from(way.is_faulty())) % classes;
    let images = (0..test.len()).map(|i| (test.image(i).unwrap(), label(i)));
    Some(Trial {
        data: bench.data("shifted", images),
        ..Trial::of(INT8.to_owned())
    })
}

/// Repeats six images per class fifty times: as many as the policy requires, but only 60 distinct images.
fn repeated(bench: &Bench, way: Way) -> Option<Trial> {
    let (images, times) = match way {
        Way::Faulty => (embedded("split=test&per-class=6&seed=0"), 50),
        Way::Sound => (embedded("split=test"), 1),
    };
    let all = (0..times * images.len()).map(|i| i % images.len());
    let data = all.map(|i| (images.image(i).unwrap(), images.labels()[i]));
    let tolerant = bench.write(
        "tolerant.toml",
        std::fs::read_to_string(crate::programs::root().join(POLICY)).unwrap()
            + "\nmax_duplicates = 1.0\n",
    );
    Some(
        Trial {
            data: bench.data("repeated", data),
            policy: None,
            options: ["--policy", POLICY].map(str::to_owned).to_vec(),
            ..Trial::of(INT8.to_owned())
        }
        .alone(&["--policy", &tolerant]),
    )
}

/// Exchanges one of a hundred images, three per class, for a training image.
fn trained_on(bench: &Bench, way: Way) -> Option<Trial> {
    let (test, train) = (embedded("split=test"), embedded("split=train&per-class=3"));
    let mut left = [if way.is_faulty() { 3 } else { 0 }; 10];
    let image = |i: usize| {
        let label = test.labels()[i];
        if left[label] == 0 {
            return (test.image(i).unwrap(), label);
        }
        left[label] -= 1;
        let mut of_class = (0..train.len()).filter(|&t| train.labels()[t] == label);
        let chosen = of_class.nth(left[label]).unwrap();
        (train.image(chosen).unwrap(), label)
    };
    Some(
        Trial {
            data: bench.data("trained-on", (0..test.len()).map(image)),
            options: ["--training", "embedded?split=train"]
                .map(str::to_owned)
                .to_vec(),
            ..Trial::of(FLOAT.to_owned())
        }
        .alone(&[]),
    )
}
