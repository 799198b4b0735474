//! Operators that move values without changing them.

use tailfold_onnx::proto::NodeProto;

use super::wires::Wires;

/// Returns whether every value of the output of `node` is a value of its input or 0, so that both share a scale and
/// zero point.
pub(super) fn moves_values(wires: &Wires<'_>, node: &NodeProto) -> bool {
    let moves = [
        "Slice",
        "Flatten",
        "Reshape",
        "Squeeze",
        "Unsqueeze",
        "Identity",
    ];
    if node.is("MaxPool") {
        // A padding value below every pixel, such as minus infinity, must not become part of the observed range.
        let before = node.input.first().and_then(|input| wires.maker(input));
        let before = before.map(|maker| &wires.nodes[maker]);
        return before.is_none_or(|maker| !maker.is("Pad") || pads_with_zeros(wires, maker));
    }
    (node.is("Pad") && pads_with_zeros(wires, node)) || moves.iter().any(|op| node.is(op))
}

/// Returns whether a Pad node pads with zeros: another constant may be beyond the range of its input.
fn pads_with_zeros(wires: &Wires<'_>, node: &NodeProto) -> bool {
    let mode = node.find_attr("mode").map(|a| a.s().to_vec());
    let constant = mode.is_none_or(|mode| mode.is_empty() || mode == b"constant");
    // An attribute before opset 11, an input since.
    let attribute = node.float("value").unwrap_or(0.0);
    let input = node.input.get(2).filter(|input| !input.is_empty());
    constant
        && attribute.abs() < f32::MIN_POSITIVE
        && input.is_none_or(|filling| wires.is_zero(filling))
}
