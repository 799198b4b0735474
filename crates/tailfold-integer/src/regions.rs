//! Builds one program per region from the layers, and the remaining graph.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tailfold_kernels::{Isa, Layer, Operation, Place, Program};
use tailfold_onnx::Model;
use tailfold_onnx::proto::NodeProto;

use crate::IntegerError;
use crate::draft::{Absorbed, Draft, Drafts};
use crate::fusion::fuse;

/// A graph whose quantized regions are replaced by programs.
#[derive(Clone, Debug)]
pub struct Lowered {
    /// The remaining graph: each region is a node of type [`Region::OPERATOR`], with its index as the
    /// attribute `region`.
    pub model: Model,
    /// The regions, by index.
    pub regions: Vec<Arc<Region>>,
    /// Every node that computes something, in the order of the file, with its kernel.
    pub nodes: Vec<NodeKernel>,
}

/// A program, and the real tensors between it and the rest of the graph.
#[derive(Clone, Debug)]
pub struct Region {
    /// The integer program.
    pub program: Program,
    /// Names of the tensors at its input ports.
    pub inputs: Vec<String>,
    /// Names and shapes, for one image, of the tensors at its output ports.
    pub outputs: Vec<(String, Vec<usize>)>,
}

impl Region {
    /// Operator of the node that replaces a region in the remaining graph.
    pub const OPERATOR: &'static str = "TailfoldIntegerRegion";
}

/// A node and its integer kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeKernel {
    /// The node's name, or the name of its output.
    pub node: String,
    /// Operator of the node.
    pub operator: String,
    /// The integer kernel; `None` for a node that the float runtime computes.
    pub kernel: Option<&'static str>,
}

/// Builds the programs of `drafts`, and the model in which one node per region replaces the `absorbed` nodes.
pub(crate) fn build(
    model: Model,
    isa: Isa,
    drafts: Drafts,
    absorbed: &Absorbed,
) -> Result<Lowered, IntegerError> {
    let mut levels: BTreeMap<usize, Vec<(usize, Draft)>> = BTreeMap::new();
    for (index, draft) in drafts.layers.into_iter().enumerate() {
        levels.entry(draft.level).or_default().push((index, draft));
    }
    let mut regions = Vec::new();
    let mut kernels: BTreeMap<usize, &'static str> = BTreeMap::new();
    for (_, mut layers) in levels {
        let fused = fuse(&mut layers);
        let indices: Vec<usize> = layers.iter().map(|(index, _)| *index).collect();
        let region = region(isa, &drafts.tensors, layers)?;
        kernels.extend(
            indices
                .into_iter()
                .zip(region.program.steps().map(|s| s.kernel)),
        );
        for (sum, convolution) in fused {
            kernels.insert(sum, kernels[&convolution]);
        }
        regions.push(Arc::new(region));
    }
    let nodes = kept(&model, absorbed, &kernels);
    Ok(Lowered {
        model: rest(model, absorbed, &regions),
        regions,
        nodes,
    })
}

/// Builds one program from its layers in order, with new numbers for tensors and ports.
fn region(
    isa: Isa,
    sizes: &[[usize; 3]],
    layers: Vec<(usize, Draft)>,
) -> Result<Region, IntegerError> {
    let mut numbers: BTreeMap<usize, usize> = BTreeMap::new();
    let mut tensors = Vec::new();
    let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
    let mut ready = Vec::new();
    for (_, draft) in layers {
        let mut operation = draft.operation;
        for tensor in tensors_of(&mut operation) {
            let next = numbers.len();
            *tensor = *numbers.entry(*tensor).or_insert_with(|| {
                tensors.push(sizes[*tensor]);
                next
            });
        }
        if let Some(name) = draft.reads {
            set_port(&mut operation, inputs.len());
            inputs.push(name);
        }
        if let Some(made) = draft.makes {
            set_port(&mut operation, outputs.len());
            outputs.push(made);
        }
        ready.push(Layer {
            name: draft.name,
            operation,
        });
    }
    Ok(Region {
        program: Program::new(isa, &tensors, ready)?,
        inputs,
        outputs,
    })
}

/// Returns all tensors of an operation.
fn tensors_of(operation: &mut Operation) -> Vec<&mut usize> {
    match operation {
        Operation::Quantize { output, .. } => vec![output],
        Operation::Dequantize { input, .. } => vec![input],
        Operation::Add { inputs, output, .. } | Operation::Product { inputs, output, .. } => {
            let [a, b] = inputs;
            vec![a, b, output]
        }
        Operation::Concat { inputs, output, .. } => inputs.iter_mut().chain([output]).collect(),
        Operation::Table { input, output, .. }
        | Operation::Subsample { input, output, .. }
        | Operation::MaxPool { input, output, .. }
        | Operation::AveragePool { input, output, .. }
        | Operation::UnitMean { input, output, .. } => vec![input, output],
        Operation::Conv {
            input,
            residual,
            output,
            ..
        } => {
            let mut tensors = vec![input];
            tensors.extend(residual.as_mut().map(|addend| &mut addend.input));
            if let Place::Tensor(output) = output {
                tensors.push(output);
            }
            tensors
        }
        Operation::Mean { input, output, .. } => match output {
            Place::Tensor(output) => vec![input, output],
            Place::Port(_) => vec![input],
        },
    }
}

