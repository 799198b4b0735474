//! How a back end is to run.

/// What a caller may choose besides the back end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Most threads that share an image; the answer does not depend on it.
    pub threads: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { threads: 1 }
    }
}
