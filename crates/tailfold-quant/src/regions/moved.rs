//! Operators that hand values on as they are.

use tailfold_onnx::proto::NodeProto;

use super::wires::Wires;

/// Whether `node` hands values on as they are, zero padding included: the input's codes serve the output.
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
        // A filling that is there to lose against every pixel, down to minus infinity, is in no range.
        let before = node.input.first().and_then(|input| wires.maker(input));
        let before = before.map(|maker| &wires.nodes[maker]);
        return before.is_none_or(|maker| !maker.is("Pad") || pads_with_zeros(wires, maker));
    }
    (node.is("Pad") && pads_with_zeros(wires, node)) || moves.iter().any(|op| node.is(op))
}

/// Whether the values that a Pad node adds are zeros: other constants may be beyond the range of its input.
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
