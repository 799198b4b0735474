//! Layers with weights that stay in float.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;
use tailfold_onnx::Model;

/// A layer with weights that stays in float.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FloatLayer {
    /// Name of the node.
    pub name: String,
    /// Operator of the node.
    pub operator: String,
}

impl fmt::Display for FloatLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.operator)
    }
}

/// Returns the layers of `model` with constant weights whose names are not in `integer`, in graph order.
pub(crate) fn in_float(model: &Model, integer: &BTreeSet<&str>) -> Vec<FloatLayer> {
    let weighted = model.layers_with_weights();
    let nodes = model.nodes().iter();
    let layers = nodes.filter(|node| weighted.contains(node.label()));
    layers
        .filter(|node| !integer.contains(node.label()))
        .map(|node| FloatLayer {
            name: node.label().to_owned(),
            operator: node.op_type().to_owned(),
        })
        .collect()
}
