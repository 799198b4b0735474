//! Sums that the convolution before them makes itself.

use std::collections::BTreeMap;

use tailfold_kernels::{Addend, Operation, Place};

use crate::lower::Draft;

/// Takes from `layers`, which run in their order, each sum whose later term is of a convolution that nothing else reads:
/// the convolution adds the other term before it writes its codes. The index of the convolution's layer, by the sum's.
pub(crate) fn fuse(layers: &mut Vec<(usize, Draft)>) -> BTreeMap<usize, usize> {
    let mut fused = BTreeMap::new();
    let mut at = 0;
    while at < layers.len() {
        match convolution(layers, at) {
            Some((before, addend, output)) => {
                if let Operation::Conv {
                    residual,
                    output: place,
                    ..
                } = &mut layers[before].1.operation
                {
                    *residual = Some(addend);
                    *place = Place::Tensor(output);
                }
                let (sum, _) = layers.remove(at);
                fused.insert(sum, layers[before].0);
            }
            None => at += 1,
        }
    }
    fused
}

/// The place in `layers` of the convolution that can make the sum at `at`, what it adds, and the sum's tensor.
fn convolution(layers: &[(usize, Draft)], at: usize) -> Option<(usize, Addend, usize)> {
    let Operation::Add {
        inputs: [a, b],
        weights,
        clamp,
        output,
    } = layers[at].1.operation
    else {
        return None;
    };
    let writer = |tensor| {
        let mut operations = layers.iter().map(|(_, draft)| &draft.operation);
        operations.position(|operation| operation.writes() == Some(tensor))
    };
    let (of_a, of_b) = (writer(a)?, writer(b)?);
    // Each term once: twice the same is a change of scale.
    let (before, own, addend) = match of_a.cmp(&of_b) {
        std::cmp::Ordering::Less => (of_b, b, (a, [weights[1], weights[0]])),
        std::cmp::Ordering::Greater => (of_a, a, (b, weights)),
        std::cmp::Ordering::Equal => return None,
    };
    let reads = layers
        .iter()
        .flat_map(|(_, draft)| draft.operation.reads())
        .filter(|&tensor| tensor == own)
        .count();
    let free = matches!(
        layers[before].1.operation,
        Operation::Conv {
            groups: 1,
            residual: None,
            ..
        }
    );
    let (input, weights) = addend;
    (free && reads == 1).then_some((
        before,
        Addend {
            input,
            weights,
            clamp,
        },
        output,
    ))
}
