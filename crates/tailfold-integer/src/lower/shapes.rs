//! Output shapes of operators that change the shape of a tensor and not its values, and of clamps.

use tailfold_onnx::proto::NodeProto;

use crate::graph::Graph;

/// Returns the shape of `node`'s output, given the shape `x` of its first input.
///
/// `None` for other operators, and for a target shape or axes that are not constant or do not fit `x`.
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
            // With `allowzero` a length of 0 is literal, and the tensor has no values.
            let plain = node.int("allowzero").unwrap_or(0) == 0 || !to.contains(&0);
            reshaped(x, &to).filter(|_| plain)
        }
        "Squeeze" => squeezed(x, axes(node, graph, x.len())),
        "Unsqueeze" => {
            // Bounds the rank; no network has tensors of a higher one.
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

/// Returns the `axes` of a node, an attribute before opset 13 and an input since; `None` when they are not constant.
pub(super) fn axes_of(node: &NodeProto, graph: &Graph<'_>) -> Option<Vec<i64>> {
    match node.ints("axes") {
        Some(axes) => Some(axes.to_vec()),
        None => graph.numbers::<i64>(node, 1).ok()?,
    }
}

/// Returns the axes of a node for a tensor of `rank`, with negative ones resolved; `None` when one is out of range.
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

/// Returns the shape `x` without `axes`; `None` when the length of one of them is not 1.
fn squeezed(x: &[usize], axes: Option<Vec<usize>>) -> Option<Vec<usize>> {
    let axes = axes?;
    let lengths = x.iter().enumerate();
    let sound = axes.iter().all(|&axis| x.get(axis) == Some(&1));
    let rest = lengths.filter(|(at, _)| !axes.contains(at));
    sound.then(|| rest.map(|(_, &length)| length).collect())
}

/// Returns the number of values of a tensor; `None` on overflow.
fn count(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1_usize, |n, &d| n.checked_mul(d))
}

/// Returns the result of ONNX's Reshape of a tensor of shape `x`: 0 keeps a length, -1 is inferred.
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
