//! Prints a graph as text with one line per node, for users and for snapshots.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::Model;
use crate::proto::{
    AttributeProto, AttributeType, DataType, DimensionValue, NodeProto, TensorProto, ValueInfoProto,
};

/// Integer constants up to this length are printed with their values: they are pads, axes and steps, not
/// weights.
const SHOWN: usize = 8;

/// Prints the graph of `model`: names, declared types, attributes, and shapes of constants.
///
/// A value is `%name`, a constant `name type[shape]`, and an omitted optional input `_`; weights are not
/// printed. The format is not meant for parsing.
///
/// # Panics
/// Never: writing to a string does not fail.
pub fn text(model: &Model) -> String {
    let graph = model.graph();
    let types: BTreeMap<&str, String> = graph
        .value_info
        .iter()
        .chain(&graph.input)
        .chain(&graph.output)
        .map(|v| (v.name(), type_text(v)))
        .collect();
    let constants: BTreeMap<&str, &TensorProto> =
        graph.initializer.iter().map(|t| (t.name(), t)).collect();
    let ports = |values: &[ValueInfoProto]| {
        let values: Vec<String> = values
            .iter()
            .map(|v| format!("%{}: {}", escape(v.name()), type_text(v)))
            .collect();
        values.join(", ")
    };
    let opset = model
        .opset()
        .map_or_else(|| "?".to_owned(), |v| v.to_string());
    let mut text = format!(
        "graph {} (ir {}, opset {opset})\n  inputs {}\n  outputs {}\n",
        escape(graph.name()),
        model.proto().ir_version(),
        ports(&graph.input),
        ports(&graph.output),
    );
    for node in &graph.node {
        let outputs: Vec<String> = node
            .output
            .iter()
            .map(|name| value_text(name, &types))
            .collect();
        let inputs: Vec<String> = node
            .input
            .iter()
            .map(|name| match constants.get(name.as_str()) {
                _ if name.is_empty() => "_".to_owned(),
                Some(tensor) => constant_text(tensor),
                None => format!("%{}", escape(name)),
            })
            .collect();
        writeln!(
            text,
            "{} = {}({})",
            outputs.join(", "),
            operator_text(node),
            inputs.join(", ")
        )
        .expect("writing to a String cannot fail");
    }
    text
}

/// Names come from the file, so line breaks and control characters are escaped before they reach the
/// terminal.
fn escape(name: &str) -> std::str::EscapeDebug<'_> {
    name.escape_debug()
}

fn value_text(name: &str, types: &BTreeMap<&str, String>) -> String {
    match types.get(name) {
        Some(of_type) => format!("%{}: {of_type}", escape(name)),
        None => format!("%{}", escape(name)),
    }
}

fn type_text(value: &ValueInfoProto) -> String {
    let Some(tensor) = value.tensor_type() else {
        return "?".to_owned();
    };
    let element = label(tensor.elem_type());
    let Some(shape) = &tensor.shape else {
        return format!("{element}[..]");
    };
    let lengths: Vec<String> = shape
        .dim
        .iter()
        .map(|d| match &d.value {
            Some(DimensionValue::Length(length)) => length.to_string(),
            Some(DimensionValue::Symbol(symbol)) => escape(symbol).to_string(),
            None => "?".to_owned(),
        })
        .collect();
    format!("{element}[{}]", lengths.join(","))
}

fn label(data_type: i32) -> String {
    DataType::try_from(data_type)
        .map_or_else(|_| format!("type {data_type}"), |t| t.label().to_owned())
}

fn constant_text(tensor: &TensorProto) -> String {
    let mut text = format!(
        "{} {}[{}]",
        escape(tensor.name()),
        label(tensor.data_type()),
        join(&tensor.dims, ",")
    );
    if let Ok(values) = tensor.values::<i64>()
        && values.len() <= SHOWN
    {
        text += &format!(" {{{}}}", join(&values, ","));
    }
    text
}

fn operator_text(node: &NodeProto) -> String {
    let mut text = match node.domain() {
        "" => escape(node.op_type()).to_string(),
        domain => format!("{}.{}", escape(domain), escape(node.op_type())),
    };
    if !node.attribute.is_empty() {
        let attributes: Vec<String> = node
            .attribute
            .iter()
            .map(|a| format!("{}={}", escape(a.name()), attribute_text(a)))
            .collect();
        text += &format!("[{}]", attributes.join(" "));
    }
    text
}

fn attribute_text(attribute: &AttributeProto) -> String {
    match attribute.kind() {
        AttributeType::Int => attribute.i().to_string(),
        AttributeType::Ints => join(&attribute.ints, "x"),
        AttributeType::Float => attribute.f().to_string(),
        AttributeType::Floats => join(&attribute.floats, "x"),
        AttributeType::String => escape(&String::from_utf8_lossy(attribute.s())).to_string(),
        other => format!("{other:?}").to_lowercase(),
    }
}

fn join<T: ToString>(values: &[T], separator: &str) -> String {
    values
        .iter()
        .map(T::to_string)
        .collect::<Vec<_>>()
        .join(separator)
}

#[cfg(test)]
mod tests;
