//! A data set as a reader found it.

use crate::images::Images;
use crate::left_out::LeftOut;

/// Result of a reader: `labels[i]`, each below `classes.len()`, belongs to image `i`.
pub(crate) struct Loaded {
    pub(crate) images: Images,
    pub(crate) classes: Vec<String>,
    pub(crate) labels: Vec<usize>,
    /// The long-tailed subset, where the reader has drawn it already.
    pub(crate) chosen: Option<Vec<usize>>,
    /// Files that the reader skipped.
    pub(crate) left_out: LeftOut,
}
