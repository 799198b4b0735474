//! Tensors in a part: their data types, and their bytes in the file.

use safetensors::Dtype;

/// Values of one data type.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Single-precision floats.
    F32(Vec<f32>),
    /// Signed integers.
    I64(Vec<i64>),
    /// Unsigned bytes.
    U8(Vec<u8>),
    /// Unsigned integers.
    U64(Vec<u64>),
}

/// A tensor in row-major order.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// The product of the dimensions is the number of values.
    pub shape: Vec<usize>,
    /// The values.
    pub values: Values,
}

/// A data type that a part can hold.
pub trait Element: Copy {
    /// Name of the data type in messages.
    const NAME: &'static str;

    /// The values, if they have this data type.
    fn of(values: &Values) -> Option<&[Self]>;
}

macro_rules! element {
    ($type:ty, $variant:ident, $name:literal) => {
        impl Element for $type {
            const NAME: &'static str = $name;

            fn of(values: &Values) -> Option<&[Self]> {
                match values {
                    Values::$variant(values) => Some(values),
                    _ => None,
                }
            }
        }

        impl From<Vec<$type>> for Values {
            fn from(values: Vec<$type>) -> Self {
                Self::$variant(values)
            }
        }
    };
}

element!(f32, F32, "f32");
element!(i64, I64, "i64");
element!(u8, U8, "u8");
element!(u64, U64, "u64");

impl Tensor {
    /// Data type and shape for messages, such as `f32 [3, 10]`.
    pub(crate) fn form(&self) -> String {
        let name = match self.values {
            Values::F32(_) => f32::NAME,
            Values::I64(_) => i64::NAME,
            Values::U8(_) => u8::NAME,
            Values::U64(_) => u64::NAME,
        };
        format!("{name} {:?}", self.shape)
    }

    /// Data type and little-endian bytes, in the form that the file holds.
    pub(crate) fn bytes(&self) -> (Dtype, Vec<u8>) {
        match &self.values {
            Values::F32(v) => (Dtype::F32, v.iter().flat_map(|v| v.to_le_bytes()).collect()),
            Values::I64(v) => (Dtype::I64, v.iter().flat_map(|v| v.to_le_bytes()).collect()),
            Values::U8(v) => (Dtype::U8, v.clone()),
            Values::U64(v) => (Dtype::U64, v.iter().flat_map(|v| v.to_le_bytes()).collect()),
        }
    }

    /// Builds a tensor from the file's bytes; `None` for a data type that no part holds.
    pub(crate) fn from_bytes(dtype: Dtype, shape: &[usize], bytes: &[u8]) -> Option<Self> {
        let (four, eight) = (bytes.as_chunks().0, bytes.as_chunks().0);
        let values = match dtype {
            Dtype::F32 => Values::F32(four.iter().map(|&b| f32::from_le_bytes(b)).collect()),
            Dtype::I64 => Values::I64(eight.iter().map(|&b| i64::from_le_bytes(b)).collect()),
            Dtype::U8 => Values::U8(bytes.to_vec()),
            Dtype::U64 => Values::U64(eight.iter().map(|&b| u64::from_le_bytes(b)).collect()),
            _ => return None,
        };
        Some(Self {
            shape: shape.to_vec(),
            values,
        })
    }
}
