//! Peak throughput of an instruction set, with which the speed of a layer is compared.
#![expect(unsafe_code, reason = "vectors are read through pointers")]

use std::hint::black_box;
use std::time::Instant;

use crate::lanes::{Form, Isa, LANES, Lanes, Pairs, Quads, Task};

/// Number of independent sums, so that no addition waits for the previous one.
const SUMS: usize = 6;

/// Number of multiply-accumulate instructions per sum in one timed run.
const STEPS: usize = 20_000;

/// Multiply-accumulates per second of `isa` on one core, with all operands in registers.
///
/// Repeats the run for a quarter of a second, and counts the fastest.
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

/// Sums of products of the same 16-bit codes.
struct Registers;

/// Sums of products of the same bytes.
struct Bytes;

impl Task for Registers {
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let a = L::codes(black_box([3; LANES]));
        let mut pairs = L::zip(a, a);
        repeat(|sum: L| {
            // Without this, the compiler would multiply once and add the same product every time.
            pairs = L::opaque(pairs);
            sum.dot(pairs, pairs)
        });
    }
}

impl Task for Bytes {
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let bytes = black_box([3; 4 * LANES]);
        // SAFETY: a vector of quads has as many bytes.
        let quads = unsafe { L::load_quads(bytes.as_ptr()) };
        // With quads, one instruction multiplies and adds, so the compiler cannot keep the product.
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
