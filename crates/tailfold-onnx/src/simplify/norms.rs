//! A BatchNormalization that cannot be folded into a convolution becomes a depthwise convolution.

use super::image;
use crate::canonical::normalisation;
use crate::proto::NodeProto;
use crate::wires::{Fresh, Wires};
use crate::{Model, OnnxError, Shapes};

/// Rewrites each BatchNormalization of an image with constant parameters as a depthwise 1x1 Conv. With per-channel
/// scales, its INT8 weights are exact.
pub(super) fn to_depthwise(model: &mut Model, shapes: &Shapes) -> Result<(), OnnxError> {
    let wires = Wires::of(model.graph());
    let mut names = Fresh::of(model.graph());
    for index in 0..model.nodes().len() {
        let node = model.nodes()[index].clone();
        let constants = node.input.iter().skip(1);
        let constant = constants.clone().count() == 4
            && constants.clone().all(|i| wires.constant(i).is_some())
            && node.output.iter().skip(1).all(String::is_empty);
        if !node.is("BatchNormalization") || !constant {
            continue;
        }
        let Some([channels, _, _]) = image(shapes, &node.input[0]) else {
            continue;
        };
        let affine = normalisation(model, &node, channels)?;
        let weight = names.name(&format!("{}.weight", node.label()));
        let bias = names.name(&format!("{}.bias", node.label()));
        model.set_initializer_f32(&weight, &[channels, 1, 1, 1], &single(&affine.factor));
        model.set_initializer_f32(&bias, &[channels], &single(&affine.shift));
        let groups = i64::try_from(channels).unwrap_or(i64::MAX);
        model.graph_mut().node[index] = NodeProto::new(
            "Conv",
            node.label(),
            [&node.input[0], &weight, &bias],
            [&node.output[0]],
        )
        .attr_ints("kernel_shape", &[1, 1])
        .attr_int("group", groups);
    }
    Ok(())
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the one rounding to f32 of numbers computed in f64"
)]
fn single(values: &[f64]) -> Vec<f32> {
    values.iter().map(|&v| v as f32).collect()
}
