//! Converts f64 to f32: no runtime here computes convolutions in f64, and no classifier needs it.

use crate::Model;
use crate::proto::{DataType, TensorProto, TypeValue, ValueInfoProto};

/// Rounds every f64 constant to f32, and changes casts to f64 and declared f64 types to f32. The input keeps its type
/// until [`crate::open()`] has read it.
pub(super) fn to_single(model: &mut Model) {
    let graph = model.graph_mut();
    for tensor in &mut graph.initializer {
        narrow(tensor);
    }
    let double = i64::from(i32::from(DataType::Double));
    for node in &mut graph.node {
        if node.is("Cast") && node.int("to") == Some(double) {
            let single = i64::from(i32::from(DataType::Float));
            *node = std::mem::take(node).attr_int("to", single);
        }
        for attribute in &mut node.attribute {
            attribute.t.as_mut().map(narrow);
        }
    }
    for value in graph.value_info.iter_mut().chain(&mut graph.output) {
        single(value);
    }
}

#[expect(clippy::cast_possible_truncation, reason = "this pass rounds to f32")]
fn narrow(tensor: &mut TensorProto) {
    let Ok(values) = tensor.values::<f64>() else {
        return;
    };
    let values: Vec<f32> = values.into_iter().map(|v| v as f32).collect();
    let shape = tensor.shape().unwrap_or_default();
    *tensor = TensorProto::new(tensor.name(), &shape, &values);
}

fn single(value: &mut ValueInfoProto) {
    if value.element() != Some(DataType::Double) {
        return;
    }
    if let Some(TypeValue::Tensor(tensor)) = value.r#type.as_mut().and_then(|t| t.value.as_mut()) {
        tensor.elem_type = Some(DataType::Float.into());
    }
}
