//! Shapes of real tensors, as far as the operators around quantized regions need them.

use tailfold_onnx::proto::NodeProto;

use crate::graph::Graph;

/// Operators whose result has the shape of their first input.
const SAME: &[&str] = &[
    "Abs",
    "Clip",
    "Dropout",
    "Elu",
    "Erf",
    "Exp",
    "HardSigmoid",
    "HardSwish",
    "Identity",
    "LeakyRelu",
    "Log",
    "LogSoftmax",
    "Neg",
    "Relu",
    "Selu",
    "Sigmoid",
    "Softmax",
    "Sqrt",
    "Tanh",
];

/// Operators whose inputs are spread over each other.
const SPREAD: &[&str] = &["Add", "Div", "Max", "Min", "Mul", "Pow", "Sub"];

/// The shape of `node`'s first output, given those of its inputs; `None` for what is not known here.
pub(super) fn of(
    node: &NodeProto,
    inputs: &[Option<Vec<usize>>],
    graph: &Graph<'_>,
) -> Option<Vec<usize>> {
    let op = node.op_type();
    if SPREAD.contains(&op) {
        let shapes: Option<Vec<&Vec<usize>>> = inputs.iter().map(Option::as_ref).collect();
        return shapes?
            .into_iter()
            .try_fold(Vec::new(), |a, b| spread(&a, b));
    }
    let x = inputs.first()?.clone()?;
    match op {
        _ if SAME.contains(&op) => Some(x),
        "GlobalAveragePool" => match x[..] {
            [n, c, _, _] => Some(vec![n, c, 1, 1]),
            _ => None,
        },
        "Flatten" => {
            let axis = node.int("axis").unwrap_or(1);
            let rank = i64::try_from(x.len()).ok()?;
            let at = usize::try_from(if axis < 0 { axis + rank } else { axis }).ok()?;
            let (rows, columns) = x.split_at_checked(at)?;
            Some(vec![count(rows)?, count(columns)?])
        }
        "Reshape" => reshaped(&x, &graph.numbers::<i64>(node, 1).ok()??),
        _ if op.starts_with("Reduce") && node.int("keepdims").unwrap_or(1) == 1 => {
            let axes = match node.ints("axes") {
                Some(axes) => axes.to_vec(),
                None => graph.numbers::<i64>(node, 1).ok()??,
            };
            let rank = i64::try_from(x.len()).ok()?;
            let mut shape = x;
            for axis in axes {
                let at = usize::try_from(if axis < 0 { axis + rank } else { axis }).ok()?;
                *shape.get_mut(at)? = 1;
            }
            Some(shape)
        }
        _ => None,
    }
}

/// Values of a tensor, where they can be counted.
fn count(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1_usize, |n, &d| n.checked_mul(d))
}

/// NumPy's broadcasting.
fn spread(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    let at = |shape: &[usize], i: usize| {
        let missing = rank - shape.len();
        if i < missing { 1 } else { shape[i - missing] }
    };
    (0..rank)
        .map(|i| match (at(a, i), at(b, i)) {
            (1, n) | (n, 1) => Some(n),
            (n, m) if n == m => Some(n),
            _ => None,
        })
        .collect()
}

/// ONNX's Reshape of a batch of one: 0 keeps a length, -1 takes what is left; the first length, whatever the file has
/// for the batch, is 1 when the rest says so.
fn reshaped(x: &[usize], to: &[i64]) -> Option<Vec<usize>> {
    let values = count(x)?;
    let mut shape = Vec::new();
    let mut open = None;
    for (i, &length) in to.iter().enumerate() {
        match length {
            0 => shape.push(*x.get(i)?),
            -1 if open.is_none() => {
                open = Some(i);
                shape.push(1);
            }
            _ => shape.push(usize::try_from(length).ok()?),
        }
    }
    let known = count(&shape)?;
    if let Some(open) = open {
        shape[open] = values.checked_div(known)?;
    }
    (count(&shape)? == values).then_some(shape)
}
