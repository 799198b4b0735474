//! Which nodes of a graph are layers with weights.

use std::collections::BTreeSet;

use tailfold_onnx::Model;

use crate::NodeRun;

/// Names of a graph's nodes, and which of them are layers with weights.
pub(crate) struct Layers {
    nodes: BTreeSet<String>,
    weighted: BTreeSet<String>,
}

impl Layers {
    pub(crate) fn of(model: &Model) -> Self {
        let owned = |name: &str| name.to_owned();
        let weighted = model.layers_with_weights();
        Self {
            nodes: model.nodes().iter().map(|n| owned(n.label())).collect(),
            weighted: weighted.into_iter().map(owned).collect(),
        }
    }

    /// Sets which `nodes` are layers with weights: by the graph where it has the node, by the operator where the back end
    /// made it.
    pub(crate) fn mark(&self, nodes: &mut [NodeRun]) {
        for node in nodes {
            if self.nodes.contains(&node.node) {
                node.weights = self.weighted.contains(&node.node);
            }
        }
    }
}
