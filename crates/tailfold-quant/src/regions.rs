//! Which nodes become integer, and which tensors carry codes.

use std::collections::{BTreeMap, BTreeSet};

use tailfold_onnx::Model;
use tailfold_onnx::proto::NodeProto;

use crate::error::QuantError;

/// The part of a graph that is quantized.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Region {
    /// Indices of Conv and Gemm nodes with constant weights, in graph order.
    pub weighted: Vec<usize>,
    /// Tensors whose range must be observed, in graph order.
    pub observed: Vec<String>,
    /// Tensors that only move or pad values of another one and so share its codes: derived tensor to source.
    pub derived: BTreeMap<String, String>,
    /// Indices of all nodes whose quantized inputs are replaced by dequantized codes.
    pub consumers: BTreeSet<usize>,
}

/// Operators that hand values on as they are, zero padding included: the input's codes serve the output.
fn moves_values(node: &NodeProto) -> bool {
    ["Slice", "Pad", "MaxPool", "Flatten", "Reshape", "Identity"]
        .iter()
        .any(|op| node.is(op))
}

/// Operators with integer kernels that take no weights. An addition of a constant is none: it stands in a formula, such
/// as the norm under a cosine head, where 8 bits would be felt in every logit.
fn takes_codes(node: &NodeProto, constant: impl Fn(&str) -> bool) -> bool {
    (node.is("Add") && !node.input.iter().any(|i| constant(i))) || node.is("GlobalAveragePool")
}

/// Finds what to quantize: Conv, and Gemm with `transB`, with constant weights (both have the output channel first), additions and global average pools between them.
///
/// `skip` names nodes to leave in float.
///
/// # Errors
/// [`QuantError::AlreadyQuantized`], or [`QuantError::NothingToQuantize`].
pub fn find_region(model: &Model, skip: &BTreeSet<String>) -> Result<Region, QuantError> {
    let graph = model.graph();
    let constant = |name: &str| graph.find_initializer(name).is_some();
    let mut region = Region::default();
    let mut observed = BTreeSet::new();
    for (index, node) in graph.node.iter().enumerate() {
        if node.is("QuantizeLinear") || node.is("DequantizeLinear") {
            return Err(QuantError::AlreadyQuantized(node.label().to_owned()));
        }
        if skip.contains(node.name()) {
            continue;
        }
        let weighted = (node.is("Conv") || (node.is("Gemm") && node.int("transB") == Some(1)))
            && node.input.get(1).is_some_and(|weight| constant(weight));
        if weighted {
            region.weighted.push(index);
        }
        if weighted || takes_codes(node, constant) {
            region.consumers.insert(index);
            // The second input of a weighted node is its weight, the third its bias.
            let activations = if weighted {
                &node.input[..1]
            } else {
                &node.input[..]
            };
            observed.extend(activations.iter().filter(|i| !constant(i)).cloned());
        }
    }
    if region.weighted.is_empty() {
        return Err(QuantError::NothingToQuantize);
    }
    // Backwards, so that a chain of moving operators ends at the tensor that is really observed.
    for (index, node) in graph.node.iter().enumerate().rev() {
        let (Some(input), Some(output)) = (node.input.first(), node.output.first()) else {
            continue;
        };
        if moves_values(node) && (observed.contains(output) || region.derived.contains_key(output))
        {
            observed.remove(output);
            observed.insert(input.clone());
            region.derived.insert(output.clone(), input.clone());
            region.consumers.insert(index);
        }
    }
    let mut order: Vec<&str> = graph.input.iter().map(|i| i.name()).collect();
    order.extend(
        graph
            .node
            .iter()
            .flat_map(|n| n.output.iter().map(String::as_str)),
    );
    region.observed = order
        .into_iter()
        .filter(|t| observed.contains(*t))
        .map(str::to_owned)
        .collect();
    Ok(region)
}

#[cfg(test)]
mod tests;
