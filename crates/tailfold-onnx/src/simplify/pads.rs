//! Padding as the attribute `pads` of a layer.

use std::collections::BTreeSet;

use super::{image, ints, remove};
use crate::limits::LARGEST_WINDOW;
use crate::proto::{AttributeProto, GraphProto, NodeProto, TensorProto};
use crate::wires::{Fresh, Wires};
use crate::{Model, Shapes};

/// Rewrites a Pad of some axes (an input since opset 18) as a Pad of all axes.
pub(super) fn all_axes(model: &mut Model, shapes: &Shapes) {
    let graph = model.graph_mut();
    let wires = Wires::of(graph);
    let mut names = Fresh::of(graph);
    let mut changes: Vec<(usize, Vec<i64>)> = Vec::new();
    for (index, node) in graph.node.iter().enumerate() {
        let whole = || {
            let axes = node
                .input
                .get(3)
                .filter(|a| node.is("Pad") && !a.is_empty())?;
            let rank = shapes.get(node.input.first()?)?.len();
            let axes = ints(graph, &wires, axes)?;
            let pads = ints(graph, &wires, node.input.get(1)?)?;
            if pads.len() != 2 * axes.len() {
                return None;
            }
            let mut whole = vec![0; 2 * rank];
            for (i, &axis) in axes.iter().enumerate() {
                let axis = if axis < 0 {
                    axis + i64::try_from(rank).ok()?
                } else {
                    axis
                };
                let axis = usize::try_from(axis).ok().filter(|&a| a < rank)?;
                whole[axis] = pads[i];
                whole[rank + axis] = pads[axes.len() + i];
            }
            Some(whole)
        };
        changes.extend(whole().map(|pads| (index, pads)));
    }
    for (index, pads) in changes {
        let name = names.name(&format!("{}.pads", graph.node[index].label()));
        let node = &mut graph.node[index];
        node.input.truncate(3);
        node.input[1].clone_from(&name);
        while node.input.last().is_some_and(String::is_empty) {
            node.input.pop();
        }
        graph
            .initializer
            .push(TensorProto::new(name, &[pads.len()], &pads));
    }
}

/// Replaces `auto_pad` by explicit pads, by the formula of the ONNX operator specification for Conv and the pools: ONNX
/// Runtime refuses some forms of `auto_pad`, and other tools interpret it differently.
pub(super) fn explicit(model: &mut Model, shapes: &Shapes) {
    let graph = model.graph();
    let wires = Wires::of(graph);
    let mut found: Vec<(usize, [i64; 4])> = Vec::new();
    for (index, node) in graph.node.iter().enumerate() {
        if let Some(pads) = same_pads(graph, &wires, shapes, node) {
            found.push((index, pads));
        }
    }
    for (index, pads) in found {
        let node = &mut model.graph_mut().node[index];
        node.attribute
            .retain(|a: &AttributeProto| a.name() != "auto_pad");
        *node = std::mem::take(node).attr_ints("pads", &pads);
    }
}

/// Pads `[top, left, bottom, right]` of a layer with `auto_pad` SAME_UPPER or SAME_LOWER.
fn same_pads(
    graph: &GraphProto,
    wires: &Wires,
    shapes: &Shapes,
    node: &NodeProto,
) -> Option<[i64; 4]> {
    let windowed = ["Conv", "AveragePool", "MaxPool"]
        .iter()
        .any(|op| node.is(op));
    let auto = node
        .find_attr("auto_pad")
        .filter(|_| windowed)?
        .s()
        .to_vec();
    let upper = match &auto[..] {
        b"SAME_UPPER" => true,
        b"SAME_LOWER" => false,
        _ => return None,
    };
    let [_, height, width] = image(shapes, node.input.first()?)?;
    let kernel: Vec<i64> = match node.ints("kernel_shape") {
        Some(kernel) => kernel.to_vec(),
        None => {
            let weight = &graph.initializer[wires.constant(node.input.get(1)?)?];
            weight.dims.get(2..)?.to_vec()
        }
    };
    let ones = [1, 1];
    let strides = node.ints("strides").unwrap_or(&ones);
    let dilations = node.ints("dilations").unwrap_or(&ones);
    let mut pads = [0; 4];
    for axis in 0..2 {
        let length = i64::try_from([height, width][axis]).ok()?;
        let (k, s, d) = (
            *kernel.get(axis)?,
            *strides.get(axis)?,
            *dilations.get(axis)?,
        );
        if s < 1 || [k, d].iter().any(|v| !(1..=LARGEST_WINDOW).contains(v)) {
            return None;
        }
        let reach = (k - 1) * d + 1;
        let total = ((length + s - 1) / s * s - s + reach - length).max(0);
        let small = total / 2;
        (pads[axis], pads[axis + 2]) = if upper {
            (small, total - small)
        } else {
            (total - small, small)
        };
    }
    Some(pads)
}

