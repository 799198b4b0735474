//! Operators that reorder, select or join the elements of constants.

use super::value::{Data, count};
use super::{Folded, Unfolded, Value, from_front};
use crate::proto::NodeProto;

/// Collects a tensor of shape `shape` from `x`: element `start` is the first, and `steps[i]` is the stride in `x` along
/// axis `i` of the result.
fn strided(x: &Value, shape: Vec<usize>, start: i64, steps: &[i64]) -> Folded {
    let total = count(&shape)?;
    let mut indices = Vec::with_capacity(total);
    let mut at = vec![0_usize; shape.len()];
    let mut place = start;
    for _ in 0..total {
        indices.push(usize::try_from(place).map_err(|_| Unfolded::Unknown)?);
        for axis in (0..shape.len()).rev() {
            at[axis] += 1;
            place += steps[axis];
            if at[axis] < shape[axis] {
                break;
            }
            place -= steps[axis] * i64::try_from(shape[axis]).unwrap_or(i64::MAX);
            at[axis] = 0;
        }
    }
    if indices.iter().any(|&i| i >= x.len()) {
        return Err(Unfolded::Unknown);
    }
    Ok(Value {
        element: x.element,
        data: x.data.pick(indices.into_iter()),
        shape,
    })
}

/// Strides of a row-major tensor, in elements.
fn row_major(shape: &[usize]) -> Vec<i64> {
    let mut steps = vec![1; shape.len()];
    for i in (1..shape.len()).rev() {
        steps[i - 1] = steps[i] * i64::try_from(shape[i]).unwrap_or(i64::MAX);
    }
    steps
}

/// Transpose: reorders the dimensions by `perm`, or reverses them without it.
pub(super) fn transpose(node: &NodeProto, x: &Value) -> Folded {
    let rank = x.shape.len();
    let order: Vec<usize> = match node.ints("perm") {
        None => (0..rank).rev().collect(),
        Some(perm) => perm
            .iter()
            .map(|&a| from_front(a, rank))
            .collect::<Result<_, _>>()?,
    };
    let mut sorted = order.clone();
    sorted.sort_unstable();
    if !sorted.into_iter().eq(0..rank) {
        return Err(Unfolded::Unknown);
    }
    let steps = row_major(&x.shape);
    let shape = order.iter().map(|&i| x.shape[i]).collect();
    let steps: Vec<i64> = order.iter().map(|&i| steps[i]).collect();
    strided(x, shape, 0, &steps)
}

/// Concat: joins tensors of one element type along `axis`.
pub(super) fn concat(node: &NodeProto, inputs: &[Option<&Value>]) -> Folded {
    let parts: Option<Vec<&Value>> = inputs.iter().copied().collect();
    let parts = parts.ok_or(Unfolded::Unknown)?;
    let first = *parts.first().ok_or(Unfolded::Unknown)?;
    let axis = first.axis(node.int("axis").ok_or(Unfolded::Unknown)?)?;
    let mut shape = first.shape.clone();
    shape[axis] = 0;
    for part in &parts {
        let fits = part.element == first.element
            && part.shape.len() == shape.len()
            && (0..shape.len()).all(|i| i == axis || part.shape[i] == shape[i]);
        if !fits {
            return Err(Unfolded::Unknown);
        }
        shape[axis] = shape[axis].saturating_add(part.shape[axis]);
    }
    // An empty result may have many empty rows.
    let empty = count(&shape)? == 0;
    let outer: usize = if empty {
        0
    } else {
        shape[..axis].iter().product()
    };
    let row = |part: &Value| part.shape[axis..].iter().product::<usize>();
    let data = match &first.data {
        Data::Int(_) => Data::Int(joined(&parts, outer, row, |v| match &v.data {
            Data::Int(values) => Some(values),
            Data::Real(_) => None,
        })?),
        Data::Real(_) => Data::Real(joined(&parts, outer, row, |v| match &v.data {
            Data::Real(values) => Some(values),
            Data::Int(_) => None,
        })?),
    };
    Ok(Value {
        element: first.element,
        shape,
        data,
    })
}

