//! Logits in a list column, one list per row.

use super::claims::{Budget, MAX_VALUES};
use super::floats::{self, Floats, Levels};
use super::layout::nullable;
use super::pages::pages;
use super::{Inner, LogitFileError, LogitFileErrorKind};
use crate::element::Float;

/// Number of values per read, small enough that they and their levels stay in the cache.
const STRETCH: usize = 1 << 16;

/// A list column, and the next row to read.
pub(super) struct Lists {
    column: usize,
    kind: Float,
    classes: usize,
    /// Row group and row in it to read next.
    next: (usize, usize),
    /// Reader of that row group, positioned at that row.
    floats: Option<Floats>,
    budget: Budget,
    levels: Levels,
}

impl Lists {
    /// Opens `column` and reads its first row, whose length is the number of classes.
    pub(super) fn open(inner: &Inner, column: usize) -> Result<Self, LogitFileError> {
        let descr = inner.descr(column);
        let mut lists = Self {
            column,
            kind: floats::kind(&descr).unwrap_or(Float::F32),
            classes: 0,
            next: (0, 0),
            floats: None,
            budget: Budget::unlimited(),
            levels: Levels::default(),
        };
        while inner.group_rows(lists.next.0) == 0 {
            lists.next.0 += 1;
        }
        let mut row = Vec::new();
        let group = lists.next.0;
        lists.stretch(inner, 1, &mut row)?;
        lists.classes = row.len();
        lists.check(inner, group, 0, row.len())?;
        lists.next = (group, 0);
        lists.floats = None;
        Ok(lists)
    }

    pub(super) fn classes(&self) -> usize {
        self.classes
    }

    pub(super) fn read(
        &mut self,
        inner: &Inner,
        rows: usize,
        into: &mut Vec<f32>,
    ) -> Result<usize, LogitFileError> {
        let mut read = 0;
        while read < rows && self.next.0 < inner.groups() {
            let (group, row) = self.next;
            let left = inner.group_rows(group) - row;
            if left == 0 {
                self.ended(inner, group, row)?;
                self.next = (group + 1, 0);
                self.floats = None;
                continue;
            }
            let most = (STRETCH / self.classes).max(1).min(left).min(rows - read);
            let before = into.len();
            let found = self.stretch(inner, most, into)?;
            self.check(inner, group, row, into.len() - before)?;
            self.next = (group, row + found);
            read += found;
        }
        Ok(read)
    }

    /// Checks that a row group has no values beyond its `rows` rows, all of which were read.
    fn ended(&self, inner: &Inner, group: usize, rows: usize) -> Result<(), LogitFileError> {
        let values = inner.chunk(group, self.column).num_values();
        let classes = self.classes;
        if usize::try_from(values).ok() == rows.checked_mul(classes) {
            return Ok(());
        }
        let why = format!("it has {values} values, expected {rows} rows of {classes}");
        Err(inner.chunk_damaged(group, self.column, &why))
    }

    /// Appends between 1 and `rows` rows of the current row group.
    fn stretch(
        &mut self,
        inner: &Inner,
        rows: usize,
        into: &mut Vec<f32>,
    ) -> Result<usize, LogitFileError> {
        let (group, row) = self.next;
        let floats = match &mut self.floats {
            Some(floats) => floats,
            floats @ None => {
                let pages = pages(inner, group, self.column, self.budget.clone())?;
                floats.insert(Floats::new(self.kind, inner.descr(self.column), pages))
            }
        };
        // The budget covers the pages with these rows, including the rest of the last page.
        let values = rows.saturating_mul(self.classes.max(1));
        self.budget.set(values.saturating_add(MAX_VALUES));
        let found = floats
            .read(rows, &mut self.levels, into)
            .map_err(|e| inner.chunk_error(group, self.column, &e))?;
        if found == 0 {
            let rows = inner.group_rows(group);
            let why = format!("it ends after {row} of {rows} rows");
            return Err(inner.chunk_damaged(group, self.column, &why));
        }
        Ok(found)
    }

    /// Checks the rows read last, `first` and following: each must have `classes` numbers. `values` is the number of
    /// values read.
    fn check(
        &self,
        inner: &Inner,
        group: usize,
        first: usize,
        values: usize,
    ) -> Result<(), LogitFileError> {
        let Levels {
            definition,
            repetition,
        } = &self.levels;
        let (classes, count) = (self.classes, repetition.len());
        let whole = classes > 0 && values == count && count.is_multiple_of(classes);
        let fits = whole
            && repetition.chunks_exact(classes).all(|row| {
                // A fold without an early exit takes few instructions for many levels.
                let begins = row[1..].iter().fold(0, |begins, &level| begins | level ^ 1);
                row[0] == 0 && begins == 0
            });
        if fits {
            return Ok(());
        }
        let starts = (0..count).filter(|&i| repetition[i] == 0);
        let ends = (1..count).filter(|&i| repetition[i] == 0).chain([count]);
        for (row, (start, end)) in starts.zip(ends).enumerate() {
            let row = inner.row(group, first + row);
            let found = self.row(
                inner,
                definition.get(start..end).unwrap_or_default(),
                end - start,
            );
            if let Some(found) = found {
                let expected = match classes {
                    0 => "one logit per class".to_owned(),
                    _ => format!("{classes} logits, as in the first row"),
                };
                return Err(LogitFileErrorKind::Content
                    .error(format!("row {row}: {found}, expected {expected}"))
                    .at(inner.path.display()));
            }
        }
        Err(inner.chunk_damaged(group, self.column, "its repetition levels do not form rows"))
    }

    /// Describes the error in a row with these definition levels; `None` for a valid row.
    fn row(&self, inner: &Inner, definition: &[i16], length: usize) -> Option<String> {
        let full = inner.descr(self.column).max_def_level();
        let (row_null, element_null) = nullable(inner, self.column);
        match definition {
            [0] if row_null => return Some("the list is null".to_owned()),
            [level] if *level < full && !(element_null && *level == full - 1) => {
                return Some("the list has 0 logits".to_owned());
            }
            _ => {}
        }
        if let Some(class) = definition.iter().position(|&level| level != full) {
            return Some(format!("the logit of class {class} is null"));
        }
        (length != self.classes).then(|| format!("the list has {length} logits"))
    }
}
