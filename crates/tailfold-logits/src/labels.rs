//! Labels on their own: an array, a column, a tensor, or lines of text.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Seek as _};
use std::path::Path;

use tailfold_spec::artifact::at;

use crate::format::{self, Format};
use crate::payload::not_a_class;
use crate::table::Table;
use crate::{LogitFileError, LogitFileErrorKind, npy, tensors};

/// Column of labels in a table.
pub(crate) const COLUMN: &str = "label";

/// Reads the class of each image: an .npy array of integers `[n]`, the Parquet column `label`, the safetensors tensor
/// `labels`, or, when the file begins as none of these, text with one integer a line.
///
/// # Errors
/// [`LogitFileError`] naming what there is in the place of labels, or the first row that is no class.
pub fn read_labels(path: &Path) -> Result<Vec<usize>, LogitFileError> {
    let (mut file, length, format, _) = format::open(path)?;
    let missing = |place: &str, found: &str| {
        LogitFileErrorKind::Content
            .error(format!("{place} is {found}, expected one integer an image"))
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

/// One integer a line; the last line may be empty.
fn lines(mut file: File, path: &Path) -> Result<Vec<usize>, LogitFileError> {
    file.rewind().map_err(at("read", path))?;
    let mut labels = Vec::new();
    for (row, line) in BufReader::new(file).split(b'\n').enumerate() {
        let line = line.map_err(at("read", path))?;
        let text = str::from_utf8(&line).map_or("", str::trim);
        labels.push(text.parse().map_err(|_| {
            // A binary file can have any length without a line's end.
            let shown = &line[..line.len().min(40)];
            not_a_class(path, row as u64, shown.escape_ascii())
        })?);
    }
    Ok(labels)
}