fn set_port(operation: &mut Operation, number: usize) {
    match operation {
        Operation::Quantize { input, .. } => *input = number,
        Operation::Dequantize { output, .. } => *output = number,
        Operation::Conv { output, .. } | Operation::Mean { output, .. } => {
            *output = Place::Port(number);
        }
        Operation::Add { .. }
        | Operation::Table { .. }
        | Operation::Concat { .. }
        | Operation::Subsample { .. }
        | Operation::MaxPool { .. }
        | Operation::AveragePool { .. }
        | Operation::Product { .. }
        | Operation::UnitMean { .. } => {
            unreachable!("these layers lead from codes to codes")
        }
    }
}

/// Returns each node that computes something, with its kernel.
fn kept(
    model: &Model,
    absorbed: &Absorbed,
    kernels: &BTreeMap<usize, &'static str>,
) -> Vec<NodeKernel> {
    let silent = ["QuantizeLinear", "DequantizeLinear", "Constant"];
    model
        .nodes()
        .iter()
        .enumerate()
        .filter(|(_, node)| !silent.contains(&node.op_type()))
        .map(|(index, node)| NodeKernel {
            node: node.label().to_owned(),
            operator: node.op_type().to_owned(),
            kernel: absorbed
                .get(&index)
                .map(|layer| layer.map_or("no-op", |layer| kernels[&layer])),
        })
        .collect()
}

/// Returns the graph without the absorbed nodes, and without the nodes and constants that only they read.
fn rest(mut model: Model, absorbed: &Absorbed, regions: &[Arc<Region>]) -> Model {
    if regions.is_empty() {
        return model;
    }
    let graph = model.graph_mut();
    let mut nodes: Vec<NodeProto> = std::mem::take(&mut graph.node)
        .into_iter()
        .enumerate()
        .filter(|(index, _)| !absorbed.contains_key(index))
        .map(|(_, node)| node)
        .collect();
    for (index, region) in regions.iter().enumerate() {
        let outputs = region.outputs.iter().map(|(name, _)| name);
        let node = NodeProto::new(
            Region::OPERATOR,
            format!("integer region {index}"),
            &region.inputs,
            outputs,
        );
        nodes.push(node.attr_int("region", i64::try_from(index).unwrap_or(i64::MAX)));
    }
    let mut read: BTreeSet<String> = graph.output.iter().map(|o| o.name().to_owned()).collect();
    let mut sorted = sorted(nodes);
    // Goes backwards, so that the inputs of an unread node count as unread too.
    let mut live = Vec::with_capacity(sorted.len());
    while let Some(node) = sorted.pop() {
        if node.output.iter().any(|o| read.contains(o)) {
            read.extend(node.input.iter().cloned());
            live.push(node);
        }
    }
    live.reverse();
    graph.node = live;
    // IR versions before 4 list initializers among the inputs too.
    let dropped: BTreeSet<String> = graph
        .initializer
        .iter()
        .map(|t| t.name().to_owned())
        .filter(|name| !read.contains(name))
        .collect();
    graph.initializer.retain(|t| !dropped.contains(t.name()));
    graph.input.retain(|i| !dropped.contains(i.name()));
    graph.value_info.clear();
    model
}

/// Sorts producers before readers, and otherwise keeps the order. Nodes in a cycle, which a valid file does
/// not have, are left out.
fn sorted(nodes: Vec<NodeProto>) -> Vec<NodeProto> {
    let mut makers: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, node) in nodes.iter().enumerate() {
        makers.extend(node.output.iter().map(|o| (o.as_str(), index)));
    }
    let mut readers: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    let mut missing = vec![0; nodes.len()];
    for (index, node) in nodes.iter().enumerate() {
        for &maker in node.input.iter().filter_map(|i| makers.get(i.as_str())) {
            readers[maker].push(index);
            missing[index] += 1;
        }
    }
    let mut ready: BTreeSet<usize> = (0..nodes.len()).filter(|&n| missing[n] == 0).collect();
    let mut order = Vec::with_capacity(nodes.len());
    while let Some(next) = ready.pop_first() {
        order.push(next);
        for &reader in &readers[next] {
            missing[reader] -= 1;
            if missing[reader] == 0 {
                ready.insert(reader);
            }
        }
    }
    let mut nodes: Vec<Option<NodeProto>> = nodes.into_iter().map(Some).collect();
    order.into_iter().filter_map(|n| nodes[n].take()).collect()
}
