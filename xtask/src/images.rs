//! Images of a data set as PNG files, which `tailfold-lab images` writes.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use serde::Deserialize;
use tailfold_console::process::json;

/// The output of `tailfold-lab images`.
#[derive(Debug, Deserialize)]
struct Report {
    images: Vec<Image>,
}

/// An image that was written.
#[derive(Debug, Deserialize)]
pub(crate) struct Image {
    pub(crate) file: PathBuf,
    /// File of the data set, followed by `#` and the record in the file.
    pub(crate) origin: String,
}

/// Writes the images of the data spec `data` to `folder`.
///
/// `lab` is a command that runs `tailfold-lab`, and `options` are further options of `tailfold-lab images`.
pub(crate) fn write(
    mut lab: Command,
    data: &str,
    folder: &Path,
    options: &[&str],
) -> anyhow::Result<Vec<Image>> {
    lab.args(["images", "--data", data, "--out"]).arg(folder);
    let report = json(lab.args(options), &[0])?;
    let report: Report =
        serde_json::from_value(report).context("unexpected output of `tailfold-lab images`")?;
    Ok(report.images)
}
