//! Reads logits that another program computed, as a stream of rows.
//!
//! Internal to tailfold, no stability promise.
//!
//! Any framework can write its logits as `.npy`, Parquet or safetensors. A [`LogitFile`] returns a few rows at a time
//! as `f32` and keeps only those in memory, so two files of gigabytes are compared in the memory of a few thousand
//! rows. The first bytes of a file identify its format; the file name does not matter. Sizes in a header are checked
//! against the length of the file before they are used.

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
