//! Memory of images that are no longer needed, for the next ones.
//!
//! The allocator returns blocks of this size to the system, and getting fresh pages costs about as much as filling
//! them. A training step needs the same blocks as the one before.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use burn_flex::{FlexTensor, Layout};

/// Floats that are kept at most: 2 GiB.
const MOST: usize = 1 << 29;
/// Floats below which the allocator does well.
const LEAST: usize = 1 << 14;

/// Free blocks by capacity.
#[derive(Default)]
struct Free {
    blocks: BTreeMap<usize, Vec<Vec<f32>>>,
    floats: usize,
}

static FREE: Mutex<Free> = Mutex::new(Free {
    blocks: BTreeMap::new(),
    floats: 0,
});

/// `len` floats of any value.
pub(crate) fn take(len: usize) -> Vec<f32> {
    let mut block = reuse(len).unwrap_or_default();
    block.resize(len, 0.0);
    block
}

/// The smallest free block that has room for `len` floats and is not much too large.
fn reuse(len: usize) -> Option<Vec<f32>> {
    let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
    let (&capacity, blocks) = free.blocks.range_mut(len..=len * 2).next()?;
    let block = blocks.pop();
    if blocks.is_empty() {
        free.blocks.remove(&capacity);
    }
    free.floats -= capacity;
    block
}

/// Keeps the memory of `x` if nobody else holds it.
pub(crate) fn give(x: FlexTensor) {
    let len = x.bytes().len() / size_of::<f32>();
    if len < LEAST || !x.is_unique() {
        return;
    }
    // As one row the data come out as they lie, without a copy.
    let row = x.with_layout(Layout::contiguous([len].into()));
    let Ok(block) = row.into_data().into_bytes().try_into_vec::<f32>() else {
        return;
    };
    let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
    if free.floats + block.capacity() <= MOST {
        free.floats += block.capacity();
        free.blocks.entry(block.capacity()).or_default().push(block);
    }
}
