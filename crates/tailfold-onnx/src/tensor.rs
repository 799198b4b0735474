//! Tensors as Rust values: creation, decoding, and a check that the bytes fill the shape.

use half::f16;

use crate::proto::{DataLocation, DataType, TensorProto};
use crate::{OnnxError, OnnxErrorKind};

/// A Rust type that a tensor can hold: `f32`, `f64`, `half::f16`, `i8`, `u8`, `i32`, `i64`.
pub trait Element: sealed::Codec {
    /// ONNX data type of the Rust type.
    const DATA_TYPE: DataType;
}

mod sealed {
    use crate::proto::TensorProto;

    pub trait Codec: Copy {
        fn put(self, bytes: &mut Vec<u8>);
        /// Decodes little-endian bytes; trailing bytes that do not fill a value are ignored.
        fn from_raw(bytes: &[u8]) -> Vec<Self>;
        /// Decodes the typed field; `None` when a value is out of range.
        fn from_typed(tensor: &TensorProto) -> Option<Vec<Self>>;
    }
}

macro_rules! element {
    ($rust:ty, $onnx:ident, $tensor:ident => $typed:expr) => {
        impl sealed::Codec for $rust {
            fn put(self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_le_bytes());
            }

            fn from_raw(bytes: &[u8]) -> Vec<Self> {
                let (values, _) = bytes.as_chunks();
                values.iter().map(|&v| Self::from_le_bytes(v)).collect()
            }

            fn from_typed($tensor: &TensorProto) -> Option<Vec<Self>> {
                $typed
            }
        }

        impl Element for $rust {
            const DATA_TYPE: DataType = DataType::$onnx;
        }
    };
}

element!(f32, Float, tensor => Some(tensor.float_data.clone()));
element!(f16, Float16, tensor => {
    let bits = tensor.int32_data.iter().map(|&v| u16::try_from(v).ok());
    bits.map(|b| b.map(f16::from_bits)).collect()
});
element!(i32, Int32, tensor => Some(tensor.int32_data.clone()));
element!(i64, Int64, tensor => Some(tensor.int64_data.clone()));
element!(f64, Double, tensor => Some(tensor.double_data.clone()));
element!(i8, Int8, tensor => tensor.int32_data.iter().map(|&v| i8::try_from(v).ok()).collect());
element!(u8, Uint8, tensor => tensor.int32_data.iter().map(|&v| u8::try_from(v).ok()).collect());

impl DataType {
    /// Returns the short name for messages: `f32`, `i8`.
    pub fn label(self) -> &'static str {
        match self {
            Self::Undefined => "undefined",
            Self::Float => "f32",
            Self::Double => "f64",
            Self::Float16 => "f16",
            Self::Bfloat16 => "bf16",
            Self::Int8 => "i8",
            Self::Int16 => "i16",
            Self::Int32 => "i32",
            Self::Int64 => "i64",
            Self::Uint8 => "u8",
            Self::Uint16 => "u16",
            Self::Uint32 => "u32",
            Self::Uint64 => "u64",
            Self::Bool => "bool",
            Self::String => "string",
            Self::Complex64 => "c64",
            Self::Complex128 => "c128",
            Self::Uint2 => "u2",
            Self::Int2 => "i2",
            Self::Uint4 => "u4",
            Self::Int4 => "i4",
            Self::Float4e2m1 => "f4e2m1",
            Self::Float6e2m3 => "f6e2m3",
            Self::Float6e3m2 => "f6e3m2",
            Self::Float8e4m3fn => "f8e4m3fn",
            Self::Float8e4m3fnuz => "f8e4m3fnuz",
            Self::Float8e5m2 => "f8e5m2",
            Self::Float8e5m2fnuz => "f8e5m2fnuz",
            Self::Float8e8m0 => "f8e8m0",
        }
    }

    /// Returns the bytes per element; `None` for strings, complex numbers, packed types and rare types.
    fn bytes(self) -> Option<usize> {
        match self {
            Self::Int8 | Self::Uint8 | Self::Bool => Some(1),
            Self::Int16 | Self::Uint16 | Self::Float16 | Self::Bfloat16 => Some(2),
            Self::Float | Self::Int32 | Self::Uint32 => Some(4),
            Self::Double | Self::Int64 | Self::Uint64 => Some(8),
            _ => None,
        }
    }
}

impl TensorProto {
    /// Creates a tensor of shape `dims` (empty for a scalar) from `values`, row-major.
    ///
    /// Values that do not fill the shape are stored unchanged; [`crate::check()`] reports such a tensor.
    pub fn new<T: Element>(name: impl Into<String>, dims: &[usize], values: &[T]) -> Self {
        let mut raw = Vec::with_capacity(size_of_val(values));
        for &value in values {
            value.put(&mut raw);
        }
        Self {
            name: Some(name.into()),
            // A length above i64::MAX turns negative and is reported as an impossible shape.
            dims: dims.iter().map(|&d| d as i64).collect(),
            data_type: Some(T::DATA_TYPE.into()),
            raw_data: Some(raw),
            ..Self::default()
        }
    }

