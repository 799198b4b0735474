//! What the vector unit can do at most: the limit that a layer's speed is held against.

use std::hint::black_box;
use std::time::Instant;

use crate::lanes::{Isa, LANES, Lanes, Task};

/// Sums that are in flight at the same time, so that no addition waits for the one before.
const SUMS: usize = 6;

/// Products that are timed at once.
const STEPS: usize = 20_000;

/// Multiply-accumulates a second of `isa` on one core, from registers alone: the best of a quarter of a second.
pub fn peak(isa: Isa) -> f64 {
    let mut best = f64::INFINITY;
    let begin = Instant::now();
    while begin.elapsed().as_millis() < 250 {
        let start = Instant::now();
        isa.run(Registers);
        best = best.min(start.elapsed().as_secs_f64());
    }
    (STEPS * SUMS * LANES * 2) as f64 / best
}

struct Registers;

impl Task for Registers {
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let a = L::codes(black_box([3; LANES]));
        let mut pairs = L::zip(a, a);
        let mut sums = [L::zero(); SUMS];
        for _ in 0..STEPS {
            for sum in &mut sums {
                // Otherwise the compiler would multiply once and add the same product every time.
                pairs = L::opaque(pairs);
                *sum = sum.dot(pairs, pairs);
            }
        }
        for sum in sums {
            black_box(sum.to_array());
        }
    }
}
