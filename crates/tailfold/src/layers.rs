//! The layers with weights of a graph.

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

    /// Marks the `nodes` that are layers with weights according to the graph. A node that is not in the graph was made
    /// by the back end; its operator has already decided its mark.
    pub(crate) fn mark(&self, nodes: &mut [NodeRun]) {
        for node in nodes {
            if self.nodes.contains(&node.node) {
                node.weights = self.weighted.contains(&node.node);
            }
        }
    }
}
