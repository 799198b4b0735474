//! Reductions of constants along axes.

use super::arithmetic::{larger, smaller, within};
use super::broadcast::places;
use super::value::{Data, count, rounded};
use super::{Folded, Unfolded, Value, from_front};
use crate::proto::NodeProto;

/// ReduceSum, ReduceMean, ReduceProd, ReduceMax or ReduceMin along `axes`. Without axes, `noop_with_empty_axes` decides
/// between all axes and none.
pub(super) fn reduce(node: &NodeProto, x: &Value, axes: Option<Vec<i64>>) -> Folded {
    let rank = x.shape.len();
    let axes = match axes.filter(|a| !a.is_empty()) {
        None if node.int("noop_with_empty_axes").unwrap_or(0) != 0 => return Ok(x.clone()),
        None => (0..rank).collect(),
        Some(axes) => {
            let axes: Result<Vec<usize>, _> = axes.iter().map(|&a| from_front(a, rank)).collect();
            axes?
        }
    };
    if x.len() == 0 {
        return Err(Unfolded::Unknown);
    }
    let kept: Vec<usize> = (0..rank)
        .map(|i| if axes.contains(&i) { 1 } else { x.shape[i] })
        .collect();
    let homes = places(&x.shape, &kept);
    let outputs = count(&kept)?;
    let op = node.op_type();
    let data = match &x.data {
        Data::Real(values) => {
            let mut sums: Vec<Option<f64>> = vec![None; outputs];
            for (&value, &home) in values.iter().zip(&homes) {
                let sum = sums[home];
                sums[home] = Some(sum.map_or(value, |s| match op {
                    "ReduceProd" => s * value,
                    "ReduceMax" => larger(s, value),
                    "ReduceMin" => smaller(s, value),
                    _ => s + value,
                }));
            }
            let share = if op == "ReduceMean" {
                outputs as f64 / x.len() as f64
            } else {
                1.0
            };
            Data::Real(
                sums.into_iter()
                    .map(|s| rounded(x.element, s.unwrap_or(0.0) * share))
                    .collect(),
            )
        }
        Data::Int(values) => {
            let mut sums: Vec<Option<i64>> = vec![None; outputs];
            for (&value, &home) in values.iter().zip(&homes) {
                let next = match (sums[home], op) {
                    (None, _) => Some(value),
                    (Some(s), "ReduceProd") => s.checked_mul(value),
                    (Some(s), "ReduceMax") => Some(s.max(value)),
                    (Some(s), "ReduceMin") => Some(s.min(value)),
                    (Some(s), "ReduceSum") => s.checked_add(value),
                    _ => None,
                };
                sums[home] = Some(next.ok_or(Unfolded::Unknown)?);
            }
            Data::Int(sums.into_iter().map(|s| s.unwrap_or(0)).collect())
        }
    };
    let shape = if node.int("keepdims").unwrap_or(1) != 0 {
        kept
    } else {
        (0..rank)
            .filter(|i| !axes.contains(i))
            .map(|i| x.shape[i])
            .collect()
    };
    match data {
        Data::Int(_) => within(x.element, shape, data),
        Data::Real(_) => Ok(Value {
            element: x.element,
            shape,
            data,
        }),
    }
}
