//! The run behind a report: files, hashes, kernels, times, and the command to repeat it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Sides;

/// The run behind a report.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Run {
    /// Version of tailfold.
    pub version: String,
    /// The command that repeats this comparison.
    pub command: String,
    /// Labelled images, as a data spec or a file.
    pub data: String,
    /// Architecture, operating system and vector extensions of the processor.
    pub machine: String,
    /// Each side's model.
    pub sides: Sides<RunSide>,
}

/// One model of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunSide {
    /// File, as given.
    pub file: String,
    /// Size of the file in bytes.
    pub bytes: u64,
    /// Number of nodes per kernel or provider, such as `integer`, `f32` or `CPUExecutionProvider`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub nodes: BTreeMap<String, usize>,
    /// Time per image; absent if it was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<Latency>,
}

/// Wall time per image on one thread, without preprocessing.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Latency {
    /// Number of images that were timed.
    pub images: usize,
    /// Median, milliseconds.
    pub p50_ms: f64,
    /// 95th percentile, milliseconds.
    pub p95_ms: f64,
}

impl Latency {
    /// Creates a latency from the median and 95th percentile of `images` images, in milliseconds.
    pub fn new(images: usize, p50_ms: f64, p95_ms: f64) -> Self {
        Self {
            images,
            p50_ms,
            p95_ms,
        }
    }
}
