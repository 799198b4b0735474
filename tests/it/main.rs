//! One test binary for the whole chain: the programs as a user runs them, the workspace's invariants, and real data.

#![expect(
    clippy::unwrap_used,
    reason = "an input that a test cannot prepare or read is a failure of the test"
)]

mod bad_input;
mod book;
mod burn_export;
mod chain;
#[cfg(unix)]
mod classify;
mod contract;
mod files;
mod fixture;
mod generated;
mod integer;
#[cfg(unix)]
mod interrupted;
mod lab;
mod lists;
mod networks;
mod planted;
mod programs;
mod quantizing;
mod repository;
mod resampled;
mod retarget;
mod scratch;
mod sharded;
mod shared_data;
mod tidy;
mod ties;
