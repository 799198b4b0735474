//! The contract with users and scripts, as snapshots: the help of every command, and the fields of every JSON result.
//!
//! `INSTA_UPDATE=always cargo test --workspace --test it -- contract` writes the snapshots after an intended change, and
//! `TAILFOLD_RENEW=1` the pages of the documentation; a changed field needs a new schema version.

mod cli;
pub(crate) mod help;
mod help_files;
mod keys;
mod schemas;
