//! Images of a data set as PNG files, by `tailfold-lab images`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use serde::Deserialize;
use tailfold_console::process::json;

/// What `tailfold-lab images` prints.
#[derive(Debug, Deserialize)]
struct Report {
    images: Vec<Image>,
}

/// An image that was written.
#[derive(Debug, Deserialize)]
pub(crate) struct Image {
    pub(crate) file: PathBuf,
    /// File of the data set, and `#` with the record in it.
    pub(crate) origin: String,
}

/// Writes the images of the data spec `data` into `folder` with `lab`, a command that runs `tailfold-lab`, and the other `options` of
/// `tailfold-lab images`.
pub(crate) fn write(
    mut lab: Command,
    data: &str,
    folder: &Path,
    options: &[&str],
) -> anyhow::Result<Vec<Image>> {
    lab.args(["images", "--data", data, "--out"]).arg(folder);
    let report = json(lab.args(options), &[0])?;
    let report: Report = serde_json::from_value(report).context("images have another form")?;
    Ok(report.images)
}
