//! How a back end is to run.

use std::path::PathBuf;

/// What a caller may choose besides the back end.
#[derive(Clone, Debug)]
pub struct Options {
    /// Most threads that share an image; the answer does not depend on it.
    pub threads: usize,
    /// ONNX Runtime's library, for the back ends that need it; found by itself without.
    pub ort_library: Option<PathBuf>,
    /// Folder for TensorRT's engines and timings; a folder of the user's cache without.
    pub engine_cache: Option<PathBuf>,
    /// Let ONNX Runtime's sums of codes saturate on an x86 processor without VNNI, as it does by itself: faster, and wrong where
    /// weights are large.
    pub ort_saturating: bool,
    /// Hears of what takes long, an engine's build.
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
