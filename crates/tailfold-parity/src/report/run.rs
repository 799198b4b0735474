//! What ran: files, hashes, kernels, times, and the command that runs it again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Sides;

/// What ran.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Run {
    /// Version of tailfold.
    pub version: String,
    /// The command that makes this comparison again.
    pub command: String,
    /// Labelled images, as a data spec or a file.
    pub data: String,
    /// Architecture, system and vector units of the processor.
    pub machine: String,
    /// Each side's model.
    pub sides: Sides<RunSide>,
}

/// A model as it ran.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunSide {
    /// File, as given.
    pub file: String,
    /// Its bytes.
    pub bytes: u64,
    /// What runs its nodes, with how many: `integer`, `f32`, `CPUExecutionProvider`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub nodes: BTreeMap<String, usize>,
    /// Time of an image; absent where it was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<Latency>,
}

/// Wall time of one image on one thread, preprocessing left out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Latency {
    /// Images that were timed.
    pub images: usize,
    /// Median, milliseconds.
    pub p50_ms: f64,
    /// 95th percentile, milliseconds.
    pub p95_ms: f64,
}

impl Latency {
    /// Median and 95th percentile of `images` images, in milliseconds.
    pub fn new(images: usize, p50_ms: f64, p95_ms: f64) -> Self {
        Self {
            images,
            p50_ms,
            p95_ms,
        }
    }
}
