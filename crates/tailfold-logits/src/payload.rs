//! Contiguous numbers in a file, read in chunks.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use tailfold_spec::artifact::at;

use crate::element::{Float, Integer};
use crate::{LogitFileError, LogitFileErrorKind};

/// Bytes per read, small enough that they are converted while in the cache.
const STRETCH: usize = 1 << 18;

/// Logits in a file, row-major `[rows, classes]`, and the next row to read.
pub(crate) struct Payload {
    /// Offset of the first number in the file, in bytes.
    pub(crate) start: u64,
    pub(crate) element: Float,
    pub(crate) big_endian: bool,
    pub(crate) rows: usize,
    pub(crate) classes: usize,
    pub(crate) next: usize,
}

impl Payload {
    /// Appends at most `rows` of the next rows to `into`, and returns their number.
    pub(crate) fn read(
        &mut self,
        file: &mut File,
        path: &Path,
        rows: usize,
        into: &mut Vec<f32>,
    ) -> Result<usize, LogitFileError> {
        let rows = rows.min(self.rows - self.next);
        // These sizes cannot overflow: opening the file checked that the numbers fill it.
        let row_bytes = self.classes * self.element.size();
        into.reserve(rows * self.classes);
        let at_byte = self.start + self.next as u64 * row_bytes as u64;
        stretches(file, at_byte, rows * row_bytes, |bytes| {
            self.element.append(bytes, self.big_endian, into);
        })
        .map_err(at("read", path))?;
        self.next += rows;
        Ok(rows)
    }
}

/// Reads labels `[count]` from the byte `start`.
pub(crate) fn labels(
    file: &mut File,
    path: &Path,
    (element, big_endian): (Integer, bool),
    start: u64,
    count: usize,
) -> Result<Vec<usize>, LogitFileError> {
    let mut labels = Vec::with_capacity(count);
    let mut wrong = None;
    stretches(file, start, count * element.size, |bytes| {
        for number in bytes.chunks_exact(element.size) {
            let value = element.value(number, big_endian);
            match usize::try_from(value) {
                Ok(label) => labels.push(label),
                Err(_) => wrong = wrong.or(Some((labels.len(), value))),
            }
        }
    })
    .map_err(at("read", path))?;
    match wrong {
        None => Ok(labels),
        Some((row, value)) => Err(not_a_class(path, row as u64, value)),
    }
}

/// The error for `found` where a label was expected.
pub(crate) fn not_a_class(path: &Path, row: u64, found: impl Display) -> LogitFileError {
    LogitFileErrorKind::Content
        .error(format!(
            "row {row}: the label is `{found}`, expected a class, counted from 0"
        ))
        .at(path.display())
}

/// Passes `length` bytes from `start` on to `take` in chunks of whole numbers.
fn stretches(
    file: &mut File,
    start: u64,
    length: usize,
    mut take: impl FnMut(&[u8]),
) -> io::Result<()> {
    file.seek(SeekFrom::Start(start))?;
    let mut buffer = vec![0; STRETCH.min(length)];
    let mut left = length;
    while left > 0 {
        let stretch = &mut buffer[..STRETCH.min(left)];
        file.read_exact(stretch)?;
        take(stretch);
        left -= stretch.len();
    }
    Ok(())
}
