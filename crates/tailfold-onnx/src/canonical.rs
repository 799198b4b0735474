//! Anybody's classifier in one form: constants as initializers, batch normalisation inside of the convolutions, the
//! classifier as Gemm with `transB`, one output, and standard operators of a version that has quantization by channel.

use std::collections::BTreeSet;

use crate::Model;
use crate::proto::GraphProto;

mod batch_norm;
mod constants;
mod error;
mod identity;
mod linear;
mod opset;
mod output;

pub use error::CanonicalError;

/// Brings `model` into the form above; `output` chooses among several. A graph that has it already, and an operator that
/// has no such form, stay as they are.
///
/// # Errors
/// [`CanonicalError`] naming node or tensor and both sides.
pub fn canonical(model: &mut Model, output: Option<&str>) -> Result<(), CanonicalError> {
    constants::to_initializers(model)?;
    output::keep(model, output)?;
    opset::raise(model)?;
    identity::remove(model);
    batch_norm::fold(model)?;
    linear::to_gemm(model)?;
    remove_unused(model);
    Ok(())
}

/// Removes constants that nothing reads, and types of values that are gone.
fn remove_unused(model: &mut Model) {
    let graph = model.graph_mut();
    let read = read(graph);
    let mut made: BTreeSet<String> = graph.node.iter().flat_map(|n| n.output.clone()).collect();
    graph.initializer.retain(|t| read.contains(t.name()));
    made.extend(graph.initializer.iter().map(|t| t.name().to_owned()));
    graph.value_info.retain(|v| made.contains(v.name()));
}

/// Names of all values that nodes or the caller read.
fn read(graph: &GraphProto) -> BTreeSet<String> {
    let inputs = graph.node.iter().flat_map(|n| n.input.iter().cloned());
    inputs
        .chain(graph.output.iter().map(|o| o.name().to_owned()))
        .collect()
}

/// True when the node at `index` alone reads what it is given as `value`, which the caller does not read either.
fn only_reader(graph: &GraphProto, value: &str) -> bool {
    let uses = graph.node.iter().flat_map(|n| &n.input);
    uses.filter(|i| *i == value).count() == 1 && graph.output.iter().all(|o| o.name() != value)
}

/// `wanted`, or with a number after it when a value has that name.
fn fresh(graph: &GraphProto, wanted: &str) -> String {
    let taken = |name: &String| {
        graph.find_initializer(name).is_some()
            || graph.producer(name).is_some()
            || graph.find_value(name).is_some()
    };
    let numbered = (2_usize..).map(|n| format!("{wanted}.{n}"));
    let mut names = std::iter::once(wanted.to_owned()).chain(numbered);
    names
        .find(|name| !taken(name))
        .unwrap_or_else(|| wanted.to_owned())
}

#[cfg(test)]
mod tests;
