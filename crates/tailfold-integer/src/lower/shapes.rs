//! Shapes that the operators which only move codes make.

use tailfold_onnx::proto::NodeProto;

use crate::graph::Graph;

/// The shape of `node`'s output, given that of its first input; `None` for other operators, and for a shape that is no
/// constant or does not fit.
pub(super) fn of(node: &NodeProto, x: &[usize], graph: &Graph<'_>) -> Option<Vec<usize>> {
    match node.op_type() {
        "Clip" | "Identity" | "Relu" => Some(x.to_vec()),
        "Flatten" => {
            let rank = i64::try_from(x.len()).ok()?;
            let axis = node.int("axis").unwrap_or(1);
            let at = if axis < 0 {
                axis.checked_add(rank)?
            } else {
                axis
            };
            let (rows, columns) = x.split_at_checked(usize::try_from(at).ok()?)?;
            Some(vec![count(rows)?, count(columns)?])
        }
        "Reshape" => {
            let to = graph.numbers::<i64>(node, 1).ok()??;
            // Where 0 is a length and keeps none, there are no values.
            let plain = node.int("allowzero").unwrap_or(0) == 0 || !to.contains(&0);
            reshaped(x, &to).filter(|_| plain)
        }
        "Squeeze" => squeezed(x, axes(node, graph, x.len())),
        "Unsqueeze" => {
            // No tensor has more.
            let count = axes_of(node, graph)?.len();
            if count > 8 {
                return None;
            }
            let axes = axes(node, graph, x.len().checked_add(count)?)?;
            let mut rest = x.iter().copied();
            let rank = x.len() + count;
            let shape: Option<Vec<usize>> = (0..rank)
                .map(|at| {
                    if axes.contains(&at) {
                        Some(1)
                    } else {
                        rest.next()
                    }
                })
                .collect();
            shape.filter(|_| rest.next().is_none())
        }
        _ => None,
    }
}

/// `axes` of a node: an attribute before opset 13, an input since.
pub(super) fn axes_of(node: &NodeProto, graph: &Graph<'_>) -> Option<Vec<i64>> {
    match node.ints("axes") {
        Some(axes) => Some(axes.to_vec()),
        None => graph.numbers::<i64>(node, 1).ok()?,
    }
}

/// The same, counted from the first axis of a tensor of `rank`.
fn axes(node: &NodeProto, graph: &Graph<'_>, rank: usize) -> Option<Vec<usize>> {
    let rank = i64::try_from(rank).ok()?;
    let from_first = |axis: i64| {
        let at = if axis < 0 {
            axis.checked_add(rank)?
        } else {
            axis
        };
        usize::try_from(at).ok().filter(|_| at < rank)
    };
    axes_of(node, graph)?.into_iter().map(from_first).collect()
}

/// Without the lengths of 1 along `axes`.
fn squeezed(x: &[usize], axes: Option<Vec<usize>>) -> Option<Vec<usize>> {
    let axes = axes?;
    let lengths = x.iter().enumerate();
    let sound = axes.iter().all(|&axis| x.get(axis) == Some(&1));
    let rest = lengths.filter(|(at, _)| !axes.contains(at));
    sound.then(|| rest.map(|(_, &length)| length).collect())
}

/// Values of a tensor, where they can be counted.
fn count(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1_usize, |n, &d| n.checked_mul(d))
}

/// ONNX's Reshape: 0 keeps a length, -1 takes what is left.
fn reshaped(x: &[usize], to: &[i64]) -> Option<Vec<usize>> {
    let values = count(x)?;
    let mut shape = Vec::new();
    let mut open = None;
    for (i, &length) in to.iter().enumerate() {
        match length {
            0 => shape.push(*x.get(i)?),
            -1 if open.is_none() => {
                open = Some(i);
                shape.push(1);
            }
            _ => shape.push(usize::try_from(length).ok()?),
        }
    }
    let known = count(&shape)?;
    if let Some(open) = open {
        shape[open] = values.checked_div(known)?;
    }
    (count(&shape)? == values).then_some(shape)
}
