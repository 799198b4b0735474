//! Gradients of tensors that are used twice, added in place.
//!
//! A sum over tensors that lie channels last is slow in the back end, and the skip connection of every block needs one.
//! So an operation here that finds a gradient of its input takes it out and adds its own while computing it.

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
    /// Nodes that one of these operations has given a gradient, in a backward pass of this thread: the container
    /// cannot be asked.
    static GIVEN: RefCell<HashSet<NodeId>> = RefCell::new(HashSet::new());
}

/// Values that one thread adds at a time: some microseconds of work, far more than handing it over costs.
const CHUNK: usize = 1 << 15;

/// `sum + value`, in the memory of `sum` where nobody else holds it; both `[n, c, h, w]`, channels last.
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

/// Notes that the gradient of `node` has been used up.
pub(crate) fn used(node: NodeId) {
    GIVEN.with_borrow_mut(|given| given.remove(&node));
}

/// Forgets the nodes of a backward pass that is over: a gradient that the back end's own operation used up is not noted.
pub(crate) fn forget() {
    GIVEN.with_borrow_mut(HashSet::clear);
}

/// Registers what `gradient` makes of the gradient that `node` has so far, if any.
///
/// `take` removes that gradient; `is_leaf` says that it cannot be removed.
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
