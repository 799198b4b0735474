//! Anybody's classifier in one form: functions and constant branches inlined, constants as initializers, batch
//! normalisation inside of the convolutions, the classifier as Gemm with `transB`, one output, and standard operators of a
//! version that has quantization by channel.

use std::collections::BTreeSet;

use crate::Model;
use crate::Shapes;
use crate::check_structure;
use crate::proto::{GraphProto, NodeProto};

mod axes;
mod batch;
mod batch_norm;
mod bodies;
mod branches;
mod constants;
mod error;
mod fold;
mod functions;
mod identity;
mod linear;
mod opset;
mod output;
mod precision;
mod sums;

pub(crate) use batch_norm::normalisation;
pub use error::CanonicalError;

/// Brings `model` into the form above; `output` chooses among several. A graph that has it already, and an operator that
/// has no such form, stay as they are.
///
/// # Errors
/// [`CanonicalError`] naming node or tensor and both sides.
pub fn canonical(model: &mut Model, output: Option<&str>) -> Result<(), CanonicalError> {
    canonical_with(model, output, &|_| Shapes::new())
}

/// The same; `infer` tells the shapes of a graph's values for one image, and is asked only where the graph's form depends on
/// them.
///
/// # Errors
/// As [`canonical`].
pub(crate) fn canonical_with(
    model: &mut Model,
    output: Option<&str>,
    infer: &dyn Fn(&Model) -> Shapes,
) -> Result<(), CanonicalError> {
    let nested = !model.functions().is_empty()
        || model
            .nodes()
            .iter()
            .any(|node| bodies::of(node).next().is_some());
    functions::inline(model)?;
    constants::to_initializers(model)?;
    output::keep(model, output)?;
    opset::raise(model)?;
    fold::constants(model)?;
    branches::inline(model, infer)?;
    precision::to_single(model);
    batch::open(model);
    if nested {
        // Nobody has looked at the nodes that were inside.
        check_structure(model)?;
    }
    axes::from_front(model, infer);
    tidy(model, &Shapes::new())
}

/// Brings `model` into the form again after its nodes were rewritten; `shapes` tells which values are matrices.
pub(crate) fn tidy(model: &mut Model, shapes: &Shapes) -> Result<(), CanonicalError> {
    identity::remove(model)?;
    batch_norm::fold(model)?;
    linear::to_gemm(model, shapes)?;
    sums::to_additions(model);
    remove_unused(model);
    Ok(())
}

/// Removes constants that nothing reads, and types of values that are gone.
pub(crate) fn remove_unused(model: &mut Model) {
    let graph = model.graph_mut();
    let read = read(graph);
    let mut made: BTreeSet<String> = graph.node.iter().flat_map(|n| n.output.clone()).collect();
    graph.initializer.retain(|t| read.contains(t.name()));
    made.extend(graph.initializer.iter().map(|t| t.name().to_owned()));
    graph.value_info.retain(|v| made.contains(v.name()));
}

/// Names of all values that nodes or the caller read.
fn read(graph: &GraphProto) -> BTreeSet<String> {
    let inputs = graph.node.iter().flat_map(reads);
    inputs
        .chain(graph.output.iter().map(|o| o.name().to_owned()))
        .collect()
}

/// Names of all values that `node` reads, those in the bodies of its branches among them.
fn reads(node: &NodeProto) -> Vec<String> {
    let mut names = node.input.clone();
    for body in bodies::of(node) {
        names.extend(body.node.iter().flat_map(reads));
        names.extend(body.output.iter().map(|o| o.name().to_owned()));
    }
    names
}

#[cfg(test)]
mod tests;
