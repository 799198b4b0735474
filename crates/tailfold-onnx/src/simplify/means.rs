//! Means over height and width of an image.

use std::collections::BTreeSet;

use super::{image, ints, remove};
use crate::proto::{GraphProto, NodeProto};
use crate::wires::{Fresh, Wires};
use crate::{Model, Shapes};

/// Rewrites a mean over height and width as GlobalAveragePool, followed by Flatten if the axes are removed. The mean is
/// a ReduceMean over both axes, two ReduceMeans in sequence, a ReduceMean after a Reshape to `[1, C, H W]`, or an
/// AveragePool over the whole image.
pub(super) fn to_pools(model: &mut Model, shapes: &Shapes) {
    let graph = model.graph();
    let wires = Wires::of(graph);
    let mut names = Fresh::of(graph);
    let mut gone = BTreeSet::new();
    let mut changes: Vec<(usize, Vec<NodeProto>)> = Vec::new();
    for (index, node) in graph.node.iter().enumerate() {
        let Some((input, before)) = whole_mean(graph, &wires, shapes, index) else {
            continue;
        };
        let Some([c, _, _]) = image(shapes, &input) else {
            continue;
        };
        // A node that is already rewritten cannot be part of another mean.
        let taken = |i: &usize| gone.contains(i) || changes.iter().any(|(at, _)| at == i);
        if before.iter().any(taken) || wires.maker(&input).is_some_and(|m| gone.contains(&m)) {
            continue;
        }
        let output = &node.output[0];
        let pool =
            |output: &str| NodeProto::new("GlobalAveragePool", node.label(), [&input], [output]);
        let nodes = match shapes.get(output).map(Vec::as_slice) {
            Some(&[1, n, 1, 1]) if n == c => vec![pool(output)],
            Some(&[1, n]) if n == c => {
                let pooled = names.name(&format!("{output}.pooled"));
                let flatten = NodeProto::new("Flatten", names.name(&pooled), [&pooled], [output]);
                vec![pool(&pooled), flatten.attr_int("axis", 1)]
            }
            _ => continue,
        };
        gone.extend(before);
        changes.push((index, nodes));
    }
    if changes.is_empty() {
        return;
    }
    let graph = model.graph_mut();
    for (index, nodes) in changes.iter().rev() {
        // From the last change to the first, so that the indices of the others stay valid.
        graph.node.splice(index..=index, nodes.iter().cloned());
    }
    remove(model, &gone_after(&gone, &changes));
}

/// Indices of `gone` after `changes` are applied: a change that replaces one node by two shifts the later nodes.
fn gone_after(gone: &BTreeSet<usize>, changes: &[(usize, Vec<NodeProto>)]) -> BTreeSet<usize> {
    let moved = |index: usize| {
        let before = changes.iter().filter(|(at, _)| *at < index);
        index + before.map(|(_, nodes)| nodes.len() - 1).sum::<usize>()
    };
    gone.iter().map(|&index| moved(index)).collect()
}

/// Matches a mean over height and width that ends in the node `index`. Returns the name of the image and the indices of
/// earlier nodes that belong to the mean.
fn whole_mean(
    graph: &GraphProto,
    wires: &Wires,
    shapes: &Shapes,
    index: usize,
) -> Option<(String, Vec<usize>)> {
    let node = &graph.node[index];
    let input = node.input.first()?;
    if node.is("AveragePool") {
        let [_, h, w] = image(shapes, input)?;
        let plain = node.ints("pads").is_none_or(|p| p.iter().all(|&p| p == 0))
            && node
                .find_attr("auto_pad")
                .is_none_or(|a| matches!(a.s(), b"NOTSET" | b"VALID" | b""))
            && node
                .ints("dilations")
                .is_none_or(|d| d.iter().all(|&d| d == 1));
        let kernel = node.ints("kernel_shape")?;
        let whole = i64::try_from(h).ok()? == *kernel.first()?
            && i64::try_from(w).ok()? == *kernel.get(1)?;
        return (plain && whole).then(|| (input.clone(), Vec::new()));
    }
    let axes = mean_axes(graph, wires, shapes, node)?;
    if axes == [2, 3] {
        image(shapes, input)?;
        return Some((input.clone(), Vec::new()));
    }
    // The input is another mean, or a reshaped image.
    let before = wires.maker(input)?;
    wires.only_reader(input)?;
    let first = &graph.node[before];
    let source = first.input.first()?;
    let [c, h, w] = image(shapes, source)?;
    let between = shapes.get(input)?;
    if first.is("Reshape") && between[..] == [1, c, h * w] && axes == [2] {
        return Some((source.clone(), vec![before]));
    }
    let earlier = mean_axes(graph, wires, shapes, first)?;
    let rest = match (&earlier[..], between.len()) {
        ([3], 3 | 4) => axes == [2],
        ([2], 4) => axes == [3],
        ([2], 3) => axes == [2],
        _ => false,
    };
    rest.then(|| (source.clone(), vec![before]))
}

/// Axes of a ReduceMean with constant axes, ascending and counted from the front.
fn mean_axes(
    graph: &GraphProto,
    wires: &Wires,
    shapes: &Shapes,
    node: &NodeProto,
) -> Option<Vec<i64>> {
    if !node.is("ReduceMean") {
        return None;
    }
    let axes = match node.ints("axes") {
        Some(axes) => axes.to_vec(),
        None => ints(graph, wires, node.input.get(1)?)?,
    };
    let rank = i64::try_from(shapes.get(node.input.first()?)?.len()).ok()?;
    let mut axes: Vec<i64> = axes
        .into_iter()
        .map(|a| if a < 0 { a + rank } else { a })
        .collect();
    axes.sort_unstable();
    Some(axes)
}
