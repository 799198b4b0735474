//! Options of a back end.

use std::path::PathBuf;

/// Options of a back end.
///
/// ```
/// let mut options = tailfold::Options::default();
/// options.threads = 4;
/// options.tell = |message| eprintln!("{message}");
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// Largest number of threads that share one image; the answer does not depend on it. Default 1.
    pub threads: usize,
    /// Shared library of ONNX Runtime; `None` searches the usual places.
    pub ort_library: Option<PathBuf>,
    /// Folder for TensorRT's engines and timings; `None` takes a folder in the user's cache.
    pub engine_cache: Option<PathBuf>,
    /// Lets ONNX Runtime use saturating sums on an x86 processor without VNNI: faster, and wrong for large weights. Default
    /// false.
    pub ort_saturating: bool,
    /// Receives a message before a slow step, such as an engine build. Default: messages are dropped.
    pub tell: fn(&str),
}

impl Default for Options {
    fn default() -> Self {
        Self {
            threads: 1,
            ort_library: None,
            engine_cache: None,
            ort_saturating: false,
            tell: |_| {},
        }
    }
}
