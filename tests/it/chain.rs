//! The chain from checkpoint to verdict, with the programs themselves: what holds, and faults planted to be found.

mod answers;
mod bisect;
mod gate;
mod same_bytes;
mod steps;