/// Joins the rows of all parts; `outer` is the number of rows, `row` gives the length of a part's row.
fn joined<'a, T: Copy + 'a>(
    parts: &[&'a Value],
    outer: usize,
    row: impl Fn(&Value) -> usize,
    values: impl Fn(&'a Value) -> Option<&'a Vec<T>>,
) -> Result<Vec<T>, Unfolded> {
    let mut all = Vec::new();
    for i in 0..outer {
        for part in parts {
            let n = row(part);
            let values = values(part).ok_or(Unfolded::Unknown)?;
            all.extend_from_slice(&values[i * n..(i + 1) * n]);
        }
    }
    Ok(all)
}

/// Slice with starts, ends, axes and steps as inputs (opset 10 and later).
pub(super) fn slice(inputs: &[Option<&Value>]) -> Folded {
    let input = |i: usize| inputs.get(i).copied().flatten();
    let (Some(x), Some(starts), Some(ends)) = (input(0), input(1), input(2)) else {
        return Err(Unfolded::Unknown);
    };
    let ints = |v: &Value| v.as_ints().map(<[i64]>::to_vec).ok_or(Unfolded::Unknown);
    let (starts, ends) = (ints(starts)?, ints(ends)?);
    let axes = match input(3) {
        Some(axes) => ints(axes)?,
        None => (0..starts.len() as i64).collect(),
    };
    let strides = match input(4) {
        Some(steps) => ints(steps)?,
        None => vec![1; starts.len()],
    };
    if [ends.len(), axes.len(), strides.len()] != [starts.len(); 3] {
        return Err(Unfolded::Unknown);
    }
    let mut shape = x.shape.clone();
    let mut steps = row_major(&x.shape);
    let mut start = 0_i64;
    let mut seen = std::collections::BTreeSet::new();
    for i in 0..starts.len() {
        let axis = x.axis(axes[i])?;
        if !seen.insert(axis) {
            return Err(Unfolded::Unknown);
        }
        let length = i64::try_from(x.shape[axis]).unwrap_or(i64::MAX);
        let place = |at: i64, low: i64, high: i64| {
            let at = if at < 0 {
                at.saturating_add(length)
            } else {
                at
            };
            at.clamp(low, high)
        };
        let step = strides[i];
        let (from, taken) = if step != 0 && length == 0 {
            (0, 0)
        } else if step > 0 {
            let (from, to) = (place(starts[i], 0, length), place(ends[i], 0, length));
            (from, steps_between(to - from, step))
        } else if step < 0 && step > i64::MIN {
            let (from, to) = (
                place(starts[i], 0, length - 1),
                place(ends[i], -1, length - 1),
            );
            (from, steps_between(from - to, -step))
        } else {
            return Err(Unfolded::Unknown);
        };
        shape[axis] = taken;
        if taken > 0 {
            start += from * steps[axis];
        }
        // With two or more elements the step is shorter than the axis, so the product cannot overflow.
        steps[axis] = if taken > 1 { steps[axis] * step } else { 0 };
    }
    strided(x, shape, start, &steps)
}

/// Number of multiples of `step`, which is at least 1, in `0..span`.
pub(super) fn steps_between(span: i64, step: i64) -> usize {
    let span = u64::try_from(span).unwrap_or(0);
    let steps = span.div_ceil(step.unsigned_abs().max(1));
    usize::try_from(steps).unwrap_or(usize::MAX)
}

/// Gather: elements at indices along an axis; a negative index counts from the end.
pub(super) fn gather(node: &NodeProto, x: &Value, indices: &Value) -> Folded {
    let axis = x.axis(node.int("axis").unwrap_or(0))?;
    let length = x.shape[axis];
    let picked: Vec<usize> = indices
        .as_ints()
        .ok_or(Unfolded::Unknown)?
        .iter()
        .map(|&i| from_front(i, length))
        .collect::<Result<_, _>>()?;
    let inner: usize = x.shape[axis + 1..].iter().product();
    let shape = [&x.shape[..axis], &indices.shape, &x.shape[axis + 1..]].concat();
    let empty = count(&shape)? == 0;
    let outer: usize = if empty {
        0
    } else {
        x.shape[..axis].iter().product()
    };
    let places = (0..outer).flat_map(|o| {
        picked
            .iter()
            .flat_map(move |&p| (0..inner).map(move |i| (o * length + p) * inner + i))
    });
    Ok(Value {
        element: x.element,
        data: x.data.pick(places),
        shape,
    })
}
