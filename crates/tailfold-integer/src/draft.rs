//! Layers before they have a program.

use std::collections::BTreeMap;

use tailfold_kernels::Operation;

/// Nodes that need not run, and the layer that does their work.
pub(crate) type Absorbed = BTreeMap<usize, Option<usize>>;

/// A layer before it has a program. Ports are numbered when its region is known.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) level: usize,
    pub(crate) name: String,
    pub(crate) operation: Operation,
    /// The real tensor that it reads.
    pub(crate) reads: Option<String>,
    /// The real tensor that it makes, and its shape.
    pub(crate) makes: Option<(String, Vec<usize>)>,
}

/// Tensors, and the layers between them.
#[derive(Default)]
pub(crate) struct Drafts {
    /// `[channels, height, width]` each.
    pub(crate) tensors: Vec<[usize; 3]>,
    pub(crate) layers: Vec<Draft>,
}

impl Drafts {
    pub(crate) fn tensor(&mut self, size: [usize; 3]) -> usize {
        self.tensors.push(size);
        self.tensors.len() - 1
    }

    pub(crate) fn push(&mut self, draft: Draft) -> usize {
        self.layers.push(draft);
        self.layers.len() - 1
    }
}
