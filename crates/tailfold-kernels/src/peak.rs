//! What the vector unit can do at most: the limit that a layer's speed is held against.
#![expect(unsafe_code, reason = "vectors are read through pointers")]

use std::hint::black_box;
use std::time::Instant;

use crate::lanes::{Form, Isa, LANES, Lanes, Pairs, Quads, Task};

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
        if isa.has_quads() {
            isa.run(Bytes);
        } else {
            isa.run(Registers);
        }
        best = best.min(start.elapsed().as_secs_f64());
    }
    let depth = if isa.has_quads() {
        Quads::DEPTH
    } else {
        Pairs::DEPTH
    };
    (STEPS * SUMS * LANES * depth) as f64 / best
}

/// Sums of products of the same codes.
struct Registers;

/// The same of bytes.
struct Bytes;

impl Task for Registers {
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let a = L::codes(black_box([3; LANES]));
        let mut pairs = L::zip(a, a);
        repeat(|sum: L| {
            // Otherwise the compiler would multiply once and add the same product every time.
            pairs = L::opaque(pairs);
            sum.dot(pairs, pairs)
        });
    }
}

impl Task for Bytes {
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let bytes = black_box([3; 4 * LANES]);
        // SAFETY: they are as many as a vector of quads has.
        let quads = unsafe { L::load_quads(bytes.as_ptr()) };
        // Units with quads multiply and add in one, so there is no product to keep.
        repeat(|sum: L| sum.dot4(quads, quads));
    }
}

#[inline(always)]
fn repeat<L: Lanes>(mut product: impl FnMut(L) -> L) {
    let mut sums = [L::zero(); SUMS];
    for _ in 0..STEPS {
        for sum in &mut sums {
            *sum = product(*sum);
        }
    }
    for sum in sums {
        black_box(sum.to_array());
    }
}
