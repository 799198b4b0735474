//! Constant tensors in the form that the evaluator computes with.

use half::f16;

use super::{Folded, Unfolded, from_front};
use crate::limits::MOST_ELEMENTS;
use crate::proto::{DataType, NodeProto, TensorProto};
use crate::{Element, OnnxError};

/// A constant tensor. Integers and booleans are exact; floats are f64, rounded to the element type.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Value {
    pub(crate) element: DataType,
    pub(crate) shape: Vec<usize>,
    pub(crate) data: Data,
}

/// The elements of a [`Value`], row-major.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Data {
    Int(Vec<i64>),
    Real(Vec<f64>),
}

impl Data {
    /// The elements at `indices`.
    pub(crate) fn pick(&self, indices: impl Iterator<Item = usize>) -> Self {
        match self {
            Self::Int(values) => Self::Int(indices.map(|i| values[i]).collect()),
            Self::Real(values) => Self::Real(indices.map(|i| values[i]).collect()),
        }
    }
}

/// Largest rank of a tensor that is evaluated.
const MAX_RANK: usize = 32;

/// Product of all nonzero lengths; `None` on overflow. It bounds loops over a part of the dimensions, even for an empty
/// tensor.
fn extent(shape: &[usize]) -> Option<usize> {
    let lengths = shape.iter().filter(|&&d| d != 0);
    lengths.copied().try_fold(1_usize, usize::checked_mul)
}

/// Number of elements of a tensor of shape `shape`.
///
/// # Errors
/// [`Unfolded::TooLarge`] when the product of the nonzero lengths is above [`MOST_ELEMENTS`], [`Unfolded::Unknown`]
/// when the rank is above [`MAX_RANK`].
pub(crate) fn count(shape: &[usize]) -> Result<usize, Unfolded> {
    if shape.len() > MAX_RANK {
        return Err(Unfolded::Unknown);
    }
    let extent = extent(shape).filter(|&n| n <= MOST_ELEMENTS);
    let extent = extent.ok_or(Unfolded::TooLarge)?;
    Ok(if shape.contains(&0) { 0 } else { extent })
}

/// Rounds `value` to the precision of `element`.
#[expect(
    clippy::cast_possible_truncation,
    reason = "this function rounds to the narrower type"
)]
pub(crate) fn rounded(element: DataType, value: f64) -> f64 {
    match element {
        DataType::Float => f64::from(value as f32),
        DataType::Float16 => f64::from(f16::from_f64(value)),
        _ => value,
    }
}

impl Value {
    /// A one-dimensional tensor of i64.
    pub(crate) fn ints(values: Vec<i64>) -> Self {
        Self {
            element: DataType::Int64,
            shape: vec![values.len()],
            data: Data::Int(values),
        }
    }

    /// A scalar of i64.
    pub(crate) fn scalar_int(value: i64) -> Self {
        Self {
            element: DataType::Int64,
            shape: Vec::new(),
            data: Data::Int(vec![value]),
        }
    }

    /// A tensor of booleans.
    pub(crate) fn truths(shape: Vec<usize>, values: Vec<bool>) -> Self {
        Self {
            element: DataType::Bool,
            shape,
            data: Data::Int(values.into_iter().map(i64::from).collect()),
        }
    }

    pub(crate) fn len(&self) -> usize {
        match &self.data {
            Data::Int(values) => values.len(),
            Data::Real(values) => values.len(),
        }
    }

    /// The elements as integers, booleans as 0 and 1; `None` for floats.
    pub(crate) fn as_ints(&self) -> Option<&[i64]> {
        match &self.data {
            Data::Int(values) => Some(values),
            Data::Real(_) => None,
        }
    }

    /// Converts `tensor`; `None` for an element type or a shape that the evaluator does not support.
    ///
    /// # Errors
    /// [`OnnxError`] when the elements do not fill the shape or are out of range.
    pub(crate) fn read(tensor: &TensorProto) -> Result<Option<Self>, OnnxError> {
        fn ints<T: Element + Into<i64>>(tensor: &TensorProto) -> Result<Data, OnnxError> {
            let values = tensor.values::<T>()?;
            Ok(Data::Int(values.into_iter().map(Into::into).collect()))
        }
        fn reals<T: Element + Into<f64>>(tensor: &TensorProto) -> Result<Data, OnnxError> {
            let values = tensor.values::<T>()?;
            Ok(Data::Real(values.into_iter().map(Into::into).collect()))
        }
        let Some(element) = tensor.element() else {
            return Ok(None);
        };
        let shape = tensor.shape()?;
        // The data of an empty tensor does not bound its other lengths.
        let sized = !shape.contains(&0) || extent(&shape).is_some_and(|n| n <= MOST_ELEMENTS);
        if shape.len() > MAX_RANK || !sized {
            return Ok(None);
        }
        let data = match element {
            DataType::Float => reals::<f32>(tensor)?,
            DataType::Double => reals::<f64>(tensor)?,
            DataType::Float16 => reals::<f16>(tensor)?,
            DataType::Int64 => ints::<i64>(tensor)?,
            DataType::Int32 => ints::<i32>(tensor)?,
            DataType::Int8 => ints::<i8>(tensor)?,
            DataType::Uint8 => ints::<u8>(tensor)?,
            DataType::Bool => Data::Int(tensor.truths()?.into_iter().map(i64::from).collect()),
            _ => return Ok(None),
        };
        Ok(Some(Self {
            element,
            shape,
            data,
        }))
    }

