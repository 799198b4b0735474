//! Logits with one column per class.
//!
//! Parquet stores the values of a column together, so the values of one row may be a whole row group apart. Rows are
//! assembled in blocks. For each block every column is opened again, and the values before the block are skipped;
//! pages that lie entirely before the block are not decompressed. Memory therefore depends on the block size and not
//! on the size of the row group.

use std::ops::Range;

use super::claims::Budget;
use super::floats::{self, Floats, Levels};
use super::pages::pages;
use super::{Inner, LogitFileError, LogitFileErrorKind};
use crate::element::Float;

/// Numbers per block, 64 MiB.
const BLOCK: usize = 1 << 24;

/// Columns that are written into the rows together. Rows are memory pages apart, and moving from one row to the next
/// dominates the cost.
const TOGETHER: usize = 64;

/// Columns in the order of their classes, and the next row to read.
pub(super) struct Columns {
    columns: Vec<usize>,
    /// Row group and row in it at which the next block begins.
    next: (usize, usize),
    /// Row-major `[rows, classes]`.
    block: Vec<f32>,
    /// Count of numbers of the block that have been returned.
    taken: usize,
}

impl Columns {
    pub(super) fn new(columns: Vec<usize>) -> Self {
        Self {
            columns,
            next: (0, 0),
            block: Vec::new(),
            taken: 0,
        }
    }

    pub(super) fn classes(&self) -> usize {
        self.columns.len()
    }

    pub(super) fn read(
        &mut self,
        inner: &Inner,
        rows: usize,
        into: &mut Vec<f32>,
    ) -> Result<usize, LogitFileError> {
        let classes = self.classes();
        let mut read = 0;
        while read < rows && self.fill(inner)? {
            let left = &self.block[self.taken..];
            let found = (rows - read).min(left.len() / classes);
            into.extend(&left[..found * classes]);
            self.taken += found * classes;
            read += found;
        }
        Ok(read)
    }

    /// Reads the next block when the current one is used up; returns false at the end of the file.
    fn fill(&mut self, inner: &Inner) -> Result<bool, LogitFileError> {
        while self.taken == self.block.len() {
            let (group, row) = self.next;
            if group == inner.groups() {
                return Ok(false);
            }
            let end = inner.group_rows(group);
            if row == end {
                self.next = (group + 1, 0);
                continue;
            }
            let most = (BLOCK / self.classes()).max(1);
            let rows = row..end.min(row.saturating_add(most));
            self.next = (group, rows.end);
            self.block.clear();
            self.taken = 0;
            self.block(inner, group, rows)?;
        }
        Ok(true)
    }

    fn block(
        &mut self,
        inner: &Inner,
        group: usize,
        rows: Range<usize>,
    ) -> Result<(), LogitFileError> {
        let classes = self.classes();
        let mut together = vec![Vec::new(); TOGETHER.min(classes)];
        for (first, columns) in self.columns.chunks(TOGETHER).enumerate() {
            for (values, &column) in together.iter_mut().zip(columns) {
                values.clear();
                read_column(inner, group, column, &rows, values)?;
            }
            // The first columns were read in full, so this many rows exist.
            self.block.resize(rows.len() * classes, 0.0);
            let at = first * TOGETHER;
            for (row, into) in self.block.chunks_exact_mut(classes).enumerate() {
                for (into, values) in into[at..].iter_mut().zip(&together[..columns.len()]) {
                    *into = values[row];
                }
            }
        }
        Ok(())
    }
}

/// Replaces `values` with the rows `rows` of one column.
fn read_column(
    inner: &Inner,
    group: usize,
    column: usize,
    rows: &Range<usize>,
    values: &mut Vec<f32>,
) -> Result<(), LogitFileError> {
    let descr = inner.descr(column);
    let full = descr.max_def_level();
    let kind = floats::kind(&descr).unwrap_or(Float::F32);
    let pages = pages(inner, group, column, Budget::unlimited())?;
    let mut floats = Floats::new(kind, descr, pages);
    let mut levels = Levels::default();
    let failed = |e| inner.chunk_error(group, column, &e);
    let skipped = floats.skip(rows.start).map_err(failed)?;
    let mut row = skipped;
    while row >= rows.start && row < rows.end {
        let found = floats
            .read((rows.end - row).min(1 << 16), &mut levels, values)
            .map_err(failed)?;
        if let Some(null) = levels.definition.iter().position(|&level| level != full) {
            return Err(LogitFileErrorKind::Content
                .error(format!(
                    "row {row}: the logit in column `{}` is null, expected one logit per class",
                    inner.name(column),
                    row = inner.row(group, row + null)
                ))
                .at(inner.path.display()));
        }
        if found == 0 {
            break;
        }
        row += found;
    }
    if row == rows.end && values.len() == rows.len() {
        return Ok(());
    }
    let why = format!("it ends after {row} of {} rows", inner.group_rows(group));
    Err(inner.chunk_damaged(group, column, &why))
}
