//! Metadata of another model.

use tailfold_spec::ModelCard;

use super::trial::{Bench, Caught, Fault, INT8, Trial, Way};
use crate::programs::{finish, xtask};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "stale metadata: quantized from an older float file",
        caught: Caught::Refused("float file", "was quantized from the file with SHA-256"),
        plant: older,
    },
    Fault {
        name: "stale metadata: training counts of another data set",
        caught: Caught::Refused(
            "training counts",
            "class 0 `T-shirt/top` has 1000 training images",
        ),
        plant: |bench, way| {
            Some(recarded(bench, way, |card| {
                card.train_counts = vec![600; 10]
            }))
        },
    },
    Fault {
        name: "stale metadata: classes in another order",
        caught: Caught::Refused("classes", "the same classes in another order"),
        plant: |bench, way| Some(recarded(bench, way, |card| card.classes.swap(8, 9))),
    },
];

/// Exports the float model again with other offsets, but keeps the quantized file.
fn older(bench: &Bench, way: Way) -> Option<Trial> {
    let shipped = "models/fashion-lt/fashion-lt.onnx".to_owned();
    let out = if way.is_faulty() {
        let out = bench.at("reference.onnx");
        let mut export = xtask();
        export.args(["export", "--run", "models/fashion-lt", "--out", &out]);
        finish(export.args(["--offsets", "drop"])).ended_with(0);
        out
    } else {
        // The candidate was quantized from this file.
        shipped
    };
    let trial = Trial {
        reference: out,
        ..Trial::of(INT8.to_owned())
    };
    Some(trial.alone(&["--allow-other-float"]))
}

/// The quantized model with an edited card, with which no comparison is possible.
fn recarded(bench: &Bench, way: Way, edit: fn(&mut ModelCard)) -> Trial {
    let mut trial = Trial::of(bench.edited_from("fashion-lt.int8.onnx", |model| {
        let mut card = model.card().unwrap();
        if way.is_faulty() {
            edit(&mut card);
        }
        model.set_card(&card);
    }));
    trial.alone = None;
    trial
}
