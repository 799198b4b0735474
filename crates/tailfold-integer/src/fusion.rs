//! Fusion of residual additions into the convolution before them.

use std::collections::{BTreeMap, BTreeSet};

use tailfold_kernels::{Addend, Operation, Place};

use crate::draft::Draft;

/// Removes from `layers`, which run in this order, each sum whose later term is the result of a convolution
/// without other readers: the convolution adds the other term before it writes its result.
///
/// Returns the index of the convolution's layer for the index of each removed sum.
pub(crate) fn fuse(layers: &mut Vec<(usize, Draft)>) -> BTreeMap<usize, usize> {
    let mut wires = Wires::of(layers);
    let mut fused = BTreeMap::new();
    let mut gone = BTreeSet::new();
    for at in 0..layers.len() {
        let Some(Fusion {
            convolution,
            addend,
            output,
        }) = wires.fusion(layers, at)
        else {
            continue;
        };
        if let Operation::Conv {
            residual,
            output: place,
            ..
        } = &mut layers[convolution].1.operation
        {
            *residual = Some(addend);
            *place = Place::Tensor(output);
        }
        wires.writer.insert(output, convolution);
        fused.insert(layers[at].0, layers[convolution].0);
        gone.insert(at);
    }
    let mut at = 0;
    layers.retain(|_| {
        at += 1;
        !gone.contains(&(at - 1))
    });
    fused
}

/// The writer and the number of reads of each tensor.
struct Wires {
    /// Position among the layers.
    writer: BTreeMap<usize, usize>,
    reads: BTreeMap<usize, usize>,
}

/// A sum that a convolution can compute.
struct Fusion {
    /// Position of the convolution among the layers.
    convolution: usize,
    /// The tensor that the convolution adds.
    addend: Addend,
    /// The tensor of the sum.
    output: usize,
}

impl Wires {
    fn of(layers: &[(usize, Draft)]) -> Self {
        let mut wires = Self {
            writer: BTreeMap::new(),
            reads: BTreeMap::new(),
        };
        for (at, (_, draft)) in layers.iter().enumerate() {
            if let Some(tensor) = draft.operation.writes() {
                wires.writer.insert(tensor, at);
            }
            for tensor in draft.operation.reads() {
                *wires.reads.entry(tensor).or_insert(0) += 1;
            }
        }
        wires
    }

    /// Returns the fusion of the layer at `at`; `None` when it is not a sum or no convolution can compute it.
    fn fusion(&self, layers: &[(usize, Draft)], at: usize) -> Option<Fusion> {
        let Operation::Add {
            inputs: [a, b],
            weights,
            clamp,
            output,
        } = layers[at].1.operation
        else {
            return None;
        };
        let (of_a, of_b) = (*self.writer.get(&a)?, *self.writer.get(&b)?);
        // The sum of a tensor with itself only changes the scale and has no other term.
        let (convolution, own, (input, weights)) = match of_a.cmp(&of_b) {
            std::cmp::Ordering::Less => (of_b, b, (a, [weights[1], weights[0]])),
            std::cmp::Ordering::Greater => (of_a, a, (b, weights)),
            std::cmp::Ordering::Equal => return None,
        };
        let free = matches!(
            layers[convolution].1.operation,
            Operation::Conv {
                groups: 1,
                residual: None,
                ..
            }
        );
        let alone = self.reads.get(&own) == Some(&1);
        (free && alone).then_some(Fusion {
            convolution,
            addend: Addend {
                input,
                weights,
                clamp,
            },
            output,
        })
    }
}
