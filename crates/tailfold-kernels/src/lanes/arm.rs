//! Implementations of `Lanes` with NEON vectors.
#![expect(unsafe_code, reason = "vector instructions are chosen at run time")]

mod neon;
mod rounding;
mod unit;

use super::Task;
use neon::Neon;
use unit::{Dotprod, Plain};

pub(super) fn run_neon<T: Task>(task: T) {
    task.run::<Neon<Plain>>();
}

pub(super) fn run_dotprod<T: Task>(task: T) {
    #[target_feature(enable = "neon,dotprod")]
    fn run<T: Task>(task: T) {
        task.run::<Neon<Dotprod>>();
    }
    // SAFETY: only `Isa::available` offers this instruction set, after detecting the feature.
    unsafe { run(task) }
}
