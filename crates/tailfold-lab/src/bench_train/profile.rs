//! Profile of a training step per layer, with the fused kernels of this library and with burn's own operations.

use serde::{Deserialize, Serialize};

/// A kind of layer, as the program `bench-train --layers` prints it. Times are milliseconds per layer.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Layer {
    channels: [usize; 2],
    kernel: usize,
    stride: usize,
    size: [usize; 2],
    /// Number of layers of this kind in the network.
    layers: usize,
    /// Multiply-accumulates per forward pass.
    macs: u64,
    fused: Times,
    plain: Times,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
struct Times {
    forward: f64,
    backward: f64,
}

impl Times {
    fn sum(self) -> f64 {
        self.forward + self.backward
    }

    /// GFLOP/s of a forward and backward pass. Each of the two gradients costs as much as the forward pass.
    fn gflops(self, macs: u64) -> f64 {
        6.0 * macs as f64 / (1e6 * self.sum())
    }
}

/// The layers of `network` as a table. `step_ms` is the time of a whole step.
pub(super) fn table(network: &str, step_ms: f64, layers: &[Layer]) -> String {
    let mut text = format!(
        "{network}, layer by layer, ms: forward + backward (GFLOP/s)\n{:<24}{:>7}{:>26}{:>26}",
        "", "layers", "fused", "burn's operations"
    );
    let (mut fused, mut plain) = (0.0, 0.0);
    for l in layers {
        let name = format!(
            "{}x{} {:>2} -> {:<2} {}x{}{}",
            l.kernel,
            l.kernel,
            l.channels[0],
            l.channels[1],
            l.size[0],
            l.size[1],
            if l.stride > 1 { " /2" } else { "" }
        );
        let cell = |t: Times| {
            format!(
                "{:.2} + {:.2} ({:.0})",
                t.forward,
                t.backward,
                t.gflops(l.macs)
            )
        };
        text += &format!(
            "\n{name:<24}{:>7}{:>26}{:>26}",
            l.layers,
            cell(l.fused),
            cell(l.plain)
        );
        fused += l.layers as f64 * l.fused.sum();
        plain += l.layers as f64 * l.plain.sum();
    }
    text + &format!(
        "\n{:<24}{:>7}{fused:>26.1}{plain:>26.1}\n{:<24}{:>7}{:>26.1}",
        "all layers",
        "",
        "the rest of a step",
        "",
        step_ms - fused
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sum_counts_every_layer_of_a_kind() {
        let layer = |layers, forward, backward| Layer {
            channels: [16, 32],
            kernel: 3,
            stride: 2,
            size: [16, 16],
            layers,
            macs: 1_000_000,
            fused: Times { forward, backward },
            plain: Times {
                forward: 4.0 * forward,
                backward: 4.0 * backward,
            },
        };
        let text = table("resnet20", 50.0, &[layer(3, 1.0, 2.0), layer(1, 2.0, 4.0)]);
        let last: Vec<&str> = text.lines().rev().take(2).collect();
        assert!(
            last[1].starts_with("all layers") && last[1].ends_with("60.0"),
            "{text}"
        );
        assert!(last[1].contains(" 15.0 "), "{text}");
        assert!(last[0].ends_with(" 35.0"), "{text}");
        assert!(text.contains("3x3 16 -> 32 16x16 /2"), "{text}");
        // 6 MFLOP in 3 ms.
        assert!(text.contains("1.00 + 2.00 (2)"), "{text}");
    }
}
