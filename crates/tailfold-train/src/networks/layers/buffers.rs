//! Reuse of the memory of images that are no longer needed.
//!
//! The allocator returns blocks of this size to the system, and getting fresh pages costs about as much as filling
//! them. A training step needs the same blocks as the step before.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use burn_flex::{FlexTensor, Layout};

/// Largest number of floats in free blocks: 2 GiB.
const MOST: usize = 1 << 29;
/// Number of floats below which the allocator is fast enough.
const LEAST: usize = 1 << 14;

/// Free blocks by capacity.
#[derive(Default)]
struct Free {
    blocks: BTreeMap<usize, Vec<Vec<f32>>>,
    floats: usize,
    /// Number of blocks taken and not yet given back, by capacity. At most this many blocks are accepted back, because
    /// the back end's own tensors are given too, and each step creates new ones.
    lent: BTreeMap<usize, usize>,
}

static FREE: Mutex<Free> = Mutex::new(Free {
    blocks: BTreeMap::new(),
    floats: 0,
    lent: BTreeMap::new(),
});

/// Returns `len` floats with unspecified values.
pub(crate) fn take(len: usize) -> Vec<f32> {
    if len < LEAST {
        return vec![0.0; len];
    }
    let mut block = {
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        let block = free.reuse(len).unwrap_or_else(|| Vec::with_capacity(len));
        *free.lent.entry(block.capacity()).or_default() += 1;
        block
    };
    block.resize(len, 0.0);
    block
}

impl Free {
    /// Takes the smallest free block with room for `len` floats and at most twice that size.
    fn reuse(&mut self, len: usize) -> Option<Vec<f32>> {
        let (&capacity, blocks) = self.blocks.range_mut(len..=len * 2).next()?;
        let block = blocks.pop();
        if blocks.is_empty() {
            self.blocks.remove(&capacity);
        }
        self.floats -= capacity;
        block
    }

    /// Keeps `block` if a block of its size is lent.
    fn keep(&mut self, block: Vec<f32>) {
        let capacity = block.capacity();
        let Some(lent) = self.lent.get_mut(&capacity).filter(|lent| **lent > 0) else {
            return;
        };
        *lent -= 1;
        if self.floats + capacity <= MOST {
            self.floats += capacity;
            self.blocks.entry(capacity).or_default().push(block);
        }
    }
}

/// Keeps the memory of `x` if there is no other reference to it.
pub(crate) fn give(x: FlexTensor) {
    let len = x.bytes().len() / size_of::<f32>();
    if len < LEAST || !x.is_unique() {
        return;
    }
    // As a single row, the data are returned in memory order without a copy.
    let row = x.with_layout(Layout::contiguous([len].into()));
    let Ok(block) = row.into_data().into_bytes().try_into_vec::<f32>() else {
        return;
    };
    let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
    free.keep(block);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_most_as_many_blocks_are_kept_as_were_taken() {
        let mut free = Free::default();
        free.keep(Vec::with_capacity(LEAST));
        assert_eq!(free.floats, 0, "nothing was lent");
        free.lent.insert(LEAST, 2);
        for _ in 0..5 {
            free.keep(Vec::with_capacity(LEAST));
        }
        assert_eq!((free.floats, free.lent[&LEAST]), (2 * LEAST, 0));
        assert!(free.reuse(LEAST / 2 - 1).is_none(), "much too large");
        assert!(free.reuse(LEAST + 1).is_none(), "too small");
        assert!(free.reuse(LEAST).is_some() && free.reuse(LEAST / 2).is_some());
        assert!(free.reuse(LEAST).is_none() && free.floats == 0);
    }
}
