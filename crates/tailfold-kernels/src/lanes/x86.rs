//! Implementations of `Lanes` with AVX2 and AVX-512 vectors.
#![expect(unsafe_code, reason = "vector instructions are chosen at run time")]

mod one;
mod rounding;
mod two;

use super::Task;
use one::One;
use two::{Plain, Two, Vnni};

pub(super) fn run_avx2<T: Task>(task: T) {
    #[target_feature(enable = "avx2,fma")]
    fn run<T: Task>(task: T) {
        task.run::<Two<Plain>>();
    }
    // SAFETY: only `Isa::available` offers this instruction set, after detecting its features.
    unsafe { run(task) }
}

pub(super) fn run_avx_vnni<T: Task>(task: T) {
    #[target_feature(enable = "avx2,fma,avxvnni")]
    fn run<T: Task>(task: T) {
        task.run::<Two<Vnni>>();
    }
    // SAFETY: as above.
    unsafe { run(task) }
}

pub(super) fn run_avx512_vnni<T: Task>(task: T) {
    #[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512vnni")]
    fn run<T: Task>(task: T) {
        task.run::<One>();
    }
    // SAFETY: as above.
    unsafe { run(task) }
}
