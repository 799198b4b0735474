//! The folder of reports: JSON, Markdown, JUnit XML and an HTML page, all from the same run.

use std::error::Error;
use std::path::Path;

use anyhow::Context as _;
use tailfold_console::say;
use tailfold_data::Dataset;
use tailfold_parity::{Picture, Report, Unchecked};
use tailfold_spec::{OutputCheck, artifact};

use crate::hints;

/// Longer side of a picture, in pixels.
const SIDE: usize = 192;

const JSON: &str = "parity.json";
const MARKDOWN: &str = "parity.md";
const JUNIT: &str = "parity.xml";
const PAGE: &str = "parity.html";

/// Names of the files in a report's folder.
const FILES: [&str; 4] = [JSON, MARKDOWN, JUNIT, PAGE];

/// Adds the reports in `folder` to the outputs of `files`.
pub(crate) fn add_reports(files: &mut OutputCheck, folder: &Path) {
    for file in FILES {
        files.writes("file of --report", folder.join(file));
    }
}

/// Prepares `folder` and removes the reports of an earlier run, so that they cannot be mistaken for new ones.
///
/// # Errors
/// The folder cannot be written to, or an old file cannot be removed.
pub(super) fn begin(folder: &Path) -> anyhow::Result<()> {
    artifact::ensure_writable(folder)?;
    for file in FILES {
        let file = folder.join(file);
        match std::fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot remove {}", file.display()));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Writes `report` in every form; the page shows pictures of the worst flips if `data` is given.
pub(super) fn write(folder: &Path, report: &Report, data: Option<&Dataset>) -> anyhow::Result<()> {
    let pictures = data.map_or_else(Vec::new, |data| pictures(report, data));
    for (file, text) in [
        (JSON, report.to_json()),
        (MARKDOWN, report.to_markdown()),
        (JUNIT, report.to_junit()),
        (PAGE, report.to_html(&pictures)),
    ] {
        artifact::write(&folder.join(file), text.as_bytes())?;
    }
    Ok(())
}

/// Returns the report of a comparison that ended with `error`, with advice on the error.
pub(super) fn unchecked(error: &(dyn Error + 'static)) -> Unchecked {
    let mut unchecked = Unchecked::because(error);
    let hint = hints::of(error).unwrap_or_default();
    unchecked.reasons.iter_mut().for_each(|text| *text += hint);
    unchecked
}

/// Writes the reports of a comparison that ended with `error`. The caller prints `error`, so a file that cannot be
/// written is only a warning.
pub(super) fn write_unchecked(folder: &Path, error: &(dyn Error + 'static)) {
    let unchecked = unchecked(error);
    for (file, text) in [
        (JSON, unchecked.to_json()),
        (MARKDOWN, unchecked.to_markdown()),
        (JUNIT, unchecked.to_junit()),
        (PAGE, unchecked.to_html()),
    ] {
        if let Err(error) = artifact::write(&folder.join(file), text.as_bytes()) {
            say(&format!("warning: {error}"));
        }
    }
}

/// Returns the images of the worst flips, without images that cannot be decoded.
fn pictures(report: &Report, data: &Dataset) -> Vec<Picture> {
    let flips = report.worst_flips.iter();
    let pictures = flips.filter_map(|flip| {
        let small = data.image(flip.image).ok()?.thumbnail(SIDE).ok()?;
        let size = [small.width, small.height];
        let png = small.to_png().ok()?;
        Some(Picture::new(flip.image, data.id(flip.image), size, png))
    });
    pictures.collect()
}
