//! Limits that no classifier reaches; they bound time and memory for hostile files.

/// Largest supported number of nodes of a graph. The largest published classifiers have a few thousand.
pub const MOST_NODES: usize = 10_000;

/// Largest supported number of initializers, and of declared values. Nodes find them by name in a linear
/// search.
pub(crate) const MOST_VALUES: usize = 2 * MOST_NODES;

/// Largest supported number of inputs of a node: runtimes take time quadratic in it.
pub(crate) const MOST_INPUTS: usize = 1 << 10;

/// Largest supported number of elements of a tensor for one image, and of a folded constant: 512 MiB as f32.
/// The first dense layer of VGG has 102 million.
pub const MOST_ELEMENTS: usize = 1 << 27;

/// Largest supported kernel size, stride, dilation or padding.
pub(crate) const LARGEST_WINDOW: i64 = 1 << 12;

/// Newest supported IR version (version of the ONNX format).
pub(crate) const NEWEST_IR: i64 = 14;
