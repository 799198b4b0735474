//! Selects the nodes and the tensors to quantize.

mod function;
mod moved;
mod wires;

use std::collections::{BTreeMap, BTreeSet};

use tailfold_integer::Shapes;
use tailfold_onnx::Model;
use tailfold_onnx::proto::{GraphProto, NodeProto};

use crate::error::{QuantError, QuantErrorKind};
use crate::form::check_float;
use function::Function;
use moved::moves_values;
use wires::Wires;

/// Where a target needs quantized tensors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Placement {
    /// Before every operator that has an integer kernel, and through operators that only move values.
    #[default]
    EveryLayer,
    /// Before layers with weights, and on the shortcuts of additions. The result of a convolution stays in
    /// float until the addition after it, so that TensorRT fuses both into one kernel.
    WeightsAndShortcuts,
}

/// The part of a graph that is quantized.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Region {
    /// Indices of Conv and Gemm nodes with constant weights, in graph order.
    pub weighted: Vec<usize>,
    /// Tensors whose range must be observed, in graph order.
    pub observed: Vec<String>,
    /// Tensors that only move or pad the values of another tensor and so share its scale and zero point:
    /// derived tensor to source.
    pub derived: BTreeMap<String, String>,
    /// Node and input index of every read of dequantized values.
    pub reads: BTreeSet<(usize, usize)>,
}

/// Returns whether `node` is a Conv, or a Gemm with `transB` (both have the output channel first), with
/// constant weights.
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
            .and_then(|weight| graph.find_initializer(weight))
            // The integer kernels are two-dimensional.
            .is_some_and(|weight| gemm || weight.dims.len() == 4)
}

/// Finds the layers and tensors to quantize: Conv, and Gemm with `transB`, with constant weights (both have
/// the output channel first), and the operators between them that `placement` includes.
///
/// `skip` names nodes to leave in float; every name in it can only remove quantized tensors. `shapes` has the shape of
/// each tensor for a batch of one image. An elementwise function is quantized when its input is known to be an image or
/// a row, and Concat, AveragePool and Mul when all their inputs are known to be images. An Add is quantized unless its
/// terms are known to differ in shape or to be neither images nor rows.
///
/// # Errors
/// [`QuantErrorKind::AlreadyConverted`], or [`QuantErrorKind::NothingToQuantize`].
pub fn find_region(
    model: &Model,
    skip: &BTreeSet<String>,
    placement: Placement,
    shapes: &Shapes,
) -> Result<Region, QuantError> {
    let graph = model.graph();
    let wires = Wires::of(graph, shapes);
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
        }
    }
    if region.weighted.is_empty() {
        return Err(QuantErrorKind::NothingToQuantize
            .error("the model has no Conv or Gemm with constant weights"));
    }
    spread(&wires, skip, placement, &mut region);
    if placement == Placement::WeightsAndShortcuts {
        keep_sums_in_float(graph, &mut region);
    }
    let reads = region.reads.iter();
    let observed: BTreeSet<&str> = reads
        .map(|&(node, input)| graph.node[node].input[input].as_str())
        .filter(|tensor| !wires.is_constant(tensor) && !region.derived.contains_key(*tensor))
        .collect();
    let mut order: Vec<&str> = graph.input.iter().map(|i| i.name()).collect();
    order.extend(
        graph
            .node
            .iter()
            .flat_map(|n| n.output.iter().map(String::as_str)),
    );
    region.observed = order
        .into_iter()
        .filter(|t| observed.contains(t))
        .map(str::to_owned)
        .collect();
    Ok(region)
}

/// Adds the operators between the layers with weights that read quantized inputs.
///
/// Goes through the graph backwards, so that for each node it is known whether its result is to be quantized, and a
/// chain of operators that only move values ends at the tensor whose range is observed.
fn spread(wires: &Wires<'_>, skip: &BTreeSet<String>, placement: Placement, region: &mut Region) {
    let kept = |node: usize| skip.contains(wires.nodes[node].label());
    let mut inner = BTreeSet::new();
    for (index, node) in wires.nodes.iter().enumerate().rev() {
        let Some(output) = node.output.first() else {
            continue;
        };
        if inner.contains(&index) {
            continue;
        }
        let readers = wires.readers(output);
        let wanted = readers.iter().any(|reader| region.reads.contains(reader));
        // The integer kernel of this node has only a quantized result, so every reader must be able to read
        // it.
        let only_quantized = wanted
            && !kept(index)
            && !wires.is_output(output)
            && !readers.iter().any(|&(reader, _)| kept(reader));
        let every = placement == Placement::EveryLayer;
        if every && let Some(function) = Function::ending(wires, index) {
            if only_quantized && !function.nodes.iter().any(|&n| kept(n)) {
                region.reads.extend(function.reads);
                region.reads.extend(readers);
            }
            inner.extend(function.nodes);
        } else if !kept(index) && adds_images(wires, node) {
            region.reads.extend([(index, 0), (index, 1)]);
        } else if every && only_quantized && has_image_kernel(wires, node) {
            region
                .reads
                .extend((0..node.input.len()).map(|i| (index, i)));
            region.reads.extend(readers);
        } else if every && wanted && moves_values(wires, node) {
            let Some(input) = node.input.first().filter(|i| !wires.is_constant(i)) else {
                continue;
            };
            region.derived.insert(output.clone(), input.clone());
            region.reads.insert((index, 0));
        }
    }
}

/// Returns whether `node` adds two activations that are, or may be, images or rows of the same shape.
///
/// The addition of a constant is excluded: it is part of a formula, such as the norm in a cosine head, where 8 bits
/// would affect every logit.
fn adds_images(wires: &Wires<'_>, node: &NodeProto) -> bool {
    let [a, b] = &node.input[..] else {
        return false;
    };
    let shaped = |tensor: &str| {
        wires
            .shape(tensor)
            .is_none_or(|_| wires.is_image_or_row(tensor))
    };
    let equal = match (wires.shape(a), wires.shape(b)) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    };
    let varying = !wires.is_constant(a) && !wires.is_constant(b);
    node.is("Add") && varying && shaped(a) && shaped(b) && equal
}

/// Returns whether `node` concatenates the channels of images, is an AveragePool of an image, or multiplies an image by
/// another or by one value per channel.
fn has_image_kernel(wires: &Wires<'_>, node: &NodeProto) -> bool {
    let image = |input: &String| {
        let shape = wires.shape(input).filter(|_| !wires.is_constant(input));
        match shape {
            Some(&[1, channels, height, width]) => Some([channels, height, width]),
            _ => None,
        }
    };
    let shapes: Option<Vec<[usize; 3]>> = node.input.iter().map(image).collect();
    let Some(shapes) = shapes else {
        return false;
    };
    match (node.op_type(), &shapes[..]) {
        ("Concat", [_, ..]) => matches!(node.int("axis"), Some(1 | -3)),
        ("AveragePool", [_]) => true,
        ("Mul", &[a, b]) => a == b || b == [a[0], 1, 1] || a == [b[0], 1, 1],
        _ => false,
    }
}

/// Removes the main branch of each addition from the quantized reads: the result of a convolution with no
/// other reader. If both terms are such results, the one further from the input is the main branch.
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
