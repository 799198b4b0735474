//! Operators that make constants of a given shape.

use super::broadcast::{broadcast, places};
use super::index::steps_between;
use super::value::{Data, count};
use super::{Folded, Unfolded, Value};
use crate::proto::{DataType, NodeProto};

/// Expand: broadcasts `x` with the shape `to`.
pub(super) fn expand(x: &Value, to: &Value) -> Folded {
    let to: Option<Vec<usize>> = to
        .as_ints()
        .and_then(|to| to.iter().map(|&d| usize::try_from(d).ok()).collect());
    let shape = broadcast(&x.shape, &to.ok_or(Unfolded::Unknown)?)?;
    let places = places(&shape, &x.shape);
    Ok(Value {
        element: x.element,
        data: x.data.pick(places.into_iter()),
        shape,
    })
}

/// ConstantOfShape: repeats the attribute `value`, or an f32 zero without it.
pub(super) fn constant_of_shape(node: &NodeProto, shape: &Value) -> Folded {
    let shape: Option<Vec<usize>> = shape
        .as_ints()
        .and_then(|s| s.iter().map(|&d| usize::try_from(d).ok()).collect());
    let shape = shape.ok_or(Unfolded::Unknown)?;
    let total = count(&shape)?;
    let value = match node.find_attr("value").and_then(|a| a.t.as_ref()) {
        None => Value {
            element: DataType::Float,
            shape: vec![1],
            data: Data::Real(vec![0.0]),
        },
        Some(tensor) => Value::read(tensor)
            .ok()
            .flatten()
            .filter(|v| v.len() == 1)
            .ok_or(Unfolded::Unknown)?,
    };
    Ok(Value {
        element: value.element,
        data: value.data.pick(std::iter::repeat_n(0, total)),
        shape,
    })
}

/// Range of integers from `start` to `limit`, exclusive.
pub(super) fn range(inputs: &[Option<&Value>]) -> Folded {
    let one = |i: usize| match inputs.get(i).copied().flatten().map(|v| &v.data) {
        Some(Data::Int(values)) if values.len() == 1 => Ok(values[0]),
        _ => Err(Unfolded::Unknown),
    };
    let (start, limit, step) = (one(0)?, one(1)?, one(2)?);
    let span = limit.checked_sub(start).ok_or(Unfolded::TooLarge)?;
    let steps = match step {
        0 => return Err(Unfolded::Unknown),
        s if s > 0 => steps_between(span, s),
        s => steps_between(span.saturating_neg(), s.saturating_neg()),
    };
    let total = count(&[steps])?;
    let values: Option<Vec<i64>> = (0..total as i64)
        .map(|i| i.checked_mul(step).and_then(|s| s.checked_add(start)))
        .collect();
    Value::ints(values.ok_or(Unfolded::Unknown)?)
        .cast(inputs[0].map_or(DataType::Int64, |v| v.element))
}
