use super::*;
use crate::fixture::small::{model, node, shown};
use crate::simplify;

/// A Conv or pool that reads an image of 7 x 8 pixels.
fn window(op: &str, kernel: i64) -> NodeProto {
    let inputs = if op == "Conv" { "image w" } else { "image" };
    node(op, inputs, "scores").attr_ints("kernel_shape", &[kernel, kernel])
}

fn simplified(nodes: Vec<NodeProto>, kernel: usize) -> Model {
    let mut model = model(13, &[1, 7, 8], nodes, &[1]);
    model.set_initializer_f32("w", &[1, 1, kernel, kernel], &vec![1.0; kernel * kernel]);
    model.set_initializer("pads", &[8], &[0_i64, 0, 1, 2, 0, 0, 0, 1]);
    model.set_initializer("crop", &[8], &[0_i64, 0, -1, 0, 0, 0, 0, 0]);
    model.set_initializer("huge", &[8], &[0_i64, 0, i64::MAX, 0, 0, 0, 0, 0]);
    for (name, value) in [
        ("zero", 0.0),
        ("one", 1.0),
        ("lowest", f32::MIN),
        ("infinity", f32::NEG_INFINITY),
    ] {
        model.set_initializer_f32(name, &[], &[value]);
    }
    let shapes = ["image", "p"].map(|name| (name.to_owned(), vec![1, 1, 7, 8]));
    simplify(&mut model, &shapes.into()).unwrap();
    model
}

fn pads_of(model: &Model) -> Option<&[i64]> {
    model.nodes().last().unwrap().ints("pads")
}

/// Expected pads by the formula of the ONNX specification. ONNX Runtime 1.32.0 computes the same pads for a dilation of
/// 1; it refuses other dilations.
#[test]
fn auto_pad_same_becomes_explicit_pads() {
    // Kernel, stride, dilation, then the pads of SAME_UPPER and of SAME_LOWER.
    for (kernel, stride, dilation, upper, lower) in [
        (3, 1, 1, [1, 1, 1, 1], [1, 1, 1, 1]),
        (3, 2, 1, [1, 0, 1, 1], [1, 1, 1, 0]),
        (2, 1, 1, [0, 0, 1, 1], [1, 1, 0, 0]),
        (1, 2, 1, [0, 0, 0, 0], [0, 0, 0, 0]),
        (5, 3, 1, [2, 1, 2, 2], [2, 2, 2, 1]),
        (3, 1, 2, [2, 2, 2, 2], [2, 2, 2, 2]),
        (2, 1, 3, [1, 1, 2, 2], [2, 2, 1, 1]),
        (3, 2, 2, [2, 1, 2, 2], [2, 2, 2, 1]),
    ] {
        for op in ["Conv", "MaxPool", "AveragePool"] {
            for (auto, pads) in [("SAME_UPPER", upper), ("SAME_LOWER", lower)] {
                let node = window(op, kernel)
                    .attr_ints("strides", &[stride, stride])
                    .attr_ints("dilations", &[dilation, dilation])
                    .attr_str("auto_pad", auto);
                let model = simplified(vec![node], usize::try_from(kernel).unwrap());
                let found = pads_of(&model);
                assert_eq!(
                    found,
                    Some(&pads[..]),
                    "{op} {kernel} {stride} {dilation} {auto}"
                );
                assert!(model.nodes()[0].find_attr("auto_pad").is_none());
            }
        }
    }
}

#[test]
fn missing_kernel_shape_is_read_from_weight() {
    let node = node("Conv", "image w", "scores").attr_str("auto_pad", "SAME_UPPER");
    assert_eq!(pads_of(&simplified(vec![node], 3)), Some(&[1, 1, 1, 1][..]));
}

#[test]
fn other_auto_pad_values_are_kept() {
    for auto in ["VALID", "NOTSET"] {
        let node = window("Conv", 3).attr_str("auto_pad", auto);
        let model = simplified(vec![node.clone()], 3);
        assert_eq!(model.nodes(), [node]);
    }
}

/// A Pad before a layer that already has pads of 1.
fn padded(pad: &str, op: &str) -> Model {
    let mut layer = window(op, 4).attr_ints("pads", &[1, 1, 1, 1]);
    layer.input[0] = "p".to_owned();
    simplified(vec![node("Pad", pad, "p"), layer], 4)
}

#[test]
fn pad_with_same_fill_value_moves_into_layer() {
    for (pad, op) in [
        ("image pads", "Conv"),
        ("image pads zero", "Conv"),
        ("image pads lowest", "MaxPool"),
        ("image pads infinity", "MaxPool"),
    ] {
        let model = padded(pad, op);
        assert_eq!(model.nodes().len(), 1, "{pad} {op}");
        assert_eq!(model.nodes()[0].input[0], "image");
        assert_eq!(pads_of(&model), Some(&[2, 3, 1, 2][..]));
    }
}

#[test]
fn pad_with_other_value_is_kept() {
    for (pad, op) in [
        ("image pads one", "Conv"),
        ("image pads zero", "MaxPool"),
        ("image pads zero", "AveragePool"),
        ("image crop", "Conv"),
        ("image huge", "Conv"),
    ] {
        let model = padded(pad, op);
        assert_eq!(model.nodes().len(), 2, "{pad} {op}");
        assert_eq!(pads_of(&model), Some(&[1, 1, 1, 1][..]));
    }
}

#[test]
fn pad_with_other_mode_or_reader_is_kept() {
    let pad = node("Pad", "image pads", "p");
    let layer = |inputs: &str, output: &str| {
        node("Conv", inputs, output).attr_ints("kernel_shape", &[4, 4])
    };
    let mode = vec![
        pad.clone().attr_str("mode", "reflect"),
        layer("p w", "scores"),
    ];
    let auto = vec![
        pad.clone(),
        layer("p w", "scores").attr_str("auto_pad", "VALID"),
    ];
    let other = vec![pad.clone(), layer("p w", "c"), node("Add", "c p", "scores")];
    for nodes in [mode, auto, other] {
        assert_eq!(simplified(nodes, 4).nodes()[0].op_type(), "Pad");
    }
    let both = vec![
        pad,
        layer("p w", "c"),
        layer("p w", "d"),
        node("Add", "c d", "scores"),
    ];
    let expected = ["Conv(image,w)->c", "Conv(image,w)->d", "Add(c,d)->scores"];
    assert_eq!(shown(&simplified(both, 4)), expected);
}

#[test]
fn pad_as_large_as_pool_window_is_kept() {
    let mut pool = window("MaxPool", 2);
    pool.input[0] = "p".to_owned();
    let model = simplified(vec![node("Pad", "image pads lowest", "p"), pool], 2);
    assert_eq!(
        model.nodes().len(),
        2,
        "two columns of padding, a kernel of two"
    );
}
