//! The canonical form of a third-party classifier: functions and constant branches are inlined, constants are
//! initializers, batch normalisation is folded into the convolutions, linear layers are Gemm with `transB`, there is
//! one output, and the opset version is at least 13, the first with per-channel quantization.

use std::collections::HashSet;

use crate::check_structure;
use crate::proto::{GraphProto, NodeProto, TensorProto, ValueInfoProto};
use crate::{Model, OnnxError, Shapes};

mod axes;
mod batch;
mod batch_norm;
mod bodies;
mod branches;
mod budget;
mod constants;
mod fold;
mod functions;
mod identity;
mod linear;
mod opset;
mod output;
mod precision;
mod sums;

pub(crate) use batch_norm::normalisation;

/// Rewrites `model` to canonical form, with the output `output` if the graph has several. A graph that
/// already has this form, and an operator without a canonical form, do not change.
///
/// # Errors
/// [`OnnxError`], which names the node or tensor with the found and the expected value.
pub fn canonical(model: &mut Model, output: Option<&str>) -> Result<(), OnnxError> {
    canonical_with(model, output, &|_| Shapes::new())
}

/// Does the same as [`canonical`] with shape inference: `infer` returns the shapes of a graph's values for one image.
/// It is called only where the canonical form depends on shapes, and may return an empty map.
///
/// # Errors
/// As [`canonical`].
pub(crate) fn canonical_with(
    model: &mut Model,
    output: Option<&str>,
    infer: &dyn Fn(&Model) -> Shapes,
) -> Result<(), OnnxError> {
    let nested = !model.functions().is_empty()
        || model
            .nodes()
            .iter()
            .any(|node| bodies::of(node).next().is_some());
    functions::inline(model)?;
    constants::to_initializers(model)?;
    output::keep(model, output)?;
    opset::raise(model, infer)?;
    let mut budget = budget::Budget::of(model);
    fold::constants(model, &mut budget)?;
    branches::inline(model, infer, &mut budget)?;
    precision::to_single(model);
    batch::open(model);
    if nested {
        // The first check of the file covers the main graph, not its functions and branches.
        check_structure(model)?;
        // Nodes that computed the conditions are no longer needed.
        output::keep(model, None)?;
    }
    axes::from_front(model, infer, &mut budget);
    tidy(model, &Shapes::new())
}

/// Restores the canonical form after nodes were rewritten; `shapes` gives the ranks that the file does not declare.
pub(crate) fn tidy(model: &mut Model, shapes: &Shapes) -> Result<(), OnnxError> {
    identity::remove(model)?;
    batch_norm::fold(model)?;
    linear::to_gemm(model, shapes)?;
    sums::to_additions(model);
    remove_unused(model);
    Ok(())
}

/// Removes initializers that no node reads, and declared types of values that no longer exist.
pub(crate) fn remove_unused(model: &mut Model) {
    let GraphProto {
        node,
        output,
        initializer,
        value_info,
        ..
    } = model.graph_mut();
    let mut read: HashSet<&str> = node.iter().flat_map(reads).collect();
    read.extend(output.iter().map(ValueInfoProto::name));
    initializer.retain(|t| read.contains(t.name()));
    if value_info.is_empty() {
        return;
    }
    let outputs = node.iter().flat_map(|n| &n.output).map(String::as_str);
    let mut made: HashSet<&str> = outputs.collect();
    made.extend(initializer.iter().map(TensorProto::name));
    value_info.retain(|v| made.contains(v.name()));
}

/// Names of all values that `node` reads, including reads inside its subgraphs.
fn reads(node: &NodeProto) -> Vec<&str> {
    let mut names: Vec<&str> = node.input.iter().map(String::as_str).collect();
    for body in bodies::of(node) {
        names.extend(body.node.iter().flat_map(reads));
        names.extend(body.output.iter().map(ValueInfoProto::name));
    }
    names
}

#[cfg(test)]
mod tests;
