//! Faults in the body: a dead channel.

use super::trial::{Bench, Caught, Fault, Trial, Way, with};

pub(super) const FAULTS: &[Fault] = &[Fault {
    name: "one dead channel",
    caught: Caught::Fails("few"),
    plant: dead,
}];

/// Zeros channel 9 of the 16 channels of the first convolution. Some other channels would cost 20 percentage points
/// or more.
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
