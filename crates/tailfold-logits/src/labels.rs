//! Labels in a file of their own: an array, a column, a tensor, or lines of text.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Seek as _};
use std::path::Path;

use tailfold_spec::artifact::at;

use crate::format::{self, Format};
use crate::payload::not_a_class;
use crate::table::Table;
use crate::{LogitFileError, LogitFileErrorKind, npy, tensors};

/// Name of the label column in a table.
pub(crate) const COLUMN: &str = "label";

/// Reads the class of each image: an .npy array of integers `[n]`, the Parquet column `label`, or the safetensors
/// tensor `labels`. Any other file is read as text with one integer per line.
///
/// # Errors
/// [`LogitFileError`] when the labels are missing or have another type, or naming the first row that is not a class.
pub fn read_labels(path: &Path) -> Result<Vec<usize>, LogitFileError> {
    let (mut file, length, format, _) = format::open(path)?;
    let missing = |place: &str, found: &str| {
        LogitFileErrorKind::Content
            .error(format!(
                "{place} is {found}, expected one integer per image"
            ))
            .at(path.display())
    };
    match format {
        Some(Format::Npy) => npy::open(&mut file, length, path)?.labels(&mut file, path),
        Some(Format::Safetensors) => {
            let labels = tensors::labels(&mut file, length, path)?;
            let labels = labels.ok_or_else(|| missing("tensor `labels`", "missing"))?;
            let count = labels.count;
            labels.read(&mut file, path, count)
        }
        Some(Format::Parquet) => Table::without_logits(file, length, path)?
            .labels(COLUMN)?
            .ok_or_else(|| missing("column `label`", "missing")),
        None => lines(file, path),
    }
}

/// Reads one integer per line. A newline at the end is optional.
fn lines(mut file: File, path: &Path) -> Result<Vec<usize>, LogitFileError> {
    file.rewind().map_err(at("read", path))?;
    let mut labels = Vec::new();
    for (row, line) in BufReader::new(file).split(b'\n').enumerate() {
        let line = line.map_err(at("read", path))?;
        let text = str::from_utf8(&line).map_or("", str::trim);
        labels.push(text.parse().map_err(|_| {
            // A binary file can be arbitrarily long without a newline.
            let shown = &line[..line.len().min(40)];
            not_a_class(path, row as u64, shown.escape_ascii())
        })?);
    }
    Ok(labels)
}
