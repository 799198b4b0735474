//! Structural check of a graph: names, order of nodes, inputs of operators, and constants.

use std::collections::{BTreeMap, BTreeSet};

use crate::limits::{LARGEST_WINDOW, MOST_INPUTS, MOST_NODES, MOST_VALUES, NEWEST_IR};
use crate::proto::{DataType, GraphProto, NodeProto, TensorProto};
use crate::{Model, TensorError};

/// A graph with an invalid structure.
#[derive(Debug, thiserror::Error, PartialEq)]
#[non_exhaustive]
pub enum CheckError {
    /// A model without the opset version of the standard operators.
    #[error("the model does not say which version of the standard operators it uses")]
    NoOpset,
    /// An input, initializer or node output without a name.
    #[error("{0} has no name")]
    Unnamed(String),
    /// A value with two definitions.
    #[error("the value `{0}` is defined twice")]
    DuplicateValue(String),
    /// Two nodes with the same name.
    #[error("two nodes are called `{0}`")]
    DuplicateNode(String),
    /// An output that is listed twice.
    #[error("the graph lists the output `{0}` twice")]
    DuplicateOutput(String),
    /// A value that is read before its definition, or that has no definition.
    #[error("{user} uses `{value}` before it is defined")]
    Undefined {
        /// The node that reads the value, or the graph's output.
        user: String,
        /// Name of the value.
        value: String,
    },
    /// An IR version (version of the ONNX format) newer than the newest supported one.
    #[error("the file has version {found} of the ONNX format, the newest known is {newest}")]
    Format {
        /// IR version of the file.
        found: i64,
        /// Newest supported IR version.
        newest: i64,
    },
    /// More nodes than [`MOST_NODES`].
    #[error("the graph has {found} nodes, expected at most {most}")]
    Nodes {
        /// Nodes of the graph.
        found: usize,
        /// Largest supported number of nodes.
        most: usize,
    },
    /// More initializers or declared values than [`MOST_VALUES`].
    #[error("the graph has {found} {what}, expected at most {most}")]
    Values {
        /// Initializers or declared values.
        what: &'static str,
        /// Number in the graph.
        found: usize,
        /// Largest supported number.
        most: usize,
    },
    /// A kernel, stride, dilation or padding outside the supported range.
    #[error("node `{node}`: {attribute} is {found:?}, expected {expected}")]
    Window {
        /// Name of the node.
        node: String,
        /// Name of the attribute.
        attribute: &'static str,
        /// Values of the attribute.
        found: Vec<i64>,
        /// Supported number and range of values.
        expected: String,
    },
    /// A node with too few or too many inputs.
    #[error("node `{node}` ({operator}) has {found} inputs, expected {}", expected(*.least, *.most))]
    Inputs {
        /// Name of the node.
        node: String,
        /// The operator.
        operator: &'static str,
        /// Number of inputs, up to the last one given.
        found: usize,
        /// Smallest number of inputs of the operator.
        least: usize,
        /// Largest number of inputs of the operator.
        most: usize,
    },
    /// A node with more inputs than [`MOST_INPUTS`].
    #[error("node `{node}` ({operator}) has {found} inputs, expected at most {most}")]
    ManyInputs {
        /// Name of the node.
        node: String,
        /// The operator.
        operator: String,
        /// Number of inputs.
        found: usize,
        /// Largest supported number of inputs.
        most: usize,
    },
    /// A sparse initializer, which runtimes on devices do not read.
    #[error("the initializer `{0}` is sparse, which is not supported")]
    Sparse(String),
    /// An initializer whose values do not fill its shape.
    #[error(transparent)]
    Tensor(#[from] TensorError),
    /// A constant that is NaN, or a weight that is infinite.
    #[error("the initializer `{tensor}` has {value} at index {index}")]
    NotFinite {
        /// Name of the initializer.
        tensor: String,
        /// Row-major index.
        index: usize,
        /// The value.
        value: f32,
    },
}

fn expected(least: usize, most: usize) -> String {
    match most {
        usize::MAX => format!("{least} or more"),
        _ if least == most => least.to_string(),
        _ => format!("{least} to {most}"),
    }
}

/// Operators whose constants are weights, which have to be finite.
const WEIGHTED: [&str; 5] = [
    "Conv",
    "ConvTranspose",
    "Gemm",
    "MatMul",
    "BatchNormalization",
];

/// Operators whose kernel, stride, dilation and padding are checked.
const WINDOWED: [&str; 3] = ["Conv", "AveragePool", "MaxPool"];

/// Standard operators that this crate and the quantizer read, with their smallest and largest number of inputs over all
/// opset versions. The runtime checks all others.
const OPERATORS: [(&str, usize, usize); 50] = [
    ("Add", 2, 2),
    ("AveragePool", 1, 1),
    ("BatchNormalization", 5, 5),
    ("Cast", 1, 1),
    ("Clip", 1, 3),
    ("Concat", 1, usize::MAX),
    ("Conv", 2, 3),
    ("DequantizeLinear", 2, 3),
    ("Div", 2, 2),
    ("Elu", 1, 1),
    ("Erf", 1, 1),
    ("Exp", 1, 1),
    ("Flatten", 1, 1),
    ("Gather", 2, 2),
    ("Gemm", 2, 3),
    ("GlobalAveragePool", 1, 1),
    ("GlobalMaxPool", 1, 1),
    ("HardSigmoid", 1, 1),
    ("HardSwish", 1, 1),
    ("Identity", 1, 1),
    ("LRN", 1, 1),
    ("LeakyRelu", 1, 1),
    ("LogSoftmax", 1, 1),
    ("MatMul", 2, 2),
    ("Max", 1, usize::MAX),
    ("MaxPool", 1, 1),
    ("Min", 1, usize::MAX),
    ("Mul", 2, 2),
    ("Neg", 1, 1),
    ("PRelu", 2, 2),
    ("Pad", 1, 4),
    ("Pow", 2, 2),
    ("QuantizeLinear", 2, 3),
    ("ReduceMean", 1, 2),
    ("ReduceSum", 1, 2),
    ("ReduceSumSquare", 1, 2),
    ("Relu", 1, 1),
    ("Reshape", 2, 2),
    ("Shape", 1, 1),
    ("Sigmoid", 1, 1),
    ("Slice", 1, 5),
    ("Softmax", 1, 1),
    ("Split", 1, 2),
    ("Sqrt", 1, 1),
    ("Squeeze", 1, 2),
    ("Sub", 2, 2),
    ("Sum", 1, usize::MAX),
    ("Tanh", 1, 1),
    ("Transpose", 1, 1),
    ("Unsqueeze", 1, 2),
];

/// Checks the structure of `model` ([`check_structure`]), the number of inputs of each operator that this crate knows,
/// and the kernel, stride, dilation and padding of convolutions and pools.
///
/// # Errors
/// The first [`CheckError`] found, constants first, then nodes in their order.
pub fn check(model: &Model) -> Result<(), CheckError> {
    let graph = model.graph();
    let ranks = graph.initializer.iter().map(|t| (t.name(), t.dims.len()));
    let ranks: BTreeMap<&str, usize> = ranks.collect();
    walk(model, |node| check_operator(node, &ranks))
}

/// Checks the structure of `model` alone: the IR version and the number of nodes are supported, the opset version is
/// given, names are unique, every value is defined before it is read (so there is no cycle), every constant fills its
/// shape, no f32 constant is NaN, and no f32 weight is infinite. Infinity is valid as a padding value or a bound.
///
/// # Errors
/// As [`check`].
pub fn check_structure(model: &Model) -> Result<(), CheckError> {
    walk(model, |_| Ok(()))
}

fn walk(
    model: &Model,
    operator: impl Fn(&NodeProto) -> Result<(), CheckError>,
) -> Result<(), CheckError> {
    if model.opset().is_none_or(|version| version < 1) {
        return Err(CheckError::NoOpset);
    }
    if model.ir_version() > NEWEST_IR {
        return Err(CheckError::Format {
            found: model.ir_version(),
            newest: NEWEST_IR,
        });
    }
    let graph = model.graph();
    if graph.node.len() > MOST_NODES {
        return Err(CheckError::Nodes {
            found: graph.node.len(),
            most: MOST_NODES,
        });
    }
    for (what, found) in [
        ("initializers", graph.initializer.len()),
        ("declared values", graph.value_info.len()),
    ] {
        if found > MOST_VALUES {
            let most = MOST_VALUES;
            return Err(CheckError::Values { what, found, most });
        }
    }
    let mut defined = constants(graph)?;
    // IR versions before 4 list every initializer among the inputs as well.
    let mut inputs = BTreeSet::new();
    for input in &graph.input {
        if !inputs.insert(input.name()) {
            return Err(CheckError::DuplicateValue(input.name().to_owned()));
        }
        if input.name().is_empty() {
            return Err(CheckError::Unnamed("an input".to_owned()));
        }
    }
    defined.extend(inputs);
    let mut names = BTreeSet::new();
    for node in &graph.node {
        if !node.name().is_empty() && !names.insert(node.name()) {
            return Err(CheckError::DuplicateNode(node.name().to_owned()));
        }
        if node.input.len() > MOST_INPUTS {
            return Err(CheckError::ManyInputs {
                node: node.label().to_owned(),
                operator: node.op_type().to_owned(),
                found: node.input.len(),
                most: MOST_INPUTS,
            });
        }
        operator(node)?;
        check_values(node, &mut defined)?;
    }
    let mut outputs = BTreeSet::new();
    if let Some(twice) = graph.output.iter().find(|o| !outputs.insert(o.name())) {
        return Err(CheckError::DuplicateOutput(twice.name().to_owned()));
    }
    match graph.output.iter().find(|o| !defined.contains(o.name())) {
        Some(output) => Err(CheckError::Undefined {
            user: "the graph's output".to_owned(),
            value: output.name().to_owned(),
        }),
        None => Ok(()),
    }
}

fn constants(graph: &GraphProto) -> Result<BTreeSet<&str>, CheckError> {
    if let Some(sparse) = graph.sparse_initializer.first() {
        let name = sparse.values.as_ref().map_or("", TensorProto::name);
        return Err(CheckError::Sparse(name.to_owned()));
    }
    let weights: BTreeSet<&str> = graph
        .node
        .iter()
        .filter(|n| WEIGHTED.iter().any(|op| n.is(op)))
        .flat_map(|n| n.input.iter().skip(1).map(String::as_str))
        .collect();
    let mut defined = BTreeSet::new();
    for tensor in &graph.initializer {
        if tensor.name().is_empty() {
            return Err(CheckError::Unnamed("an initializer".to_owned()));
        }
        if !defined.insert(tensor.name()) {
            return Err(CheckError::DuplicateValue(tensor.name().to_owned()));
        }
        match tensor.check() {
            // The runtime checks strings, complex numbers and numbers narrower than a byte.
            Err(TensorError::Type { .. }) if tensor.element().is_some() => continue,
            other => other?,
        }
        if tensor.element() == Some(DataType::Float) {
            let values: Vec<f32> = tensor.values()?;
            let weight = weights.contains(tensor.name());
            let poisons = |v: &f32| v.is_nan() || (weight && v.is_infinite());
            if let Some((index, &value)) = values.iter().enumerate().find(|(_, v)| poisons(v)) {
                return Err(CheckError::NotFinite {
                    tensor: tensor.name().to_owned(),
                    index,
                    value,
                });
            }
        }
    }
    Ok(defined)
}

/// `ranks` are the ranks of the initializers.
fn check_operator(node: &NodeProto, ranks: &BTreeMap<&str, usize>) -> Result<(), CheckError> {
    let Some(&(operator, least, most)) = OPERATORS.iter().find(|(op, _, _)| node.is(op)) else {
        return Ok(());
    };
    let weight = node.input.get(1).and_then(|w| ranks.get(w.as_str()));
    check_window(node, weight.filter(|_| node.is("Conv")).copied())?;
    let given = |i: &usize| node.input.get(*i).is_some_and(|name| !name.is_empty());
    let found = node
        .input
        .iter()
        .rposition(|name| !name.is_empty())
        .map_or(0, |last| last + 1);
    // An omitted required input ends the count.
    let found = (0..least).find(|i| !given(i)).unwrap_or(found);
    if !(least..=most).contains(&found) {
        return Err(CheckError::Inputs {
            node: node.label().to_owned(),
            operator,
            found,
            least,
            most,
        });
    }
    Ok(())
}

/// Checks the window attributes of a convolution or pool: one value per dimension of the kernel (two for `pads`), of at
/// least 1 (0 for `pads`) and at most [`LARGEST_WINDOW`]. `weight` is the rank of the weight of a convolution.
fn check_window(node: &NodeProto, weight: Option<usize>) -> Result<(), CheckError> {
    if !WINDOWED.iter().any(|op| node.is(op)) {
        return Ok(());
    }
    let kernel = node.ints("kernel_shape").map(<[i64]>::len);
    // Without both, two dimensions are assumed, as for images.
    let dimensions = kernel
        .or(weight.map(|rank| rank.saturating_sub(2)))
        .unwrap_or(2);
    let checks = [
        ("kernel_shape", 1, 1),
        ("strides", 1, 1),
        ("dilations", 1, 1),
        ("pads", 2, 0),
    ];
    for (attribute, each, least) in checks {
        let Some(values) = node.ints(attribute) else {
            continue;
        };
        let in_range = |v: &i64| (least..=LARGEST_WINDOW).contains(v);
        let wanted = dimensions.max(1) * each;
        if !values.iter().all(in_range) || values.len() != wanted {
            return Err(CheckError::Window {
                node: node.label().to_owned(),
                attribute,
                found: values.to_vec(),
                expected: format!("{wanted} numbers of {least} to {LARGEST_WINDOW}"),
            });
        }
    }
    Ok(())
}

fn check_values<'a>(
    node: &'a NodeProto,
    defined: &mut BTreeSet<&'a str>,
) -> Result<(), CheckError> {
    let undefined = |name: &&String| !name.is_empty() && !defined.contains(name.as_str());
    if let Some(value) = node.input.iter().find(undefined) {
        return Err(CheckError::Undefined {
            user: format!("node `{}`", node.label()),
            value: value.clone(),
        });
    }
    if node.output.first().is_none_or(String::is_empty) {
        return Err(CheckError::Unnamed(format!(
            "the output of node `{}`",
            node.label()
        )));
    }
    match node
        .output
        .iter()
        .find(|name| !name.is_empty() && !defined.insert(name))
    {
        Some(name) => Err(CheckError::DuplicateValue(name.clone())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
