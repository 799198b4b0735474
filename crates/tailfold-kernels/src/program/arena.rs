//! One block of memory, which tensors with disjoint lifetimes share.

use std::ops::RangeInclusive;

/// Places each tensor at the lowest offset where it overlaps no tensor that lives at the same time.
///
/// Each tensor is given as its length and the steps from its first to its last use. Returns the offsets and the total
/// length.
///
/// Offsets are multiples of 32 codes, so that vectors straddle as few cache lines as possible.
pub(super) fn place(tensors: &[(usize, RangeInclusive<usize>)]) -> (Vec<usize>, usize) {
    let mut order: Vec<usize> = (0..tensors.len()).collect();
    // Large tensors are placed first, because small ones fit between them.
    order.sort_by_key(|&t| std::cmp::Reverse(tensors[t].0));
    let mut offsets = vec![0; tensors.len()];
    // The tensors placed so far, in the order of their offsets.
    let mut placed: Vec<usize> = Vec::with_capacity(tensors.len());
    let mut total = 0;
    for tensor in order {
        let (length, life) = &tensors[tensor];
        let mut at: usize = 0;
        for &other in &placed {
            let start = offsets[other];
            if at + length <= start {
                break;
            }
            let (other_length, other_life) = &tensors[other];
            if life.start() <= other_life.end() && other_life.start() <= life.end() {
                at = at.max((start + other_length).next_multiple_of(32));
            }
        }
        offsets[tensor] = at;
        total = total.max(at + length);
        let index = placed.partition_point(|&other| offsets[other] <= at);
        placed.insert(index, tensor);
    }
    (offsets, total)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn tensors_that_live_together_do_not_overlap(
            tensors in prop::collection::vec((1_usize..200, 0_usize..20, 0_usize..5), 1..20),
        ) {
            let tensors: Vec<_> = tensors
                .into_iter()
                .map(|(length, first, more)| (length, first..=first + more))
                .collect();
            let (offsets, total) = place(&tensors);
            for (i, (length, life)) in tensors.iter().enumerate() {
                prop_assert!(offsets[i] + length <= total);
                for (j, (other, other_life)) in tensors.iter().enumerate().take(i) {
                    let together = life.start() <= other_life.end() && other_life.start() <= life.end();
                    let apart = offsets[i] + length <= offsets[j] || offsets[j] + other <= offsets[i];
                    prop_assert!(!together || apart);
                }
            }
        }
    }

    #[test]
    fn chain_needs_memory_of_two_tensors() {
        let chain: Vec<_> = (0..10).map(|i| (64, i..=i + 1)).collect();
        assert_eq!(place(&chain).1, 128);
    }

    #[test]
    fn thousands_of_tensors_with_long_lives_are_placed_in_linear_memory() {
        let tensors: Vec<_> = (0..10_000).map(|i| (32, i..=10_000)).collect();
        let (offsets, total) = place(&tensors);
        assert_eq!(total, 320_000);
        assert!(offsets.iter().enumerate().all(|(i, &at)| at == 32 * i));
    }
}
