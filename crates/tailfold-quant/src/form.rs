//! Checks that a model is in f32: a quantized or half-precision model is not converted again.

use tailfold_onnx::Model;
use tailfold_onnx::proto::{DataType, NodeProto};
use tailfold_spec::QuantizationRecord;

use crate::error::{QuantError, QuantErrorKind};
use crate::float::{FloatModel, RECORD};

/// Operators of ONNX with quantized inputs or outputs.
const QUANTIZED: [&str; 7] = [
    "QuantizeLinear",
    "DequantizeLinear",
    "DynamicQuantizeLinear",
    "QLinearConv",
    "QLinearMatMul",
    "ConvInteger",
    "MatMulInteger",
];

/// Element types of half precision.
const HALF: [DataType; 2] = [DataType::Float16, DataType::Bfloat16];

/// Checks that `node` has no quantized inputs or outputs.
///
/// # Errors
/// [`QuantErrorKind::AlreadyConverted`] naming the node and its operator.
pub(crate) fn check_float(node: &NodeProto) -> Result<(), QuantError> {
    if QUANTIZED.iter().any(|op| node.is(op)) {
        return Err(QuantErrorKind::AlreadyConverted.error(format!(
            "the model is already quantized: node `{node}` is a {operator}",
            node = node.label(),
            operator = node.op_type()
        )));
    }
    Ok(())
}

/// Checks that `float` is in single precision throughout.
///
/// # Errors
/// [`QuantErrorKind::AlreadyConverted`] naming the first node with quantized values, or naming
/// a half-precision value, or the metadata that records half precision.
pub(crate) fn check_single(float: &FloatModel) -> Result<(), QuantError> {
    let model = &float.model;
    model.nodes().iter().try_for_each(check_float)?;
    if let Some(found) = half_value(model) {
        return Err(QuantErrorKind::AlreadyConverted
            .error(format!("the model is already in half precision: {found}")));
    }
    let record = match float.card() {
        Some(card) => card.quantization.clone(),
        None => model
            .props()
            .get(RECORD)
            .and_then(|json| serde_json::from_str(json).ok()),
    };
    let half = |record: &QuantizationRecord| record.precision == "fp16";
    if record.as_ref().is_some_and(half) {
        return Err(QuantErrorKind::AlreadyConverted.error(format!(
            "the model is already in half precision: its metadata `{RECORD}` has the precision fp16"
        )));
    }
    Ok(())
}

/// Returns a phrase that names the first half-precision value of `model`; `None` when there is none.
fn half_value(model: &Model) -> Option<String> {
    let is_half = |element: Option<DataType>| element.filter(|e| HALF.contains(e));
    let graph = model.graph();
    let inputs = graph.input.iter().map(|i| (i.name(), i.element()));
    let constants = graph.initializer.iter().map(|t| (t.name(), t.element()));
    let named = inputs
        .chain(constants)
        .find_map(|(name, element)| Some((name, is_half(element)?)));
    if let Some((name, element)) = named {
        return Some(format!("`{name}` is {element:?}"));
    }
    let half = |node: &&NodeProto| {
        let to = node.int("to").filter(|_| node.is("Cast"));
        is_half(to.and_then(|to| DataType::try_from(i32::try_from(to).ok()?).ok())).is_some()
    };
    let cast = graph.node.iter().find(half)?;
    Some(format!("node `{}` casts to it", cast.label()))
}

#[cfg(test)]
mod tests;
