//! The contract with users and scripts, as snapshots: the help of every command, and the fields of every JSON result.
//!
//! After an intended change, `INSTA_UPDATE=always cargo test --workspace --test it -- contract` writes the snapshots. A
//! changed field needs a new schema version.

mod help;
mod schemas;
