//! Unused names for new values and nodes.

use std::collections::BTreeSet;

use tailfold_onnx::Model;

/// Names of values and of nodes that a graph uses.
pub(crate) struct Names {
    values: BTreeSet<String>,
    nodes: BTreeSet<String>,
}

impl Names {
    pub(crate) fn of(model: &Model) -> Self {
        let graph = model.graph();
        let made = graph.node.iter().flat_map(|n| n.output.iter().cloned());
        let ports = graph.input.iter().chain(&graph.output);
        let constants = graph.initializer.iter().map(|t| t.name().to_owned());
        Self {
            values: made
                .chain(ports.map(|p| p.name().to_owned()))
                .chain(constants)
                .collect(),
            nodes: graph.node.iter().map(|n| n.name().to_owned()).collect(),
        }
    }

    /// Returns `wanted` for a value, with a number appended if the name is in use.
    pub(crate) fn fresh(&mut self, wanted: &str) -> String {
        fresh(&mut self.values, wanted)
    }

    /// Returns `wanted` for a node, with a number appended if the name is in use.
    pub(crate) fn fresh_node(&mut self, wanted: &str) -> String {
        fresh(&mut self.nodes, wanted)
    }
}

fn fresh(taken: &mut BTreeSet<String>, wanted: &str) -> String {
    let numbered = (2_usize..).map(|n| format!("{wanted}.{n}"));
    let name = std::iter::once(wanted.to_owned())
        .chain(numbered)
        .find(|name| !taken.contains(name));
    let name = name.unwrap_or_else(|| wanted.to_owned());
    taken.insert(name.clone());
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_in_use_gets_a_number() {
        let mut taken = BTreeSet::from(["a".to_owned()]);
        let names: Vec<String> = (0..3).map(|_| fresh(&mut taken, "a")).collect();
        assert_eq!(names, ["a.2", "a.3", "a.4"]);
        assert_eq!(fresh(&mut taken, "b"), "b");
    }
}
