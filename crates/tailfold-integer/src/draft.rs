//! Layers before their program is built.

use std::collections::BTreeMap;

use tailfold_kernels::Operation;

/// Nodes that are removed, by index, each with the layer that computes it; `None` if no layer is needed.
pub(crate) type Absorbed = BTreeMap<usize, Option<usize>>;

/// A layer before its program is built. Ports are numbered when its region is known.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) level: usize,
    pub(crate) name: String,
    pub(crate) operation: Operation,
    /// The real tensor that the layer reads.
    pub(crate) reads: Option<String>,
    /// The real tensor that the layer writes, and its shape.
    pub(crate) makes: Option<(String, Vec<usize>)>,
}

/// Quantized tensors, and the layers between them.
#[derive(Default)]
pub(crate) struct Drafts {
    /// Size of each tensor, `[channels, height, width]`.
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
