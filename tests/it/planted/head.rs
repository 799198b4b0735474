//! Faults in the last layer: exchanged rows, wrong biases, NaN logits, logits in 8 bits.

use super::trial::{Bench, Caught, Fault, Trial, Way, with};
use crate::ties::with_int8_logits;

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "two class rows permuted",
        caught: Caught::Fails("few"),
        plant: permuted,
    },
    Fault {
        name: "a tail class never predicted",
        caught: Caught::Fails("few"),
        plant: never,
    },
    Fault {
        name: "a NaN in one class's bias",
        caught: Caught::Refused("finite weights", "`head.bias` has NaN at index 9"),
        plant: nan_bias,
    },
    Fault {
        name: "one NaN logit for one class",
        caught: Caught::Fails("non_finite"),
        plant: nan_logit,
    },
    Fault {
        name: "int8 logits with sorted ids",
        caught: Caught::Fails("ties"),
        plant: int8_logits,
    },
];

/// Exchanges the weights and biases of the two rarest classes.
fn permuted(bench: &Bench, way: Way) -> Option<Trial> {
    Some(Trial::of(bench.edited(|model| {
        for name in ["head.weight", "head.bias"] {
            with(model, name, |shape, values| {
                let row = values.len() / shape[0];
                let (rest, last) = values.split_at_mut(9 * row);
                if way.is_faulty() {
                    rest[8 * row..].swap_with_slice(last);
                }
            });
        }
    })))
}

/// Gives the rarest class a bias so low that it never wins.
fn never(bench: &Bench, way: Way) -> Option<Trial> {
    Some(Trial::of(bench.edited(|model| {
        with(model, "head.bias", |_, bias| {
            if way.is_faulty() {
                bias[9] = -1e4;
            }
        });
    })))
}

/// Sets a bias to NaN, which is an error before any model runs.
fn nan_bias(bench: &Bench, way: Way) -> Option<Trial> {
    let mut trial = Trial::of(bench.edited(|model| {
        with(model, "head.bias", |_, bias| {
            if way.is_faulty() {
                bias[9] = f32::NAN;
            }
        });
    }));
    trial.alone = None;
    Some(trial)
}

/// Alternates the largest and the smallest finite number in the weights, so that sums are NaN.
fn nan_logit(bench: &Bench, way: Way) -> Option<Trial> {
    Some(Trial::of(bench.edited(|model| {
        with(model, "head.weight", |shape, weights| {
            if way.is_faulty() {
                let last = weights.chunks_exact_mut(shape[1]).last().unwrap();
                for (i, weight) in last.iter_mut().enumerate() {
                    *weight = if i % 2 == 0 { f32::MAX } else { f32::MIN };
                }
            }
        });
    })))
}

/// Quantizes the logits of the shipped INT8 model, as ONNX Runtime's quantizer does by default.
///
/// Logits tie, the lowest class wins a tie, and classes are sorted by frequency.
fn int8_logits(bench: &Bench, way: Way) -> Option<Trial> {
    Some(Trial::of(bench.edited_from(
        "fashion-lt.int8.onnx",
        |model| {
            if way.is_faulty() {
                *model = with_int8_logits(model);
            }
        },
    )))
}
