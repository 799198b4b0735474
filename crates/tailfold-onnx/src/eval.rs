//! Constant folding: a reference evaluator for the operators that exporters use to compute weights, bounds and shapes.
//!
//! Each operator follows the ONNX operator specification, opset 13 and later. Results are rounded to the element type
//! after each operator. A result with more than [`crate::limits::MOST_ELEMENTS`] elements is an error before its memory
//! is allocated. An unsupported operator, element type or attribute is not an error: the node stays in the graph.

mod arithmetic;
mod broadcast;
mod filled;
mod index;
mod normalisation;
mod reduce;
mod shape;
mod value;

pub(crate) use value::Value;

use crate::proto::{DataType, NodeProto};

/// Reason why a node is not folded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfolded {
    /// The operator is unsupported, or its inputs violate the specification. The node stays, and the
    /// runtime accepts or refuses it.
    Unknown,
    /// The result has more than [`crate::limits::MOST_ELEMENTS`] elements.
    TooLarge,
}

/// The value of a node, or the reason why it is not folded.
pub(crate) type Folded = Result<Value, Unfolded>;

/// Evaluates `node`. `inputs` has one entry per input of the node, `None` for an omitted optional input.
///
/// # Errors
/// [`Unfolded`] when the node is unsupported, invalid or too large.
pub(crate) fn evaluate(node: &NodeProto, inputs: &[Option<&Value>]) -> Folded {
    if !matches!(node.domain(), "" | "ai.onnx") {
        return Err(Unfolded::Unknown);
    }
    let x = || inputs.first().copied().flatten().ok_or(Unfolded::Unknown);
    let second = || inputs.get(1).copied().flatten();
    match node.op_type() {
        "Identity" => Ok(x()?.clone()),
        "Cast" => {
            let to = node.int("to").and_then(|t| i32::try_from(t).ok());
            let to = to.and_then(|t| DataType::try_from(t).ok());
            x()?.cast(to.ok_or(Unfolded::Unknown)?)
        }
        "Reshape" => shape::reshape(node, x()?, second()),
        "Flatten" => shape::flatten(node, x()?),
        "Squeeze" => shape::squeeze(x()?, &axes(node, second())?),
        "Unsqueeze" => shape::unsqueeze(x()?, &axes(node, second())?.ok_or(Unfolded::Unknown)?),
        "Transpose" => index::transpose(node, x()?),
        "Concat" => index::concat(node, inputs),
        "Slice" => index::slice(inputs),
        "Gather" => index::gather(node, x()?, second().ok_or(Unfolded::Unknown)?),
        "Expand" => filled::expand(x()?, second().ok_or(Unfolded::Unknown)?),
        "ConstantOfShape" => filled::constant_of_shape(node, x()?),
        "Range" => filled::range(inputs),
        "Shape" => Value::ints(x()?.shape.iter().map(|&d| d as i64).collect()).section(node),
        "Size" => Ok(Value::scalar_int(x()?.len() as i64)),
        "ReduceSum" | "ReduceMean" | "ReduceProd" | "ReduceMax" | "ReduceMin" => {
            let axes = axes(node, second())?;
            reduce::reduce(node, x()?, axes)
        }
        "BatchNormalization" => normalisation::batch(node, inputs),
        "Where" => arithmetic::choose(inputs),
        "Mod" if node.int("fmod").unwrap_or(0) != 0 => Err(Unfolded::Unknown),
        op => match inputs {
            [Some(x)] => arithmetic::unary(op, x),
            [Some(a), Some(b)] => arithmetic::binary(op, a, b),
            _ => Err(Unfolded::Unknown),
        },
    }
}

/// The axes of a node: an attribute in old opsets, an input in newer ones; `None` when the node has neither.
fn axes(node: &NodeProto, input: Option<&Value>) -> Result<Option<Vec<i64>>, Unfolded> {
    match (node.ints("axes"), input) {
        (Some(axes), _) => Ok(Some(axes.to_vec())),
        (None, Some(axes)) => Ok(Some(axes.as_ints().ok_or(Unfolded::Unknown)?.to_vec())),
        (None, None) => Ok(None),
    }
}

/// Converts `axis`, which may be negative, to the index of a dimension of a tensor of `rank` dimensions.
pub(crate) fn from_front(axis: i64, rank: usize) -> Result<usize, Unfolded> {
    let rank = i64::try_from(rank).unwrap_or(i64::MAX);
    let axis = if axis < 0 { axis + rank } else { axis };
    match usize::try_from(axis) {
        Ok(at) if axis < rank => Ok(at),
        _ => Err(Unfolded::Unknown),
    }
}

#[cfg(test)]
mod tests;
