//! The report of `tailfold bench --json`, with the fields that tables and charts need.

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};

/// Schema of the reports that are read.
const SCHEMA: &str = "tailfold.bench/1";

/// A benchmark of one network.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Report {
    pub(super) schema: String,
    pub(super) machine: String,
    /// Number of interleaved rounds.
    pub(super) rounds: usize,
    /// Number of images that the first contender runs per round.
    pub(super) images: usize,
    /// The contenders. Ratios are relative to the first.
    pub(super) rows: Vec<Row>,
}

/// A contender, with the fields of `tailfold bench --json`.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) kernel: String,
    pub(super) threads: usize,
    pub(super) wall_ms: Spread,
    pub(super) cpu_ms: Spread,
    pub(super) ratio: f64,
    pub(super) ratio_range: [f64; 2],
    pub(super) cpu_ratio: f64,
    pub(super) cpu_ratio_range: [f64; 2],
    pub(super) cold_start_ms: f64,
    pub(super) peak_rss_bytes: Option<u64>,
    pub(super) file_bytes: Option<u64>,
    pub(super) binary_bytes: Option<u64>,
    pub(super) first_class: usize,
}

/// Distribution of the time per image, in milliseconds.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(super) struct Spread {
    pub(super) min: f64,
    pub(super) median: f64,
    pub(super) p95: f64,
}

impl Report {
    /// Reads a report that has at least one row.
    pub(super) fn of(value: serde_json::Value) -> anyhow::Result<Self> {
        let report: Self =
            serde_json::from_value(value).context("not a report of `tailfold bench`")?;
        ensure!(
            report.schema == SCHEMA,
            "a report of schema {}, expected {SCHEMA}",
            report.schema
        );
        ensure!(!report.rows.is_empty(), "the report has no contender");
        Ok(report)
    }
}

impl Report {
    /// The largest number of threads of a contender, in words.
    pub(super) fn threads(&self) -> String {
        match self.rows.iter().map(|row| row.threads).max() {
            Some(1) | None => "one thread".to_owned(),
            Some(most) => format!("at most {most} threads"),
        }
    }
}

impl Row {
    /// Name of the runtime and form of the model, for readers who do not know the names of `tailfold bench`.
    pub(super) fn title(&self) -> String {
        let (runtime, form) = self.name.split_once(", ").unwrap_or((&self.name, "INT8"));
        let runtime = match runtime {
            "tract" => "tailfold",
            "tract-stock" => "tract",
            other => other,
        };
        format!("{runtime}, {form}")
    }
}
