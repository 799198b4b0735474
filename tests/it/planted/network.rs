//! Faults in the body: a channel that says nothing.

use super::trial::{Bench, Caught, Fault, Trial, Way, with};

pub(super) const FAULTS: &[Fault] = &[Fault {
    name: "one dead channel",
    caught: Caught::Fails("few"),
    plant: dead,
}];

/// Channel 9 of the 16 of the first convolution: not one of those that the network lives by, which cost 20 points and more.
fn dead(bench: &Bench, way: Way) -> Option<Trial> {
    Some(Trial::of(bench.edited(|model| {
        for name in ["stem.conv.weight", "stem.conv.bias"] {
            with(model, name, |shape, values| {
                let channel = values.len() / shape[0];
                if way.is_faulty() {
                    values[9 * channel..10 * channel].fill(0.0);
                }
            });
        }
    })))
}
