//! A file of logits, whatever its format.

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};

use crate::format::{self, Format};
use crate::npy;
use crate::payload::Payload;
use crate::table::Table;
use crate::tensors::{self, Labels};
use crate::{LogitFileError, LogitFileErrorKind, labels};

/// Logits `[images, num_classes]` in a file, and the row that is read next.
///
/// | format | logits | labels | ids |
/// |---|---|---|---|
/// | .npy, versions 1 to 3 | the array: `f2`, `f4` or `f8` of either byte order, `[n, classes]`, C order | none | none |
/// | Parquet | a list column `logits`, or a column a class | `label` | `id`, else `path` |
/// | safetensors | `logits`: F16, BF16, F32 or F64 `[n, classes]` | `labels`: integers `[n]` | none |
///
/// A list column holds FLOAT, DOUBLE or FLOAT16, all rows of one length, without nulls. Without a column `logits`, the
/// classes are the columns `logit_0`, `logit_1`, ... in the order of their numbers; without those, all columns of such
/// numbers: in the order of their numbers where their names are one prefix (or none) and consecutive numbers, otherwise
/// in the order of the file. Pages may be as they are or compressed by Snappy, Zstandard, gzip or LZ4 (`LZ4_RAW`), and plain,
/// by dictionary or split into streams of bytes; not delta-encoded, as pyarrow and polars do only when told to.
///
/// Half and double precision become `f32`; a double beyond its range becomes infinite.
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
    /// Opens `path` and reads its header, and of a list column its first row.
    ///
    /// # Errors
    /// [`LogitFileError`] when the file is not of a known format, is cut short or too long, or has no logits of a known type
    /// and shape.
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
                    "{} is no file of logits: it begins with `{}`, neither as .npy nor as Parquet \
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

    /// Number of rows, one an image; at least 1. In a damaged Parquet file, whose pages are read later, only what its footer says.
    pub fn images(&self) -> usize {
        match &self.source {
            Source::Raw { payload, .. } => payload.rows,
            Source::Table(table) => table.rows(),
        }
    }

    /// Numbers in a row; at least 1.
    pub fn num_classes(&self) -> usize {
        match &self.source {
            Source::Raw { payload, .. } => payload.classes,
            Source::Table(table) => table.classes(),
        }
    }

    /// The class of each image `[images]`, if the file has any; which row is read next stays the same.
    ///
    /// # Errors
    /// [`LogitFileError`] when what should be labels is of another type, has nulls, or holds a negative number.
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

    /// The name of each image `[images]`, if the file has any; which row is read next stays the same.
    ///
    /// # Errors
    /// [`LogitFileError`] when what should be names is no text or has nulls.
    pub fn ids(&mut self) -> Result<Option<Vec<String>>, LogitFileError> {
        match &mut self.source {
            Source::Raw { .. } => Ok(None),
            Source::Table(table) => table.ids(&["id", "path"]),
        }
    }

    /// Replaces `into` by the next rows, row-major `[rows, num_classes]`, and says how many there were: `rows`, fewer where
    /// the file ends, and then 0.
    ///
    /// # Errors
    /// [`LogitFileError`] naming the first row that is not like the others; what is in `into` then means nothing.
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
