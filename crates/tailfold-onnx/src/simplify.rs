//! Rewrites that need shapes: means over an image become GlobalAveragePool, reshapes to a row of features become
//! Flatten, Pad nodes become attributes of layers, and linear layers become Gemm.
//!
//! Only the quantizer calls them: the integer kernels support these operators, but not their other spellings.

mod means;
mod norms;
mod pads;
mod rows;
mod transposes;

use std::collections::BTreeSet;

use crate::canonical::tidy;
use crate::eval::from_front;
use crate::proto::{GraphProto, NodeProto};
use crate::wires::Wires;
use crate::{Model, OnnxError, Shapes};

/// Rewrites `model`, which is in canonical form, for the quantizer. `shapes` has the shapes of its values for one
/// image; a node with unknown shapes is not changed.
///
/// # Errors
/// [`OnnxError`] with the node or tensor and both values of a mismatch.
pub fn simplify(model: &mut Model, shapes: &Shapes) -> Result<(), OnnxError> {
    transposes::behind(model, shapes);
    pads::all_axes(model, shapes);
    pads::explicit(model, shapes);
    pads::into_layers(model, shapes);
    means::to_pools(model, shapes);
    flatten(model, shapes);
    norms::to_depthwise(model, shapes)?;
    rows::to_matrices(model, shapes);
    tidy(model, shapes)
}

/// Rewrites a Reshape or Squeeze of features `[N, C, ...]` to rows `[N, n]` as Flatten.
fn flatten(model: &mut Model, shapes: &Shapes) {
    let graph = model.graph();
    let wires = Wires::of(graph);
    let rows = |node: &NodeProto| {
        let from = shapes.get(node.input.first()?)?;
        let (&[1, c, ..], &[1, classes]) = (&from[..], &shapes.get(node.output.first()?)?[..])
        else {
            return None;
        };
        let rest: usize = from.iter().skip(1).product();
        let rows = c <= rest && rest == classes && keeps_batch(graph, &wires, node, from);
        rows.then_some(())
    };
    let found: Vec<usize> = (0..graph.node.len())
        .filter(|&i| rows(&graph.node[i]).is_some())
        .collect();
    for index in found {
        let node = &mut model.graph_mut().node[index];
        let input = node.input[0].clone();
        *node = NodeProto::new("Flatten", node.label(), [input], node.output.clone())
            .attr_int("axis", 1);
    }
}

/// Whether `node` is a Reshape or Squeeze to rows whose batch is dimension 0 of its input, of shape `from` for one
/// image. Exporters of sequences have `[length, N, C]` too, which looks the same for one image if the length is 1.
fn keeps_batch(graph: &GraphProto, wires: &Wires, node: &NodeProto, from: &[usize]) -> bool {
    let constant = node.input.get(1).and_then(|c| ints(graph, wires, c));
    if node.is("Squeeze") {
        let rank = from.len();
        return constant.is_some_and(|axes| {
            axes.iter()
                .all(|&a| from_front(a, rank).is_ok_and(|a| a != 0))
        });
    }
    let declared = graph.find_value(&node.input[0]).and_then(|v| v.shape());
    let batch_first =
        from.get(1) != Some(&1) || declared.is_some_and(|s| s.get(1) == Some(&Some(1)));
    // In Reshape, 0 copies the first length of the input.
    let copies = node.int("allowzero").unwrap_or(0) == 0
        && constant.is_some_and(|to| to.first() == Some(&0));
    node.is("Reshape") && (batch_first || copies)
}

/// `[channels, height, width]` of the value `name`, if it has the shape of one image.
fn image(shapes: &Shapes, name: &str) -> Option<[usize; 3]> {
    match shapes.get(name)?[..] {
        [1, c, h, w] => Some([c, h, w]),
        _ => None,
    }
}

/// Elements of the i64 constant `name`.
fn ints(graph: &GraphProto, wires: &Wires, name: &str) -> Option<Vec<i64>> {
    let tensor = &graph.initializer[wires.constant(name)?];
    tensor.values::<i64>().ok()
}

/// Removes the nodes with the indices `gone`.
fn remove(model: &mut Model, gone: &BTreeSet<usize>) {
    let mut index = 0;
    model.graph_mut().node.retain(|_| {
        index += 1;
        !gone.contains(&(index - 1))
    });
}

#[cfg(test)]
mod tests;
