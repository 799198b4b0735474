//! Tensors: the constants of a file.

use super::StringStringEntryProto;

/// A constant; its values are in `raw_data`, in one of the typed fields, or in another file.
#[derive(Clone, PartialEq, prost::Message)]
pub struct TensorProto {
    /// Shape; empty for a scalar.
    #[prost(int64, repeated, packed = "false", tag = "1")]
    pub dims: Vec<i64>,
    /// A [`DataType`].
    #[prost(int32, optional, tag = "2")]
    pub data_type: Option<i32>,
    /// Range of a larger tensor that this tensor holds.
    #[prost(message, optional, tag = "3")]
    pub segment: Option<TensorSegment>,
    /// `Float` and `Complex64` values.
    #[prost(float, repeated, tag = "4")]
    pub float_data: Vec<f32>,
    /// Values of the integer types up to 32 bits, `Bool`, and the bits of the 16-bit and narrower floats.
    #[prost(int32, repeated, tag = "5")]
    pub int32_data: Vec<i32>,
    /// `String` values.
    #[prost(bytes = "vec", repeated, tag = "6")]
    pub string_data: Vec<Vec<u8>>,
    /// `Int64` values.
    #[prost(int64, repeated, tag = "7")]
    pub int64_data: Vec<i64>,
    /// Name of the value.
    #[prost(string, optional, tag = "8")]
    pub name: Option<String>,
    /// Human-readable documentation.
    #[prost(string, optional, tag = "12")]
    pub doc_string: Option<String>,
    /// Values of any type but `String`, row-major, little-endian.
    #[prost(bytes = "vec", optional, tag = "9")]
    pub raw_data: Option<Vec<u8>>,
    /// Location of the values in another file.
    #[prost(message, repeated, tag = "13")]
    pub external_data: Vec<StringStringEntryProto>,
    /// Whether the values are in this file.
    #[prost(enumeration = "DataLocation", optional, tag = "14")]
    pub data_location: Option<i32>,
    /// `Double` and `Complex128` values.
    #[prost(double, repeated, tag = "10")]
    pub double_data: Vec<f64>,
    /// `Uint64` and `Uint32` values.
    #[prost(uint64, repeated, tag = "11")]
    pub uint64_data: Vec<u64>,
    /// Free metadata.
    #[prost(message, repeated, tag = "16")]
    pub metadata_props: Vec<StringStringEntryProto>,
}

/// A range of a larger tensor.
#[derive(Clone, PartialEq, prost::Message)]
pub struct TensorSegment {
    /// First element.
    #[prost(int64, optional, tag = "1")]
    pub begin: Option<i64>,
    /// One past the last element.
    #[prost(int64, optional, tag = "2")]
    pub end: Option<i64>,
}

/// A tensor given by its non-zero values.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SparseTensorProto {
    /// Non-zero values, `[nnz]`; this tensor's name is the name of the whole tensor.
    #[prost(message, optional, tag = "1")]
    pub values: Option<TensorProto>,
    /// Indices, `[nnz]` or `[nnz, rank]`.
    #[prost(message, optional, tag = "2")]
    pub indices: Option<TensorProto>,
    /// Shape of the whole tensor.
    #[prost(int64, repeated, packed = "false", tag = "3")]
    pub dims: Vec<i64>,
}

/// Location of a tensor's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum DataLocation {
    /// In the message.
    Default = 0,
    /// In another file.
    External = 1,
}

/// Type of a tensor's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum DataType {
    /// Not specified.
    Undefined = 0,
    /// IEEE 754 single.
    Float = 1,
    /// 8 bits, unsigned.
    Uint8 = 2,
    /// 8 bits, signed.
    Int8 = 3,
    /// 16 bits, unsigned.
    Uint16 = 4,
    /// 16 bits, signed.
    Int16 = 5,
    /// 32 bits, signed.
    Int32 = 6,
    /// 64 bits, signed.
    Int64 = 7,
    /// Bytes, UTF-8 by convention.
    String = 8,
    /// One byte, 0 or 1.
    Bool = 9,
    /// IEEE 754 half.
    Float16 = 10,
    /// IEEE 754 double.
    Double = 11,
    /// 32 bits, unsigned.
    Uint32 = 12,
    /// 64 bits, unsigned.
    Uint64 = 13,
    /// Two single-precision floats.
    Complex64 = 14,
    /// Two double-precision floats.
    Complex128 = 15,
    /// The upper half of a single-precision float.
    Bfloat16 = 16,
    /// 4 exponent bits, 3 mantissa bits, finite.
    Float8e4m3fn = 17,
    /// 4 exponent bits, 3 mantissa bits, finite, a single zero.
    Float8e4m3fnuz = 18,
    /// 5 exponent bits, 2 mantissa bits.
    Float8e5m2 = 19,
    /// 5 exponent bits, 2 mantissa bits, finite, a single zero.
    Float8e5m2fnuz = 20,
    /// 4 bits, unsigned, two per byte.
    Uint4 = 21,
    /// 4 bits, signed, two per byte.
    Int4 = 22,
    /// 2 exponent bits, 1 mantissa bit, two per byte.
    Float4e2m1 = 23,
    /// 8 exponent bits.
    Float8e8m0 = 24,
    /// 2 bits, unsigned, four per byte.
    Uint2 = 25,
    /// 2 bits, signed, four per byte.
    Int2 = 26,
    /// 2 exponent bits, 3 mantissa bits.
    Float6e2m3 = 27,
    /// 3 exponent bits, 2 mantissa bits.
    Float6e3m2 = 28,
}
