//! Operators that change the shape of constants and keep their elements in order.

use super::value::count;
use super::{Folded, Unfolded, Value, from_front};
use crate::proto::NodeProto;

/// Returns the elements of `x` with the shape `shape`, which must have as many elements.
fn shaped(x: &Value, shape: Vec<usize>) -> Folded {
    if count(&shape)? != x.len() {
        return Err(Unfolded::Unknown);
    }
    Ok(Value { shape, ..x.clone() })
}

/// Reshape: 0 copies the length of the input unless `allowzero` is set; one length may be -1 and is inferred.
pub(super) fn reshape(node: &NodeProto, x: &Value, to: Option<&Value>) -> Folded {
    let to = to.and_then(Value::as_ints).ok_or(Unfolded::Unknown)?;
    let keeps = node.int("allowzero").unwrap_or(0) == 0;
    let mut open = None;
    let mut shape = Vec::with_capacity(to.len());
    for (i, &length) in to.iter().enumerate() {
        shape.push(match length {
            0 if keeps => *x.shape.get(i).ok_or(Unfolded::Unknown)?,
            -1 if open.is_none() => {
                open = Some(i);
                1
            }
            _ => usize::try_from(length).map_err(|_| Unfolded::Unknown)?,
        });
    }
    if let Some(open) = open {
        let known = count(&shape)?;
        shape[open] = x.len().checked_div(known).ok_or(Unfolded::Unknown)?;
    }
    shaped(x, shape)
}

/// Flatten: the dimensions before `axis` become the rows of a matrix, the others the columns.
pub(super) fn flatten(node: &NodeProto, x: &Value) -> Folded {
    let axis = node.int("axis").unwrap_or(1);
    let rank = i64::try_from(x.shape.len()).unwrap_or(i64::MAX);
    let at = usize::try_from(if axis < 0 { axis + rank } else { axis });
    let at = at.ok().and_then(|at| x.shape.split_at_checked(at));
    let (rows, columns) = at.ok_or(Unfolded::Unknown)?;
    shaped(x, vec![count(rows)?, count(columns)?])
}

/// Squeeze: removes the dimensions `axes`; without axes, all dimensions of length 1.
pub(super) fn squeeze(x: &Value, axes: &Option<Vec<i64>>) -> Folded {
    let gone: Vec<usize> = match axes {
        None => (0..x.shape.len()).filter(|&i| x.shape[i] == 1).collect(),
        Some(axes) => axes.iter().map(|&a| x.axis(a)).collect::<Result<_, _>>()?,
    };
    if gone.iter().any(|&i| x.shape[i] != 1) {
        return Err(Unfolded::Unknown);
    }
    let kept = (0..x.shape.len()).filter(|i| !gone.contains(i));
    shaped(x, kept.map(|i| x.shape[i]).collect())
}

/// Unsqueeze: inserts dimensions of length 1 at the positions `axes` of the result.
pub(super) fn unsqueeze(x: &Value, axes: &[i64]) -> Folded {
    let rank = x.shape.len() + axes.len();
    count(&vec![1; rank])?;
    let new: Vec<usize> = axes
        .iter()
        .map(|&a| from_front(a, rank))
        .collect::<Result<_, _>>()?;
    let mut old = x.shape.iter();
    let shape = (0..rank).map(|i| {
        if new.contains(&i) {
            Some(1)
        } else {
            old.next().copied()
        }
    });
    shaped(x, shape.collect::<Option<_>>().ok_or(Unfolded::Unknown)?)
}
