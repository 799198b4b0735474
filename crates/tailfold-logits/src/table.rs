//! Parquet tables: the role of each column, and rows across row groups.

mod claims;
mod codec;
mod columns;
mod floats;
mod footer;
mod layout;
mod lists;
mod pages;
mod whole;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::Type;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, RowGroupMetaData};
use parquet::schema::types::ColumnDescPtr;

use crate::{LogitFileError, LogitFileErrorKind};
use columns::Columns;
use layout::Layout;
use lists::Lists;

/// A Parquet file with its logits, and the next row to read.
pub(crate) struct Table {
    inner: Inner,
    rows: usize,
    logits: Option<Logits>,
}

/// The logits, as one list column or as one column per class.
enum Logits {
    Lists(Box<Lists>),
    Columns(Columns),
}

/// The parts that every column reader needs: the file, its footer, and its path for messages.
struct Inner {
    path: PathBuf,
    file: Arc<File>,
    metadata: ParquetMetaData,
}

impl Table {
    /// Opens `file`, which has `length` bytes, finds the logits, and reads as far as is needed to know the number of
    /// classes.
    pub(crate) fn open(file: File, length: u64, path: &Path) -> Result<Self, LogitFileError> {
        let mut table = Self::without_logits(file, length, path)?;
        if table.rows == 0 {
            return Err(table
                .inner
                .content("the table", "without rows", "one row per image"));
        }
        let logits = match layout::find(&table.inner)? {
            Layout::List(column) => Logits::Lists(Box::new(Lists::open(&table.inner, column)?)),
            Layout::Columns(columns) => Logits::Columns(Columns::new(columns)),
        };
        table.logits = Some(logits);
        Ok(table)
    }

    /// Opens `file` without its logits, to read its other columns.
    pub(crate) fn without_logits(
        file: File,
        length: u64,
        path: &Path,
    ) -> Result<Self, LogitFileError> {
        let metadata = footer::read(&file, length, path)?;
        let inner = Inner {
            path: path.to_owned(),
            file: Arc::new(file),
            metadata,
        };
        let groups = inner.metadata.row_groups().iter();
        let rows: Vec<i64> = groups.map(RowGroupMetaData::num_rows).collect();
        let sum = rows.iter().try_fold(0_i64, |sum, &rows| {
            sum.checked_add(rows).filter(|_| rows >= 0)
        });
        let whole = inner.metadata.file_metadata().num_rows();
        if sum != Some(whole) {
            let why =
                format!("it says that there are {whole} rows, but the row groups have {rows:?}");
            return Err(inner.damaged("the footer", &why));
        }
        let rows = usize::try_from(whole).map_err(|e| inner.damaged("the footer", &e))?;
        Ok(Self {
            inner,
            rows,
            logits: None,
        })
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn classes(&self) -> usize {
        match &self.logits {
            Some(Logits::Lists(lists)) => lists.classes(),
            Some(Logits::Columns(columns)) => columns.classes(),
            None => 0,
        }
    }

    /// Appends at most `rows` of the next rows to `into`, and returns their number.
    pub(crate) fn read(
        &mut self,
        rows: usize,
        into: &mut Vec<f32>,
    ) -> Result<usize, LogitFileError> {
        match &mut self.logits {
            Some(Logits::Lists(lists)) => lists.read(&self.inner, rows, into),
            Some(Logits::Columns(columns)) => columns.read(&self.inner, rows, into),
            None => Ok(0),
        }
    }

    /// The integers in `column`; `None` when the table lacks the column.
    pub(crate) fn labels(&self, column: &str) -> Result<Option<Vec<usize>>, LogitFileError> {
        match self.inner.find(column) {
            Some(index) => whole::integers(&self.inner, index).map(Some),
            None => Ok(None),
        }
    }

    /// The text in the first of `columns` that the table has; `None` when it has none of them.
    pub(crate) fn ids(&self, columns: &[&str]) -> Result<Option<Vec<String>>, LogitFileError> {
        match columns.iter().find_map(|column| self.inner.find(column)) {
            Some(index) => whole::texts(&self.inner, index).map(Some),
            None => Ok(None),
        }
    }
}

impl Inner {
    /// Index of the first leaf of the top-level column `name`.
    fn find(&self, name: &str) -> Option<usize> {
        let columns = self.metadata.file_metadata().schema_descr().columns();
        columns
            .iter()
            .position(|c| c.path().parts().first().is_some_and(|first| first == name))
    }

    fn descr(&self, column: usize) -> ColumnDescPtr {
        self.metadata.file_metadata().schema_descr().column(column)
    }

    fn groups(&self) -> usize {
        self.metadata.num_row_groups()
    }

    /// Number of rows in a group; opening the file checked that it is not negative.
    fn group_rows(&self, group: usize) -> usize {
        usize::try_from(self.metadata.row_group(group).num_rows()).unwrap_or(0)
    }

    fn chunk(&self, group: usize, column: usize) -> &ColumnChunkMetaData {
        self.metadata.row_group(group).column(column)
    }

    /// The number of a row in the file, from its number in a row group.
    fn row(&self, group: usize, row: usize) -> u64 {
        let before: usize = (0..group).map(|g| self.group_rows(g)).sum();
        (before + row) as u64
    }

    fn content(&self, place: &str, found: &str, expected: &str) -> LogitFileError {
        LogitFileErrorKind::Content
            .error(format!("{place} is {found}, expected {expected}"))
            .at(self.path.display())
    }

    fn damaged(&self, place: &str, why: &dyn std::fmt::Display) -> LogitFileError {
        LogitFileErrorKind::Damaged
            .error(format!("{place} cannot be read: {why}"))
            .at(self.path.display())
    }

    /// The error for a failure to read `column` in the row group `group`.
    fn chunk_error(&self, group: usize, column: usize, error: &ParquetError) -> LogitFileError {
        let why = match error {
            ParquetError::General(why) | ParquetError::EOF(why) => why.clone(),
            other => other.to_string(),
        };
        self.chunk_damaged(group, column, &why)
    }

    fn chunk_damaged(&self, group: usize, column: usize, why: &str) -> LogitFileError {
        let name = self.name(column);
        self.damaged(&format!("row group {group}, column `{name}`"), &why)
    }

    /// A column's top-level name, without the names of its inner groups.
    fn name(&self, column: usize) -> String {
        let descr = self.descr(column);
        descr.path().parts().first().cloned().unwrap_or_default()
    }

    /// A column's type for messages, such as `DOUBLE` or `nested INT32`.
    fn form(&self, column: usize) -> String {
        let descr = self.descr(column);
        let physical = match (descr.physical_type(), descr.logical_type_ref()) {
            (_, Some(logical)) => format!("{logical:?}"),
            (Type::FIXED_LEN_BYTE_ARRAY, None) => format!("{} bytes", descr.type_length()),
            (physical, None) => physical.to_string(),
        };
        if descr.path().parts().len() > 1 {
            format!("nested {physical}")
        } else {
            physical
        }
    }
}
