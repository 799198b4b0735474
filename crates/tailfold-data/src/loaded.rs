//! The result of a reader.

use crate::images::Images;
use crate::left_out::LeftOut;

/// The result of a reader: `labels[i]`, which is below `classes.len()`, belongs to image `i`.
pub(crate) struct Loaded {
    pub(crate) images: Images,
    pub(crate) classes: Vec<String>,
    pub(crate) labels: Vec<usize>,
    /// The long-tailed subset, if the reader has already drawn it.
    pub(crate) chosen: Option<Vec<usize>>,
    /// Files that the reader skipped.
    pub(crate) left_out: LeftOut,
}
