//! The report of a benchmark of several networks, which `--suite` makes and `--report` writes.

use std::path::Path;

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};
use tailfold_spec::artifact;

use super::report::Report;

/// Schema of a suite's report.
const SCHEMA: &str = "tailfold.bench-suite/1";

/// Benchmarks of several networks on one machine.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Suite {
    /// Always [`SCHEMA`].
    pub(super) schema: String,
    /// The networks, fastest first.
    pub(super) nets: Vec<Net>,
}

impl Suite {
    /// Returns a suite without networks.
    pub(super) fn new() -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            nets: Vec::new(),
        }
    }

    /// Reads the report of a suite.
    pub(super) fn read(file: &Path) -> anyhow::Result<Self> {
        let suite: Self = serde_json::from_slice(&artifact::read(file)?)
            .with_context(|| format!("{} is not a report of a suite", file.display()))?;
        ensure!(
            suite.schema == SCHEMA && suite.nets.iter().all(|net| !net.report.rows.is_empty()),
            "{} is not a report of schema {SCHEMA} with contenders",
            file.display()
        );
        ensure!(!suite.nets.is_empty(), "{} has no network", file.display());
        Ok(suite)
    }
}

/// A network and its benchmark.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Net {
    #[serde(flatten)]
    pub(super) about: About,
    pub(super) report: Report,
}

/// Contents of `net.json`, which `tests/judges/nets.py` writes beside the files of a network.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct About {
    /// Name of the network in tables and charts.
    pub(super) title: String,
    /// Origin of the weights, and whether they are good for more than timing.
    pub(super) weights: String,
}
