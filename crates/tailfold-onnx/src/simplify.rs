//! The canonical form of what depends on shapes: means over an image as GlobalAveragePool, other shapes of a row of features
//! as Flatten, padding inside of the layers, linear layers as Gemm.
//!
//! The quantizer asks for it: each of these has a kernel in integers, and its other spellings have none.

mod means;
mod norms;
mod pads;
mod rows;
mod transposes;

use std::collections::BTreeSet;

use crate::canonical::{CanonicalError, tidy};
use crate::proto::{GraphProto, NodeProto};
use crate::wires::Wires;
use crate::{Model, Shapes};

/// Rewrites `model`, which is in canonical form; `shapes` are those of its values for one image. A value whose shape is not
/// known leaves its nodes as they are.
///
/// # Errors
/// [`CanonicalError`] naming node or tensor and both sides.
pub fn simplify(model: &mut Model, shapes: &Shapes) -> Result<(), CanonicalError> {
    transposes::behind(model, shapes);
    pads::all_axes(model, shapes);
    pads::explicit(model, shapes);
    pads::into_layers(model, shapes);
    means::to_pools(model, shapes);
    flatten(model, shapes);
    norms::to_depthwise(model, shapes)?;
    rows::to_matrices(model, shapes);
    tidy(model, shapes)
}

/// A reshape of features `[1, C, 1, 1]` to a row `[1, C]` as Flatten, whatever operator makes it.
fn flatten(model: &mut Model, shapes: &Shapes) {
    for node in &mut model.graph_mut().node {
        if !(node.is("Reshape") || node.is("Squeeze")) || node.input.is_empty() {
            continue;
        }
        let known = |name: &String| shapes.get(name).map(Vec::as_slice);
        if let (Some(&[1, c, ..]), Some(&[1, classes])) =
            (known(&node.input[0]), known(&node.output[0]))
        {
            let rest: usize = shapes[&node.input[0]].iter().skip(1).product();
            if c <= rest && rest == classes {
                let input = node.input[0].clone();
                *node = NodeProto::new("Flatten", node.label(), [input], node.output.clone())
                    .attr_int("axis", 1);
            }
        }
    }
}

/// The shape of an image `[1, channels, height, width]`.
fn image(shapes: &Shapes, name: &str) -> Option<[usize; 3]> {
    match shapes.get(name)?[..] {
        [1, c, h, w] => Some([c, h, w]),
        _ => None,
    }
}

/// Integers of the constant `name`.
fn ints(graph: &GraphProto, wires: &Wires, name: &str) -> Option<Vec<i64>> {
    let tensor = &graph.initializer[wires.constant(name)?];
    tensor.values::<i64>().ok()
}

/// Removes the nodes `gone`.
fn remove(model: &mut Model, gone: &BTreeSet<usize>) {
    let mut index = 0;
    model.graph_mut().node.retain(|_| {
        index += 1;
        !gone.contains(&(index - 1))
    });
}

#[cfg(test)]
mod tests;
