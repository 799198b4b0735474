//! Reads the numbers of one column in one row group as `f32`.

use parquet::basic::{LogicalType, Type};
use parquet::column::reader::ColumnReaderImpl;
use parquet::data_type::{
    AsBytes as _, DoubleType, FixedLenByteArray, FixedLenByteArrayType, FloatType,
};
use parquet::errors::Result;
use parquet::schema::types::{ColumnDescPtr, ColumnDescriptor};

use super::pages::Pages;
use crate::element::{Float, narrow};

/// The floating-point type of a column; `None` for other columns.
pub(super) fn kind(descr: &ColumnDescriptor) -> Option<Float> {
    match (descr.physical_type(), descr.logical_type_ref()) {
        (Type::FLOAT, _) => Some(Float::F32),
        (Type::DOUBLE, _) => Some(Float::F64),
        (Type::FIXED_LEN_BYTE_ARRAY, Some(LogicalType::Float16)) if descr.type_length() == 2 => {
            Some(Float::F16)
        }
        _ => None,
    }
}

/// Parquet's levels for a range of rows: definition levels mark nulls, repetition levels mark where a row begins.
#[derive(Default)]
pub(super) struct Levels {
    pub(super) definition: Vec<i16>,
    pub(super) repetition: Vec<i16>,
}

/// The reader of one column chunk.
pub(super) enum Floats {
    Half(
        ColumnReaderImpl<FixedLenByteArrayType>,
        Vec<FixedLenByteArray>,
    ),
    Single(ColumnReaderImpl<FloatType>),
    Double(ColumnReaderImpl<DoubleType>, Vec<f64>),
}

impl Floats {
    /// Creates the reader of a column whose type is `kind`.
    pub(super) fn new(kind: Float, descr: ColumnDescPtr, pages: Box<Pages>) -> Self {
        match kind {
            Float::F16 | Float::BF16 => Self::Half(ColumnReaderImpl::new(descr, pages), Vec::new()),
            Float::F32 => Self::Single(ColumnReaderImpl::new(descr, pages)),
            Float::F64 => Self::Double(ColumnReaderImpl::new(descr, pages), Vec::new()),
        }
    }

    /// Appends the values of at most `rows` further rows to `into`, and replaces `levels` with their levels. Returns
    /// the number of rows.
    pub(super) fn read(
        &mut self,
        rows: usize,
        levels: &mut Levels,
        into: &mut Vec<f32>,
    ) -> Result<usize> {
        levels.definition.clear();
        levels.repetition.clear();
        let definition = Some(&mut levels.definition);
        let repetition = Some(&mut levels.repetition);
        let (rows, ..) = match self {
            Self::Single(reader) => reader.read_records(rows, definition, repetition, into)?,
            Self::Double(reader, values) => {
                values.clear();
                let read = reader.read_records(rows, definition, repetition, values)?;
                into.extend(values.iter().copied().map(narrow));
                read
            }
            Self::Half(reader, values) => {
                values.clear();
                let read = reader.read_records(rows, definition, repetition, values)?;
                for value in values.iter() {
                    Float::F16.append(value.as_bytes(), false, into);
                }
                read
            }
        };
        Ok(rows)
    }

    /// Skips at most `rows` rows, and returns their number.
    pub(super) fn skip(&mut self, rows: usize) -> Result<usize> {
        match self {
            Self::Half(reader, _) => reader.skip_records(rows),
            Self::Single(reader) => reader.skip_records(rows),
            Self::Double(reader, _) => reader.skip_records(rows),
        }
    }
}