    /// Returns the element type; `None` for a type newer than this crate.
    pub fn element(&self) -> Option<DataType> {
        DataType::try_from(self.data_type()).ok()
    }

    /// Returns the shape.
    ///
    /// # Errors
    /// [`OnnxError`] when a dimension is negative or the elements cannot be counted.
    pub fn shape(&self) -> Result<Vec<usize>, OnnxError> {
        self.sized().map(|(shape, _)| shape)
    }

    fn sized(&self) -> Result<(Vec<usize>, usize), OnnxError> {
        let shape: Option<Vec<usize>> =
            self.dims.iter().map(|&d| usize::try_from(d).ok()).collect();
        shape
            .and_then(|shape| {
                let count = shape.iter().try_fold(1_usize, |n, &d| n.checked_mul(d))?;
                Some((shape, count))
            })
            .ok_or_else(|| {
                OnnxErrorKind::Tensor.error(format!(
                    "tensor `{name}` has the impossible shape {dims:?}",
                    name = self.name(),
                    dims = self.dims
                ))
            })
    }

    /// Returns the number of bytes that a tensor of this type and shape needs.
    ///
    /// # Errors
    /// [`OnnxError`] for an impossible shape, or for elements that are not whole bytes.
    pub(crate) fn bytes_of_shape(&self) -> Result<usize, OnnxError> {
        let (_, count) = self.sized()?;
        let width = self.element().and_then(DataType::bytes);
        let width = width.ok_or_else(|| self.wrong_type("numbers of whole bytes"))?;
        count.checked_mul(width).ok_or_else(|| {
            OnnxErrorKind::Tensor.error(format!(
                "tensor `{name}` has the impossible shape {dims:?}",
                name = self.name(),
                dims = self.dims
            ))
        })
    }

    /// Checks that the values are in this message and fill the shape.
    ///
    /// # Errors
    /// [`OnnxError`], also for elements that are not whole bytes (strings, 4-bit integers).
    pub fn check(&self) -> Result<(), OnnxError> {
        let (_, count) = self.sized()?;
        if self.data_location() == DataLocation::External {
            return Err(OnnxErrorKind::External.error(format!(
                "the values of tensor `{}` are in another file, which is not supported",
                self.name()
            )));
        }
        let data_type = self.element();
        let Some((data_type, width)) = data_type.and_then(|t| Some((t, t.bytes()?))) else {
            return Err(self.wrong_type("numbers of whole bytes"));
        };
        let (unit, expected, found) = match &self.raw_data {
            // Saturating: no buffer has usize::MAX bytes, so an overflow is still a mismatch.
            Some(raw) => ("bytes", count.saturating_mul(width), raw.len()),
            None => ("values", count, self.typed_len(data_type)),
        };
        if found == expected {
            Ok(())
        } else {
            Err(OnnxErrorKind::Tensor.error(format!(
                "tensor `{name}` of shape {dims:?} needs {expected} {unit} but has {found}",
                name = self.name(),
                dims = self.dims
            )))
        }
    }

    fn typed_len(&self, data_type: DataType) -> usize {
        match data_type {
            DataType::Float => self.float_data.len(),
            DataType::Double => self.double_data.len(),
            DataType::Int64 => self.int64_data.len(),
            DataType::Uint32 | DataType::Uint64 => self.uint64_data.len(),
            _ => self.int32_data.len(),
        }
    }

    /// Returns the values, row-major.
    ///
    /// # Errors
    /// [`OnnxError`] when the element type is not `T` or the values do not fill the shape.
    pub fn values<T: Element>(&self) -> Result<Vec<T>, OnnxError> {
        if self.element() != Some(T::DATA_TYPE) {
            return Err(self.wrong_type(T::DATA_TYPE.label()));
        }
        self.check()?;
        match &self.raw_data {
            Some(raw) => Ok(T::from_raw(raw)),
            None => T::from_typed(self).ok_or_else(|| {
                OnnxErrorKind::Tensor.error(format!(
                    "tensor `{name}` holds a value outside the range of {data_type}",
                    name = self.name(),
                    data_type = T::DATA_TYPE.label()
                ))
            }),
        }
    }

    /// Returns the values of a bool tensor, row-major.
    ///
    /// # Errors
    /// As [`TensorProto::values`].
    pub(crate) fn truths(&self) -> Result<Vec<bool>, OnnxError> {
        if self.element() != Some(DataType::Bool) {
            return Err(self.wrong_type(DataType::Bool.label()));
        }
        self.check()?;
        Ok(match &self.raw_data {
            Some(raw) => raw.iter().map(|&b| b != 0).collect(),
            None => self.int32_data.iter().map(|&b| b != 0).collect(),
        })
    }

    fn wrong_type(&self, expected: &'static str) -> OnnxError {
        let found = match self.element() {
            Some(data_type) => data_type.label().to_owned(),
            None => format!("the unknown type {}", self.data_type()),
        };
        OnnxErrorKind::ElementType.error(format!(
            "tensor `{name}` holds {found}, expected {expected}",
            name = self.name()
        ))
    }
}

#[cfg(test)]
mod tests;
