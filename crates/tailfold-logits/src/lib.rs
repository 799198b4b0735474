//! Logits that were computed elsewhere, read as a stream of rows.
//!
//! Internal to tailfold, no stability promise.
//!
//! Any framework can write its logits as `.npy`, Parquet or safetensors. A [`LogitFile`] hands them out some rows at a time,
//! as `f32`, and holds no more of the file than that: two files of gigabytes are compared in the memory of a few thousand
//! rows. What a file is, its first bytes say; its name does not matter. Nothing that a file claims is believed before the
//! file's own length bears it out.

mod element;
mod error;
mod file;
mod format;
mod labels;
mod npy;
mod payload;
#[cfg_attr(not(feature = "parquet"), path = "table/absent.rs")]
mod table;
mod tensors;

pub use error::{LogitFileError, LogitFileErrorKind};
pub use file::LogitFile;
pub use format::is_logit_file;
pub use labels::read_labels;
