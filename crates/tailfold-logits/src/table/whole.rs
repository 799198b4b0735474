//! Columns other than the logits, read whole: labels and names.

use parquet::basic::{ConvertedType, LogicalType, Type};
use parquet::column::reader::ColumnReaderImpl;
use parquet::data_type::{ByteArrayType, DataType, Int32Type, Int64Type};

use super::claims::Budget;
use super::layout::check_codec;
use super::pages::pages;
use super::{Inner, LogitFileError, LogitFileErrorKind};
use crate::payload::not_a_class;

/// Number of values per read.
const STRETCH: usize = 1 << 16;

/// Reads the labels in `column`.
pub(super) fn integers(inner: &Inner, column: usize) -> Result<Vec<usize>, LogitFileError> {
    let descr = inner.descr(column);
    let (signed, plain) = match descr.logical_type_ref() {
        Some(LogicalType::Integer(int)) => (int.is_signed, true),
        Some(_) => (true, false),
        None => (true, descr.converted_type() == ConvertedType::NONE),
    };
    let mut labels = Vec::new();
    let label =
        |row, value: i128| usize::try_from(value).map_err(|_| not_a_class(&inner.path, row, value));
    match descr.physical_type() {
        Type::INT32 if plain => each::<Int32Type>(inner, column, |row, &value| {
            let value = if signed {
                value.into()
            } else {
                value.cast_unsigned().into()
            };
            labels.push(label(row, value)?);
            Ok(())
        })?,
        Type::INT64 if plain => each::<Int64Type>(inner, column, |row, &value| {
            let value = if signed {
                value.into()
            } else {
                value.cast_unsigned().into()
            };
            labels.push(label(row, value)?);
            Ok(())
        })?,
        _ => return Err(unusable(inner, column, "integers")),
    }
    Ok(labels)
}

/// Reads the text in `column`.
pub(super) fn texts(inner: &Inner, column: usize) -> Result<Vec<String>, LogitFileError> {
    if inner.descr(column).physical_type() != Type::BYTE_ARRAY {
        return Err(unusable(inner, column, "text"));
    }
    let mut texts = Vec::new();
    each::<ByteArrayType>(inner, column, |row, value| {
        let text = value.as_utf8().map_err(|_| {
            LogitFileErrorKind::Content
                .error(format!(
                    "row {row}: `{}` in column `{}`, expected text in UTF-8",
                    value.data().escape_ascii(),
                    inner.name(column)
                ))
                .at(inner.path.display())
        })?;
        texts.push(text.to_owned());
        Ok(())
    })?;
    Ok(texts)
}

fn unusable(inner: &Inner, column: usize, expected: &str) -> LogitFileError {
    let place = format!("column `{}`", inner.name(column));
    inner.content(&place, &inner.form(column), expected)
}

/// Calls `take` with the number in the file and the value of each row.
fn each<T: DataType>(
    inner: &Inner,
    column: usize,
    mut take: impl FnMut(u64, &T::T) -> Result<(), LogitFileError>,
) -> Result<(), LogitFileError>
where
    ColumnReaderImpl<T>: Sized,
{
    let descr = inner.descr(column);
    if descr.path().parts().len() > 1 || descr.max_rep_level() > 0 {
        return Err(unusable(inner, column, "one value per row"));
    }
    check_codec(inner, column)?;
    let full = descr.max_def_level();
    let (mut values, mut definition) = (Vec::new(), Vec::new());
    for group in 0..inner.groups() {
        let pages = pages(inner, group, column, Budget::unlimited())?;
        let mut reader = ColumnReaderImpl::<T>::new(descr.clone(), pages);
        let rows = inner.group_rows(group);
        let mut row = 0;
        while row < rows {
            values.clear();
            definition.clear();
            let most = STRETCH.min(rows - row);
            let (found, ..) = reader
                .read_records(most, Some(&mut definition), None, &mut values)
                .map_err(|e| inner.chunk_error(group, column, &e))?;
            if let Some(null) = definition.iter().position(|&level| level != full) {
                return Err(LogitFileErrorKind::Content
                    .error(format!(
                        "row {row}: column `{}` is null, expected a value in each row",
                        inner.name(column),
                        row = inner.row(group, row + null)
                    ))
                    .at(inner.path.display()));
            }
            if found == 0 || found != values.len() {
                let why = format!("it ends after {row} of {rows} rows");
                return Err(inner.chunk_damaged(group, column, &why));
            }
            let first = inner.row(group, row);
            for (at, value) in (first..).zip(&values) {
                take(at, value)?;
            }
            row += found;
        }
    }
    Ok(())
}
