//! Constant folding: a reference evaluator of the operators with which exporters compute weights, bounds and shapes.
//!
//! The meaning of each operator is that of the ONNX operator specification, opset 13 and later. Results are rounded to
//! the element type after every operator. A result of more than [`MAX_ELEMENTS`] is an error before any memory is asked
//! for. An operator, a type or an attribute that is not known here is no error: the node stays in the graph.

mod arithmetic;
mod index;
mod value;

pub(crate) use value::Value;

use crate::proto::{DataType, NodeProto};

/// Most elements of a folded constant, 512 MiB as f32: the first dense layer of VGG has 102 million.
pub(crate) const MAX_ELEMENTS: usize = 1 << 27;

/// Why a node has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfolded {
    /// The node is none of those that are evaluated, or its inputs break its rules: the runtime judges it.
    Unknown,
    /// The result has too many elements.
    TooLarge,
}

/// The value of a node, if it has one.
pub(crate) type Folded = Result<Value, Unfolded>;

/// Evaluates `node` on `inputs`, one for each of its inputs, `None` where the node leaves an optional input out.
///
/// # Errors
/// [`Unfolded`].
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
        "Reshape" => index::reshape(node, x()?, second()),
        "Flatten" => index::flatten(node, x()?),
        "Squeeze" => index::squeeze(x()?, &axes(node, second())?),
        "Unsqueeze" => index::unsqueeze(x()?, &axes(node, second())?.ok_or(Unfolded::Unknown)?),
        "Transpose" => index::transpose(node, x()?),
        "Concat" => index::concat(node, inputs),
        "Slice" => index::slice(inputs),
        "Gather" => index::gather(node, x()?, second().ok_or(Unfolded::Unknown)?),
        "Expand" => index::expand(x()?, second().ok_or(Unfolded::Unknown)?),
        "ConstantOfShape" => index::constant_of_shape(node, x()?),
        "Range" => index::range(inputs),
        "Shape" => Value::ints(x()?.shape.iter().map(|&d| d as i64).collect()).section(node),
        "Size" => Ok(Value::scalar_int(x()?.len() as i64)),
        "ReduceSum" | "ReduceMean" | "ReduceProd" | "ReduceMax" | "ReduceMin" => {
            let axes = axes(node, second())?;
            arithmetic::reduce(node, x()?, axes)
        }
        "Where" => arithmetic::choose(inputs),
        "Mod" if node.int("fmod").unwrap_or(0) != 0 => Err(Unfolded::Unknown),
        op => match inputs {
            [Some(x)] => arithmetic::unary(op, x),
            [Some(a), Some(b)] => arithmetic::binary(op, a, b),
            _ => Err(Unfolded::Unknown),
        },
    }
}

/// The axes of a node: an attribute in old versions, an input in new ones; `None` when it leaves them out.
fn axes(node: &NodeProto, input: Option<&Value>) -> Result<Option<Vec<i64>>, Unfolded> {
    match (node.ints("axes"), input) {
        (Some(axes), _) => Ok(Some(axes.to_vec())),
        (None, Some(axes)) => Ok(Some(axes.as_ints().ok_or(Unfolded::Unknown)?.to_vec())),
        (None, None) => Ok(None),
    }
}

/// `axis` counted from the front, for a tensor of `rank`.
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
