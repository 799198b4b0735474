//! Types of values and shapes of tensors.

/// Type of a value.
#[derive(Clone, PartialEq, prost::Message)]
pub struct TypeProto {
    /// The type itself.
    #[prost(oneof = "TypeValue", tags = "1, 4, 5, 9, 8, 7")]
    pub value: Option<TypeValue>,
    /// Meaning of the value, such as `IMAGE`.
    #[prost(string, optional, tag = "6")]
    pub denotation: Option<String>,
}

/// Kinds of types.
#[derive(Clone, PartialEq, prost::Oneof)]
pub enum TypeValue {
    /// Dense tensor.
    #[prost(message, tag = "1")]
    Tensor(TensorType),
    /// Sequence of values of one type.
    #[prost(message, tag = "4")]
    Sequence(Box<SequenceType>),
    /// Map from a scalar to a value.
    #[prost(message, tag = "5")]
    Map(Box<MapType>),
    /// An optional value.
    #[prost(message, tag = "9")]
    Optional(Box<OptionalType>),
    /// Sparse tensor.
    #[prost(message, tag = "8")]
    SparseTensor(SparseTensorType),
    /// A type known only to some operators.
    #[prost(message, tag = "7")]
    Opaque(OpaqueType),
}

/// Elements and shape of a dense tensor.
#[derive(Clone, PartialEq, prost::Message)]
pub struct TensorType {
    /// A [`super::DataType`].
    #[prost(int32, optional, tag = "1")]
    pub elem_type: Option<i32>,
    /// Shape; absent when the rank is unknown.
    #[prost(message, optional, tag = "2")]
    pub shape: Option<TensorShapeProto>,
}

/// Elements and shape of a sparse tensor.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SparseTensorType {
    /// A [`super::DataType`].
    #[prost(int32, optional, tag = "1")]
    pub elem_type: Option<i32>,
    /// Shape; absent when the rank is unknown.
    #[prost(message, optional, tag = "2")]
    pub shape: Option<TensorShapeProto>,
}

/// A sequence.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SequenceType {
    /// Type of the elements.
    #[prost(message, optional, boxed, tag = "1")]
    pub elem_type: Option<Box<TypeProto>>,
}

/// A map.
#[derive(Clone, PartialEq, prost::Message)]
pub struct MapType {
    /// A [`super::DataType`]: integers or strings.
    #[prost(int32, optional, tag = "1")]
    pub key_type: Option<i32>,
    /// Type of the values.
    #[prost(message, optional, boxed, tag = "2")]
    pub value_type: Option<Box<TypeProto>>,
}

/// An optional value.
#[derive(Clone, PartialEq, prost::Message)]
pub struct OptionalType {
    /// Type of the value.
    #[prost(message, optional, boxed, tag = "1")]
    pub elem_type: Option<Box<TypeProto>>,
}

/// A type known only to some operators.
#[derive(Clone, PartialEq, prost::Message)]
pub struct OpaqueType {
    /// Domain of the type.
    #[prost(string, optional, tag = "1")]
    pub domain: Option<String>,
    /// Name of the type.
    #[prost(string, optional, tag = "2")]
    pub name: Option<String>,
}

/// Shape of a tensor.
#[derive(Clone, PartialEq, prost::Message)]
pub struct TensorShapeProto {
    /// One entry per dimension.
    #[prost(message, repeated, tag = "1")]
    pub dim: Vec<Dimension>,
}

/// One dimension.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Dimension {
    /// Its length or the symbol of its length; absent when unknown.
    #[prost(oneof = "DimensionValue", tags = "1, 2")]
    pub value: Option<DimensionValue>,
    /// Meaning of the dimension, such as `DATA_BATCH`.
    #[prost(string, optional, tag = "3")]
    pub denotation: Option<String>,
}

/// Length of a dimension.
#[derive(Clone, PartialEq, Eq, prost::Oneof)]
pub enum DimensionValue {
    /// A known length.
    #[prost(int64, tag = "1")]
    Length(i64),
    /// A symbol; equal symbols have equal lengths.
    #[prost(string, tag = "2")]
    Symbol(String),
}
