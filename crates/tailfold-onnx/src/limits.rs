//! Bounds that no classifier reaches, so that a hostile file costs neither time nor memory.

/// Most nodes of a graph. The largest published classifiers have some thousand.
pub const MOST_NODES: usize = 10_000;

/// Most elements of any tensor of the network, for one image: 512 MiB as f32.
pub const MOST_ELEMENTS: usize = 1 << 27;

/// Largest kernel, stride, dilation or padding of a window.
pub(crate) const LARGEST_WINDOW: i64 = 1 << 12;

/// Newest version of the ONNX format whose fields are known.
pub(crate) const NEWEST_IR: i64 = 14;
