//! The contract with users and scripts, as snapshots: the help of every command, and the fields of every JSON result.
//!
//! After an intended change, `INSTA_UPDATE=always cargo test --workspace --test it -- contract` writes the snapshots, and
//! `TAILFOLD_RENEW=1` writes the generated pages of the documentation. A changed field needs a new schema version.

mod cli;
pub(crate) mod help;
mod help_files;
mod keys;
mod schemas;
