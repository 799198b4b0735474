//! The programs from checkpoint to verdict: sound models pass, and planted faults are found.

mod answers;
mod bisect;
mod gate;
mod same_bytes;
mod steps;
