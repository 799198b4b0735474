//! A logits file in any supported format.

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};

use crate::format::{self, Format};
use crate::npy;
use crate::payload::Payload;
use crate::table::Table;
use crate::tensors::{self, Labels};
use crate::{LogitFileError, LogitFileErrorKind, labels};

/// Logits `[images, num_classes]` in a file, read row by row from the start.
///
/// | format | logits | labels | ids |
/// |---|---|---|---|
/// | .npy, versions 1 to 3 | the array: `f2`, `f4` or `f8` of either byte order, `[n, classes]`, C order | none | none |
/// | Parquet | a list column `logits`, or one column per class | `label` | `id`, else `path` |
/// | safetensors | `logits`: F16, BF16, F32 or F64 `[n, classes]` | `labels`: integers `[n]` | none |
///
/// A list column holds FLOAT, DOUBLE or FLOAT16 values. All rows have the same length, without nulls.
///
/// Without a column `logits`, the classes are the columns `logit_0`, `logit_1`, ... in the order of their numbers.
/// Without those columns either, every floating-point column is a class. Such columns are ordered by number if their
/// names are one common prefix (possibly empty) and consecutive numbers, and otherwise stay in file order.
///
/// Parquet pages may be uncompressed or compressed with Snappy, Zstandard, gzip or LZ4 (`LZ4_RAW`). Their encoding is
/// plain, dictionary or byte stream split. Delta encodings, which pyarrow and polars write only on request, are not
/// supported.
///
/// Half and double precision are converted to `f32`; a double beyond its range becomes infinite.
pub struct LogitFile {
    path: PathBuf,
    source: Source,
}

enum Source {
    Raw {
        file: File,
        payload: Payload,
        labels: Option<Labels>,
    },
    Table(Box<Table>),
}

impl LogitFile {
    /// Opens `path` and reads its header, and for a list column also the first row.
    ///
    /// # Errors
    /// [`LogitFileError`] when the file has an unknown format, is too short or too long, or has no logits of a
    /// supported type and shape.
    pub fn open(path: &Path) -> Result<Self, LogitFileError> {
        let (mut file, length, format, first) = format::open(path)?;
        let source = match format {
            Some(Format::Npy) => {
                let array = npy::open(&mut file, length, path)?;
                let payload = array.logits(path)?;
                let labels = None;
                Source::Raw {
                    file,
                    payload,
                    labels,
                }
            }
            Some(Format::Safetensors) => {
                let (payload, labels) = tensors::open(&mut file, length, path)?;
                Source::Raw {
                    file,
                    payload,
                    labels,
                }
            }
            Some(Format::Parquet) => Source::Table(Box::new(Table::open(file, length, path)?)),
            None => {
                return Err(LogitFileErrorKind::Format.error(format!(
                    "{} is not a file of logits: it begins with `{}`, neither as .npy nor as Parquet \
                     nor as safetensors",
                    path.display(),
                    first.escape_ascii()
                )));
            }
        };
        Ok(Self {
            path: path.to_owned(),
            source,
        })
    }

    /// Number of rows, one per image; at least 1. For a Parquet file the number comes from the footer: it is
    /// unchecked until the pages are read.
    pub fn images(&self) -> usize {
        match &self.source {
            Source::Raw { payload, .. } => payload.rows,
            Source::Table(table) => table.rows(),
        }
    }

    /// Number of classes, which is the length of a row; at least 1.
    pub fn num_classes(&self) -> usize {
        match &self.source {
            Source::Raw { payload, .. } => payload.classes,
            Source::Table(table) => table.classes(),
        }
    }

    /// The class of each image, `[images]`; `None` when the file has no labels. Does not change the next row to read.
    ///
    /// # Errors
    /// [`LogitFileError`] when the labels are not integers, contain nulls or are negative.
    pub fn labels(&mut self) -> Result<Option<Vec<usize>>, LogitFileError> {
        match &mut self.source {
            Source::Raw { labels: None, .. } => Ok(None),
            Source::Raw {
                file,
                payload,
                labels: Some(labels),
            } => labels.read(file, &self.path, payload.rows).map(Some),
            Source::Table(table) => table.labels(labels::COLUMN),
        }
    }

    /// The name of each image, `[images]`; `None` when the file has no names. Does not change the next row to read.
    ///
    /// # Errors
    /// [`LogitFileError`] when the names are not text or contain nulls.
    pub fn ids(&mut self) -> Result<Option<Vec<String>>, LogitFileError> {
        match &mut self.source {
            Source::Raw { .. } => Ok(None),
            Source::Table(table) => table.ids(&["id", "path"]),
        }
    }

    /// Replaces the content of `into` with the next rows, row-major `[rows, num_classes]`. Returns the number of rows
    /// read: `rows`, fewer at the end of the file, and 0 after it.
    ///
    /// # Errors
    /// [`LogitFileError`] naming the first row that differs in form from the others; the content of `into` is then
    /// meaningless.
    pub fn read(&mut self, rows: usize, into: &mut Vec<f32>) -> Result<usize, LogitFileError> {
        into.clear();
        match &mut self.source {
            Source::Raw { file, payload, .. } => payload.read(file, &self.path, rows, into),
            Source::Table(table) => table.read(rows, into),
        }
    }
}

impl fmt::Debug for LogitFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogitFile")
            .field("path", &self.path)
            .field("images", &self.images())
            .field("num_classes", &self.num_classes())
            .finish_non_exhaustive()
    }
}
