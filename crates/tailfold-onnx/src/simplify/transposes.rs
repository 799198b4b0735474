//! Means and reshapes after a Transpose, as channels-last exporters write them.

use std::collections::BTreeMap;

use super::{ints, keeps_batch, remove};
use crate::proto::NodeProto;
use crate::wires::{Fresh, Wires};
use crate::{Model, Shapes};

/// Moves a mean over height and width before a Transpose, skips a Transpose that does not reorder the features of a
/// row, and removes pairs of Transposes that undo each other.
pub(super) fn behind(model: &mut Model, shapes: &Shapes) {
    means(model, shapes);
    rows(model, shapes);
    pairs(model);
}

/// Rewrites `ReduceMean(Transpose(x))` over height and width as the mean of `x`, followed by the Transpose if the axes
/// are kept.
fn means(model: &mut Model, shapes: &Shapes) {
    let graph = model.graph_mut();
    let wires = Wires::of(graph);
    let mut names = Fresh::of(graph);
    let mut changes: Vec<(usize, Vec<NodeProto>)> = Vec::new();
    for (index, node) in graph.node.iter().enumerate() {
        let axes = || match node.ints("axes") {
            Some(axes) => Some(axes.to_vec()),
            None => ints(graph, &wires, node.input.get(1)?),
        };
        let found = || {
            let before = &graph.node[wires.maker(node.input.first()?)?];
            let perm = before
                .ints("perm")
                .filter(|p| before.is("Transpose") && p.len() == 4)?;
            let source = before.input.first()?;
            shapes.get(source).filter(|s| s.len() == 4)?;
            let mut axes: Vec<i64> = axes()?
                .into_iter()
                .map(|a| {
                    perm.get(usize::try_from(if a < 0 { a + 4 } else { a }).ok()?)
                        .copied()
                })
                .collect::<Option<_>>()?;
            axes.sort_unstable();
            (axes == [2, 3] && perm[0] == 0).then(|| (source.clone(), perm.to_vec()))
        };
        let Some((source, perm)) = node.is("ReduceMean").then(found).flatten() else {
            continue;
        };
        let output = &node.output[0];
        let keeps = node.int("keepdims").unwrap_or(1) != 0;
        let pooled = names.name(&format!("{output}.pooled"));
        let pool = NodeProto::new("GlobalAveragePool", node.label(), [&source], [&pooled]);
        let after = if keeps {
            NodeProto::new("Transpose", names.name(&pooled), [&pooled], [output])
                .attr_ints("perm", &perm)
        } else {
            NodeProto::new("Flatten", names.name(&pooled), [&pooled], [output]).attr_int("axis", 1)
        };
        changes.push((index, vec![pool, after]));
    }
    for (index, nodes) in changes.into_iter().rev() {
        graph.node.splice(index..=index, nodes);
    }
}

/// Rewrites a reshape to a row as Flatten of the Transpose's input, if the Transpose moves only axes of length 1.
fn rows(model: &mut Model, shapes: &Shapes) {
    let graph = model.graph_mut();
    let wires = Wires::of(graph);
    let mut sources: BTreeMap<usize, String> = BTreeMap::new();
    for (index, node) in graph.node.iter().enumerate() {
        let reshapes = ["Flatten", "Reshape", "Squeeze"]
            .iter()
            .any(|op| node.is(op));
        let Some(input) = node.input.first().filter(|_| reshapes) else {
            continue;
        };
        let Some(before) = wires.maker(input).map(|m| &graph.node[m]) else {
            continue;
        };
        let line = |name: &String| {
            let shape = shapes.get(name)?;
            Some(shape.first() == Some(&1) && shape.iter().filter(|&&d| d != 1).count() <= 1)
        };
        let row = node.output.first().and_then(|o| shapes.get(o));
        let to_row = row.is_some_and(|s| s.len() == 2 && s[0] == 1);
        let Some(source) = before.input.first().filter(|_| before.is("Transpose")) else {
            continue;
        };
        // The batch stays in front, in the Transpose and in the reshape.
        let batch = before.ints("perm").and_then(|p| p.first()) == Some(&0)
            && shapes
                .get(source)
                .is_some_and(|s| node.is("Flatten") || keeps_batch(graph, &wires, node, s));
        if batch && to_row && line(source) == Some(true) {
            sources.insert(index, source.clone());
        }
    }
    for (index, source) in sources {
        let node = &mut graph.node[index];
        *node = NodeProto::new("Flatten", node.label(), [source], node.output.clone())
            .attr_int("axis", 1);
    }
}

/// Replaces `Transpose(Transpose(x))` by `x` if the second undoes the first.
fn pairs(model: &mut Model) {
    let graph = model.graph_mut();
    let wires = Wires::of(graph);
    let mut gone = std::collections::BTreeSet::new();
    let mut renamed: BTreeMap<String, String> = BTreeMap::new();
    for (index, node) in graph.node.iter().enumerate() {
        let undone = || {
            let before = &graph.node[wires.maker(node.input.first()?)?];
            let (a, b) = (before.ints("perm")?, node.ints("perm")?);
            let identity = before.is("Transpose")
                && a.len() == b.len()
                && b.iter().enumerate().all(|(i, &p)| {
                    usize::try_from(p).ok().and_then(|p| a.get(p)).copied() == i64::try_from(i).ok()
                });
            identity.then(|| before.input[0].clone())
        };
        if !node.is("Transpose") || wires.is_output(&node.output[0]) {
            continue;
        }
        if let Some(source) = undone() {
            let source = renamed.get(&source).cloned().unwrap_or(source);
            renamed.insert(node.output[0].clone(), source);
            gone.insert(index);
        }
    }
    for node in &mut graph.node {
        for input in &mut node.input {
            if let Some(source) = renamed.get(input) {
                source.clone_into(input);
            }
        }
    }
    remove(model, &gone);
    // Remove each Transpose that is no longer read.
    let graph = model.graph_mut();
    let wires = Wires::of(graph);
    graph.node.retain(|node| {
        !node.is("Transpose")
            || node
                .output
                .iter()
                .any(|o| wires.is_output(o) || !wires.readers(o).is_empty())
    });
}
