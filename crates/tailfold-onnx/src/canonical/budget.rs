//! Bounds on the work of the loader: a small file must not cost much memory or time.

use crate::Model;
use crate::limits::MOST_NODES;

/// Elements that constant folding may read and write, in addition to [`PASSES`] times the elements in the file.
const ELEMENTS: usize = 1 << 24;

/// Upper bound on how often the nodes of an exporter read or write each constant.
const PASSES: usize = 32;

/// The work that is left for one model.
pub(super) struct Budget {
    /// Elements of constants, read or written.
    elements: usize,
    /// Nodes that passes over the graph look at.
    nodes: usize,
    /// Nodes that shape inference runs through, which takes far longer.
    inferred: usize,
}

impl Budget {
    pub(super) fn of(model: &Model) -> Self {
        let stored = model.graph().initializer.iter();
        let stored = stored
            .filter_map(|t| t.shape().ok())
            .map(|s| s.iter().product::<usize>())
            .fold(0_usize, usize::saturating_add);
        Self {
            elements: stored.saturating_mul(PASSES).saturating_add(ELEMENTS),
            nodes: 50 * MOST_NODES,
            inferred: 5 * MOST_NODES,
        }
    }

    /// Takes `count` elements; `None` when fewer are left.
    pub(super) fn elements(&mut self, count: usize) -> Option<()> {
        self.elements = self.elements.checked_sub(count)?;
        Some(())
    }

    /// Takes a pass over `count` nodes; `None` when fewer are left.
    pub(super) fn pass(&mut self, count: usize) -> Option<()> {
        self.nodes = self.nodes.checked_sub(count)?;
        Some(())
    }

    /// Takes shape inference of `count` nodes; `None` when fewer are left.
    pub(super) fn inference(&mut self, count: usize) -> Option<()> {
        self.inferred = self.inferred.checked_sub(count)?;
        Some(())
    }

    #[cfg(test)]
    pub(super) fn of_elements(elements: usize) -> Self {
        Self {
            elements,
            nodes: MOST_NODES,
            inferred: MOST_NODES,
        }
    }
}
