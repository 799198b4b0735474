//! Faults of folding: the offsets in the head's bias are exchanged, left out, subtracted or added twice.

use super::trial::{Bench, Caught, Fault, Trial, Way, with};
use crate::programs::{finish, xtask};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "offsets swapped between the most frequent and the rarest class",
        caught: Caught::Fails("many"),
        plant: swapped,
    },
    Fault {
        name: "offsets dropped",
        caught: Caught::Fails("medium"),
        plant: dropped,
    },
    Fault {
        name: "offsets with the wrong sign",
        caught: Caught::Fails("medium"),
        plant: wrong_sign,
    },
    Fault {
        name: "offsets folded twice",
        caught: Caught::Fails("few"),
        plant: twice,
    },
];

/// The shipped model with a changed bias. `edit` receives the bias and its folded offsets.
fn rebiased(bench: &Bench, way: Way, edit: fn(&mut [f32], &[f32])) -> Option<Trial> {
    Some(Trial::of(bench.edited(|model| {
        let offsets = model.card().unwrap().offsets.unwrap().offsets;
        with(model, "head.bias", |_, bias| {
            if way.is_faulty() {
                edit(bias, &offsets);
            }
        });
    })))
}

fn swapped(bench: &Bench, way: Way) -> Option<Trial> {
    rebiased(bench, way, |bias, offsets| {
        bias[0] += offsets[9] - offsets[0];
        bias[9] += offsets[0] - offsets[9];
    })
}

/// Exports the model without offsets. By default, the exporter makes the shipped file.
fn dropped(bench: &Bench, way: Way) -> Option<Trial> {
    let out = bench.at("candidate.onnx");
    let mut export = xtask();
    export.args(["export", "--run", "models/fashion-lt", "--out", &out]);
    if way.is_faulty() {
        export.args(["--offsets", "drop"]);
    }
    finish(&mut export).ended_with(0);
    Some(Trial::of(out))
}

fn wrong_sign(bench: &Bench, way: Way) -> Option<Trial> {
    rebiased(bench, way, |bias, offsets| {
        bias.iter_mut()
            .zip(offsets)
            .for_each(|(b, o)| *b -= 2.0 * o);
    })
}

fn twice(bench: &Bench, way: Way) -> Option<Trial> {
    rebiased(bench, way, |bias, offsets| {
        bias.iter_mut().zip(offsets).for_each(|(b, o)| *b += o);
    })
}
