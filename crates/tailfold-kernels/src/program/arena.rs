//! One block of memory for tensors that do not live at the same time.

use std::ops::RangeInclusive;

/// For each tensor, given its length and the steps from its first to its last use, the lowest place at which it meets no
/// other that lives at the same time; and the length of all. Places are multiples of 32, so that vectors do not straddle
/// more cache lines than they must.
pub(super) fn place(tensors: &[(usize, RangeInclusive<usize>)]) -> (Vec<usize>, usize) {
    let mut order: Vec<usize> = (0..tensors.len()).collect();
    // Large tensors first: small ones fit between them.
    order.sort_by_key(|&t| std::cmp::Reverse(tensors[t].0));
    let mut offsets = vec![0; tensors.len()];
    // What is placed already, by the steps in which it lives: most tensors live for a few.
    let steps = tensors.iter().map(|(_, life)| *life.end() + 1).max();
    let mut placed: Vec<Vec<usize>> = vec![Vec::new(); steps.unwrap_or(0)];
    let mut total = 0;
    for tensor in order {
        let (length, life) = &tensors[tensor];
        let mut taken: Vec<(usize, usize)> = placed[life.clone()]
            .iter()
            .flatten()
            .map(|&other| (offsets[other], offsets[other] + tensors[other].0))
            .collect();
        taken.sort_unstable();
        taken.dedup();
        let mut at: usize = 0;
        for (start, end) in taken {
            if at + length <= start {
                break;
            }
            at = at.max(end.next_multiple_of(32));
        }
        offsets[tensor] = at;
        total = total.max(at + length);
        for step in life.clone() {
            placed[step].push(tensor);
        }
    }
    (offsets, total)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn tensors_that_live_together_do_not_meet(
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
    fn a_chain_needs_two_places() {
        let chain: Vec<_> = (0..10).map(|i| (64, i..=i + 1)).collect();
        assert_eq!(place(&chain).1, 128);
    }
}
