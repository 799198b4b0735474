//! Which nodes become integer, and which tensors carry codes.

use std::collections::{BTreeMap, BTreeSet};

use tailfold_onnx::Model;
use tailfold_onnx::proto::{GraphProto, NodeProto};

use crate::error::QuantError;
use crate::form::check_float;

/// Where codes are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Placement {
    /// Before every operator that has an integer kernel, and through those that only move values.
    #[default]
    EveryLayer,
    /// Before layers with weights, and on the shortcuts of additions: a convolution's own result goes into the addition
    /// after it in float, so that TensorRt makes one kernel of both.
    WeightsAndShortcuts,
}

/// The part of a graph that is quantized.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Region {
    /// Indices of Conv and Gemm nodes with constant weights, in graph order.
    pub weighted: Vec<usize>,
    /// Tensors whose range must be observed, in graph order.
    pub observed: Vec<String>,
    /// Tensors that only move or pad values of another one and so share its codes: derived tensor to source.
    pub derived: BTreeMap<String, String>,
    /// Node and place among its inputs of everything that reads dequantized codes.
    pub reads: BTreeSet<(usize, usize)>,
}

/// Operators that hand values on as they are, zero padding included: the input's codes serve the output.
fn moves_values(node: &NodeProto) -> bool {
    ["Slice", "Pad", "MaxPool", "Flatten", "Reshape", "Identity"]
        .iter()
        .any(|op| node.is(op))
}

/// The weight of a Conv, or of a Gemm with `transB` (both have the output channel first), if it is a constant.
fn is_weighted(graph: &GraphProto, node: &NodeProto) -> bool {
    let gemm = node.is("Gemm")
        && node.int("transB") == Some(1)
        && node.int("transA").unwrap_or(0) == 0
        && ["alpha", "beta"].iter().all(|factor| {
            node.float(factor)
                .is_none_or(|f| f.to_bits() == 1.0_f32.to_bits())
        });
    (node.is("Conv") || gemm)
        && node
            .input
            .get(1)
            .is_some_and(|weight| graph.find_initializer(weight).is_some())
}

/// Finds what to quantize: Conv, and Gemm with `transB`, with constant weights (both have the output channel first),
/// and what `placement` asks for between them.
///
/// `skip` names nodes to leave in float.
///
/// # Errors
/// [`QuantError::AlreadyQuantized`], or [`QuantError::NothingToQuantize`].
pub fn find_region(
    model: &Model,
    skip: &BTreeSet<String>,
    placement: Placement,
) -> Result<Region, QuantError> {
    let graph = model.graph();
    let constant = |name: &str| graph.find_initializer(name).is_some();
    let mut region = Region::default();
    for (index, node) in graph.node.iter().enumerate() {
        check_float(node)?;
        if skip.contains(node.label()) {
            continue;
        }
        if is_weighted(graph, node) {
            region.weighted.push(index);
            // The second input is the weight, the third the bias.
            region.reads.insert((index, 0));
        } else if node.is("GlobalAveragePool")
            && !node.input.is_empty()
            && placement == Placement::EveryLayer
        {
            region.reads.insert((index, 0));
        } else if node.is("Add") && node.input.len() == 2 && !node.input.iter().any(|i| constant(i))
        {
            // An addition of a constant is none: it stands in a formula, such as the norm under a cosine head, where 8
            // bits would be felt in every logit.
            region.reads.extend([(index, 0), (index, 1)]);
        }
    }
    if region.weighted.is_empty() {
        return Err(QuantError::NothingToQuantize);
    }
    if placement == Placement::WeightsAndShortcuts {
        keep_sums_in_float(graph, &mut region);
    }
    let read = |&(node, input): &(usize, usize)| graph.node[node].input[input].clone();
    let mut observed: BTreeSet<String> = region.reads.iter().map(read).collect();
    observed.retain(|tensor| !constant(tensor));
    if placement == Placement::EveryLayer {
        share_moved(graph, &mut region, &mut observed);
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

/// Moves codes from the outputs of operators that only move values to their inputs.
fn share_moved(graph: &GraphProto, region: &mut Region, observed: &mut BTreeSet<String>) {
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
            region.reads.insert((index, 0));
        }
    }
}

/// Takes the main branch of each addition out of what reads codes: the result of a convolution that nothing else uses, of
/// two such the one further from the input.
fn keep_sums_in_float(graph: &GraphProto, region: &mut Region) {
    let mut depth: BTreeMap<&str, usize> = BTreeMap::new();
    for node in &graph.node {
        let inputs = node.input.iter().filter_map(|i| depth.get(i.as_str()));
        let below = inputs.max().copied().unwrap_or(0);
        depth.extend(node.output.iter().map(|o| (o.as_str(), below + 1)));
    }
    let weighted: BTreeSet<&str> = region
        .weighted
        .iter()
        .filter_map(|&index| graph.node[index].output.first().map(String::as_str))
        .filter(|output| graph.consumers(output).count() == 1)
        .collect();
    for (index, node) in graph.node.iter().enumerate() {
        if !(node.is("Add") && region.reads.contains(&(index, 0))) {
            continue;
        }
        let branches = node.input.iter().enumerate().rev();
        let main = branches
            .filter(|(_, tensor)| weighted.contains(tensor.as_str()))
            .max_by_key(|(_, tensor)| depth.get(tensor.as_str()));
        if let Some((input, _)) = main {
            region.reads.remove(&(index, input));
        }
    }
}

#[cfg(test)]
mod tests;
