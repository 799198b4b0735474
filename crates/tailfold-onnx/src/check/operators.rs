//! Operators that this crate reads: number of their inputs, and lengths of their windows.

use std::collections::BTreeMap;

use crate::limits::LARGEST_WINDOW;
use crate::proto::NodeProto;
use crate::{OnnxError, OnnxErrorKind};

/// Operators whose constants are weights, which have to be finite.
pub(super) const WEIGHTED: [&str; 5] = [
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

/// `ranks` are the ranks of the initializers.
pub(super) fn check_operator(
    node: &NodeProto,
    ranks: &BTreeMap<&str, usize>,
) -> Result<(), OnnxError> {
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
        let expected = match most {
            usize::MAX => format!("{least} or more"),
            _ if least == most => least.to_string(),
            _ => format!("{least} to {most}"),
        };
        return Err(OnnxErrorKind::Structure.error(format!(
            "node `{}` ({operator}) has {found} inputs, expected {expected}",
            node.label()
        )));
    }
    Ok(())
}

/// Checks the window attributes of a convolution or pool: one value per dimension of the kernel (two for `pads`), of at
/// least 1 (0 for `pads`) and at most [`LARGEST_WINDOW`]. `weight` is the rank of the weight of a convolution.
fn check_window(node: &NodeProto, weight: Option<usize>) -> Result<(), OnnxError> {
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
            return Err(OnnxErrorKind::Structure
                .error(format!(
                    "{attribute} is {values:?}, expected {wanted} numbers of {least} to \
                     {LARGEST_WINDOW}"
                ))
                .at(format_args!("node `{}`", node.label())));
        }
    }
    Ok(())
}