/// Moves a Pad of height and width into the layers that read it, if all of them pad with the same value: zero for Conv,
/// the lowest number for MaxPool.
pub(super) fn into_layers(model: &mut Model, shapes: &Shapes) {
    let graph = model.graph();
    let wires = Wires::of(graph);
    let mut gone = BTreeSet::new();
    let mut changes: Vec<(usize, String, Vec<i64>)> = Vec::new();
    for (index, pad) in graph.node.iter().enumerate() {
        let Some((pads, value)) = constant_pad(graph, &wires, shapes, pad) else {
            continue;
        };
        let output = &pad.output[0];
        let readers = wires.readers(output);
        let takes = |&reader: &usize| takes(&graph.node[reader], output, &pads, value);
        if readers.is_empty() || wires.is_output(output) || !readers.iter().all(takes) {
            continue;
        }
        for &reader in readers {
            let own = graph.node[reader].ints("pads").unwrap_or(&[0; 4]);
            let sum = own
                .iter()
                .zip(&pads)
                .map(|(a, b)| a.saturating_add(*b))
                .collect();
            changes.push((reader, pad.input[0].clone(), sum));
        }
        gone.insert(index);
    }
    for (reader, input, pads) in changes {
        let node = &mut model.graph_mut().node[reader];
        node.input[0] = input;
        *node = std::mem::take(node).attr_ints("pads", &pads);
    }
    remove(model, &gone);
}

/// Pads `[top, left, bottom, right]` and fill value of a constant Pad of an image's height and width.
fn constant_pad(
    graph: &GraphProto,
    wires: &Wires,
    shapes: &Shapes,
    node: &NodeProto,
) -> Option<(Vec<i64>, f32)> {
    if !node.is("Pad") || node.input.get(3).is_some_and(|a| !a.is_empty()) {
        return None;
    }
    image(shapes, node.input.first()?)?;
    let constant = node.find_attr("mode").is_none_or(|m| m.s() == b"constant");
    let value = match node.input.get(2).filter(|v| !v.is_empty()) {
        None => 0.0,
        Some(name) => {
            let tensor = &graph.initializer[wires.constant(name)?];
            *tensor.values::<f32>().ok()?.first()?
        }
    };
    let pads = ints(graph, wires, node.input.get(1)?)?;
    match pads[..] {
        [0, 0, top, left, 0, 0, bottom, right] if constant => {
            let pads = vec![top, left, bottom, right];
            let each = |p: &i64| (0..=LARGEST_WINDOW).contains(p);
            pads.iter().all(each).then_some((pads, value))
        }
        _ => None,
    }
}

/// Whether `node` can pad its input `value` itself by additional `pads` with the fill value `filling`.
fn takes(node: &NodeProto, value: &str, pads: &[i64], filling: f32) -> bool {
    let explicit = node
        .find_attr("auto_pad")
        .is_none_or(|a| matches!(a.s(), b"NOTSET" | b""))
        && node.ints("pads").is_none_or(|p| p.len() == 4);
    let plain = node.int("ceil_mode").unwrap_or(0) == 0;
    let zero = filling.abs() < f32::MIN_POSITIVE;
    let first = node.input.first().is_some_and(|i| i == value)
        && node.input.iter().skip(1).all(|i| i != value);
    // Runtimes refuse a MaxPool whose window may cover only padding.
    let shorter = |kernel: &[i64]| {
        let own = node.ints("pads").unwrap_or(&[0; 4]);
        let sums = own.iter().zip(pads).map(|(a, b)| a.saturating_add(*b));
        kernel.len() == 2 && sums.enumerate().all(|(i, sum)| sum < kernel[i % 2])
    };
    let own = match node.op_type() {
        "Conv" => zero,
        "MaxPool" => plain && filling <= f32::MIN && node.ints("kernel_shape").is_some_and(shorter),
        _ => false,
    };
    explicit && first && own
}

#[cfg(test)]
mod tests;