    /// Converts the value to the initializer `name`; `None` for an element type that cannot be written.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "every value is within the range of its element type"
    )]
    pub(crate) fn write(&self, name: &str) -> Option<TensorProto> {
        let dims = &self.shape;
        Some(match (&self.data, self.element) {
            (Data::Real(v), DataType::Float) => {
                TensorProto::new(name, dims, &v.iter().map(|&v| v as f32).collect::<Vec<_>>())
            }
            (Data::Real(v), DataType::Double) => TensorProto::new(name, dims, v),
            (Data::Real(v), DataType::Float16) => {
                let halves: Vec<f16> = v.iter().map(|&v| f16::from_f64(v)).collect();
                TensorProto::new(name, dims, &halves)
            }
            (Data::Int(v), DataType::Int64) => TensorProto::new(name, dims, v),
            (Data::Int(v), DataType::Int32) => {
                TensorProto::new(name, dims, &v.iter().map(|&v| v as i32).collect::<Vec<_>>())
            }
            (Data::Int(v), DataType::Int8) => {
                TensorProto::new(name, dims, &v.iter().map(|&v| v as i8).collect::<Vec<_>>())
            }
            (Data::Int(v), element @ (DataType::Uint8 | DataType::Bool)) => {
                #[expect(clippy::cast_sign_loss, reason = "the values are not negative")]
                let bytes: Vec<u8> = v.iter().map(|&v| v as u8).collect();
                TensorProto {
                    data_type: Some(element.into()),
                    ..TensorProto::new(name, dims, &bytes)
                }
            }
            _ => return None,
        })
    }

    /// Converts the elements to type `to` as ONNX Cast does: floats are truncated to integers, and every nonzero value
    /// is true. A value outside the range of an integer type is [`Unfolded::Unknown`].
    #[expect(
        clippy::cast_possible_truncation,
        reason = "ONNX Cast truncates towards zero; values out of range are refused"
    )]
    pub(crate) fn cast(&self, to: DataType) -> Folded {
        let data = match to {
            DataType::Float | DataType::Double | DataType::Float16 => {
                Data::Real(match &self.data {
                    Data::Int(v) => v.iter().map(|&v| rounded(to, v as f64)).collect(),
                    Data::Real(v) => v.iter().map(|&v| rounded(to, v)).collect(),
                })
            }
            DataType::Bool => Data::Int(match &self.data {
                Data::Int(v) => v.iter().map(|&v| i64::from(v != 0)).collect(),
                Data::Real(v) => v
                    .iter()
                    .map(|&v| i64::from(v.to_bits() << 1 != 0))
                    .collect(),
            }),
            DataType::Int64 | DataType::Int32 | DataType::Int8 | DataType::Uint8 => {
                let values: Vec<i64> = match &self.data {
                    Data::Int(v) => v.clone(),
                    // The bound is below 2^63, so each value fits i64.
                    Data::Real(v) if v.iter().all(|v| v.abs() < 9.0e18) => {
                        v.iter().map(|&v| v.trunc() as i64).collect()
                    }
                    Data::Real(_) => return Err(Unfolded::Unknown),
                };
                let range = match to {
                    DataType::Int32 => i64::from(i32::MIN)..=i64::from(i32::MAX),
                    DataType::Int8 => -128..=127,
                    DataType::Uint8 => 0..=255,
                    _ => i64::MIN..=i64::MAX,
                };
                if !values.iter().all(|v| range.contains(v)) {
                    return Err(Unfolded::Unknown);
                }
                Data::Int(values)
            }
            _ => return Err(Unfolded::Unknown),
        };
        Ok(Self {
            element: to,
            shape: self.shape.clone(),
            data,
        })
    }

    /// Applies the attributes `start` and `end` of the Shape node `node` (opset 15) to a shape.
    pub(crate) fn section(self, node: &NodeProto) -> Folded {
        let rank = i64::try_from(self.len()).unwrap_or(i64::MAX);
        let place = |name: &str, default: i64| {
            let at = node.int(name).unwrap_or(default);
            let at = if at < 0 { at.saturating_add(rank) } else { at };
            usize::try_from(at.clamp(0, rank)).unwrap_or(0)
        };
        let (start, end) = (place("start", 0), place("end", rank));
        let values = self.as_ints().ok_or(Unfolded::Unknown)?;
        Ok(Self::ints(
            values.get(start..end.max(start)).unwrap_or(&[]).to_vec(),
        ))
    }

    /// Index of the dimension `axis`, which may be negative.
    pub(crate) fn axis(&self, axis: i64) -> Result<usize, Unfolded> {
        from_front(axis, self.shape.len())
    }
}
