//! In-place accumulation of the gradients of tensors that are used twice.
//!
//! The back end is slow at adding channels-last tensors, and the skip connection of every block needs such a sum.
//! Therefore an operation here takes an existing gradient of its input out and adds its own gradient while computing
//! it.

use std::cell::RefCell;
use std::collections::HashSet;

use burn::backend::Flex;
use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::grads::Gradients;
use burn_flex::FlexTensor;
use rayon::prelude::*;

use super::buffers::give;
use super::channels_last::{change, image_values};

thread_local! {
    /// Nodes with a gradient from one of these operations, in a backward pass of this thread: the container does not
    /// offer this query.
    static GIVEN: RefCell<HashSet<NodeId>> = RefCell::new(HashSet::new());
}

/// Number of values that one thread adds at a time: some microseconds of work, far more than the scheduling costs.
const CHUNK: usize = 1 << 15;

/// Computes `sum + value`, in the memory of `sum` if there is no other reference to it; both are `[n, c, h, w]`,
/// channels-last.
pub(crate) fn add(sum: FlexTensor, value: FlexTensor) -> FlexTensor {
    let sum = change(sum, |sum| {
        sum.par_chunks_mut(CHUNK)
            .zip(image_values(&value).par_chunks(CHUNK))
            .for_each(|(sum, value)| {
                for (sum, value) in sum.iter_mut().zip(value) {
                    *sum += value;
                }
            });
    });
    give(value);
    sum
}

/// Records that the gradient of `node` has been consumed.
pub(crate) fn used(node: NodeId) {
    GIVEN.with_borrow_mut(|given| given.remove(&node));
}

/// Clears the nodes after a backward pass: gradients consumed by the back end's own operations are not recorded.
pub(crate) fn forget() {
    GIVEN.with_borrow_mut(HashSet::clear);
}

/// Registers `gradient(old)` as the gradient of `node`, where `old` is its gradient so far, if any.
///
/// `take` removes the old gradient; `is_leaf` means that it cannot be removed.
pub(crate) fn accumulate(
    grads: &mut Gradients,
    node: NodeId,
    is_leaf: bool,
    take: impl FnOnce(&mut Gradients) -> FlexTensor,
    gradient: impl FnOnce(Option<FlexTensor>) -> FlexTensor,
) {
    let given = !is_leaf && GIVEN.with_borrow_mut(|given| !given.insert(node));
    let old = given.then(|| take(grads));
    let new = gradient(old);
    grads.register::<Flex>(node, new);
}
