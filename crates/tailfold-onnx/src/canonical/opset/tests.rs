use super::*;
use crate::canonical;
use crate::fixture::small::{model, node, shown};

/// The canonical form of a model of opset `opset` with the one node `node`.
fn raised(opset: i64, node: NodeProto) -> Model {
    let mut model = model(opset, &[3, 4, 4], vec![node], &[3, 4, 4]);
    canonical(&mut model, None).unwrap();
    crate::check(&model).unwrap();
    assert_eq!(model.opset(), Some(13));
    assert!(model.ir_version() >= 7);
    model
}

/// The i64 constant at input `index` of the last node.
fn ints(model: &Model, index: usize) -> Vec<i64> {
    let name = &model.nodes().last().unwrap().input[index];
    model.initializer::<i64>(name).unwrap().1
}

/// Shape and values of the f32 constant at input `index` of the last node.
fn float(model: &Model, index: usize) -> (Vec<usize>, Vec<f32>) {
    let name = &model.nodes().last().unwrap().input[index];
    model.initializer_f32(name).unwrap()
}

#[test]
fn attributes_become_inputs() {
    let clip = node("Clip", "image", "scores").attr_float("max", 6.0);
    for opset in 7..=10 {
        let model = raised(opset, clip.clone().attr_float("min", 0.0));
        assert_eq!(float(&model, 1), (vec![], vec![0.0]));
        assert_eq!(float(&model, 2), (vec![], vec![6.0]));
        assert!(model.nodes()[0].attribute.is_empty());
    }
    let model = raised(7, clip);
    assert_eq!(model.nodes()[0].input[1], "", "no lower bound");
    assert_eq!(float(&model, 2).1, [6.0]);
    let pads = [0, 0, 1, 1, 0, 0, 2, 2];
    let pad = node("Pad", "image", "scores").attr_ints("pads", &pads);
    let model = raised(
        7,
        pad.clone()
            .attr_float("value", 0.5)
            .attr_str("mode", "constant"),
    );
    assert_eq!(ints(&model, 1), pads);
    assert_eq!(float(&model, 2).1, [0.5]);
    assert_eq!(model.nodes()[0].find_attr("mode").unwrap().s(), b"constant");
    assert_eq!(raised(10, pad).nodes()[0].input.len(), 2);
    let slice = node("Slice", "image", "scores").attr_ints("starts", &[1, 0]);
    let slice = slice.attr_ints("ends", &[9, -1]).attr_ints("axes", &[2, 3]);
    let model = raised(9, slice);
    assert_eq!(
        [1, 2, 3].map(|i| ints(&model, i)),
        [[1, 0], [9, -1], [2, 3]]
    );
    for op in ["Squeeze", "Unsqueeze", "ReduceSum"] {
        let model = raised(12, node(op, "image", "scores").attr_ints("axes", &[2]));
        assert_eq!(ints(&model, 1), [2], "{op}");
    }
    let split = node("Split", "image", "scores rest").attr_ints("split", &[1, 2]);
    let model = raised(11, split.attr_int("axis", 1));
    assert_eq!(ints(&model, 1), [1, 2]);
    assert_eq!(model.nodes()[0].int("axis"), Some(1));
}

#[test]
fn dropout_of_opset_7_is_removed() {
    let nodes = vec![
        node("Exp", "image", "e"),
        node("Dropout", "e", "scores mask").attr_float("ratio", 0.5),
    ];
    let mut model = model(7, &[3], nodes, &[3]);
    canonical(&mut model, None).unwrap();
    assert_eq!(shown(&model), ["Exp(image)->scores"]);
}

#[test]
fn softmax_of_opset_11_keeps_its_result() {
    let soft = |op: &str, axis: Option<i64>, scores: &[usize], after: &[NodeProto]| {
        let output = if after.is_empty() { "scores" } else { "s" };
        let mut soft = node(op, "image", output);
        if let Some(axis) = axis {
            soft = soft.attr_int("axis", axis);
        }
        let nodes = [&[soft][..], after].concat();
        let mut model = model(11, &[3, 4, 4], nodes, scores);
        canonical(&mut model, None).unwrap();
        crate::check(&model).unwrap();
        model
    };
    // The default axis is 1 in opset 11 and -1 in 13, so the attribute is added.
    let model = soft("Softmax", None, &[3], &[]);
    assert_eq!(shown(&model), ["Softmax(image)->scores"]);
    assert_eq!(model.nodes()[0].int("axis"), Some(1));
    let model = soft("Softmax", Some(-1), &[3, 4, 4], &[]);
    assert_eq!(model.nodes()[0].int("axis"), Some(-1));
    // Inside a network, Flatten and Reshape are added.
    for (op, axis) in [("Softmax", None), ("LogSoftmax", Some(2))] {
        let model = soft(op, axis, &[3], &[node("Exp", "s", "scores")]);
        let expected = [
            "Shape(image)->s.shape".to_owned(),
            "Flatten(image)->s.rows".to_owned(),
            format!("{op}(s.rows)->s.soft"),
            "Reshape(s.soft,s.shape)->s".to_owned(),
            "Exp(s)->scores".to_owned(),
        ];
        assert_eq!(shown(&model), expected);
        assert_eq!(model.nodes()[1].int("axis"), Some(axis.unwrap_or(1)));
        assert_eq!(model.nodes()[2].int("axis"), Some(-1));
    }
    let out_of_range = soft("Softmax", Some(7), &[3], &[]);
    assert_eq!(
        out_of_range.nodes()[1].int("axis"),
        Some(7),
        "left to the runtime"
    );
}

#[test]
fn opset_13_and_later_stay() {
    for opset in [13, 21, 28] {
        let mut model = model(opset, &[3], vec![node("Softmax", "image", "scores")], &[3]);
        let before = model.clone();
        canonical(&mut model, None).unwrap();
        assert_eq!(model, before);
    }
}

#[test]
fn removed_operator_is_error_with_node_name() {
    let mut old = model(9, &[3], vec![node("Upsample", "image", "scores")], &[3]);
    assert_eq!(
        canonical(&mut old, None).unwrap_err().to_string(),
        "node `scores`: Upsample was removed from the standard operators; export the model with opset version 13 or later"
    );
}

#[test]
fn softmax_of_opset_11_uses_the_axis_of_the_classes() {
    let axis = |op: &str, scores: &[usize]| {
        let mut model = model(11, &[3, 4, 4], vec![node(op, "image", "scores")], scores);
        canonical(&mut model, None).unwrap();
        (model.nodes().len() == 1).then(|| model.nodes()[0].int("axis"))
    };
    for op in ["Softmax", "LogSoftmax", "Hardmax"] {
        assert_eq!(axis(op, &[1, 5]), Some(Some(2)));
        assert_eq!(axis(op, &[5, 1]), Some(Some(1)));
        assert_eq!(axis(op, &[1, 1]), Some(Some(1)));
        assert_eq!(axis(op, &[2, 5]), None, "{op} of several axes is flattened");
    }
}

#[test]
fn inferred_shape_gives_softmax_axis() {
    let nodes = vec![
        node("Exp", "image", "e"),
        node("Softmax", "e", "s"),
        node("Exp", "s", "scores"),
    ];
    let mut model = model(11, &[3, 4, 4], nodes, &[3]);
    let infer = |_: &Model| Shapes::from([("e".to_owned(), vec![1, 1, 5])]);
    raise(&mut model, &infer).unwrap();
    assert_eq!(model.nodes()[1].int("axis"), Some(2));
}

#[test]
fn resize_of_opset_10_has_its_defaults_written_out() {
    let resize = node("Resize", "image scales", "scores").attr_str("mode", "nearest");
    let mut model = model(10, &[3, 4, 4], vec![resize], &[3, 8, 8]);
    model.set_initializer_f32("scales", &[4], &[1.0, 1.0, 2.0, 2.0]);
    canonical(&mut model, None).unwrap();
    let resize = &model.nodes()[0];
    assert_eq!(resize.input, ["image", "", "scales"]);
    let text = |name: &str| resize.find_attr(name).unwrap().s().to_vec();
    assert_eq!(text("coordinate_transformation_mode"), b"asymmetric");
    assert_eq!(text("nearest_mode"), b"floor");
}

#[test]
fn count_of_top_k_becomes_input() {
    let model = raised(9, node("TopK", "image", "scores places").attr_int("k", 2));
    assert_eq!(ints(&model, 1), [2]);
    assert!(model.nodes()[0].attribute.is_empty());
}

#[test]
fn bound_in_half_precision_has_its_type() {
    let clip = node("Clip", "image", "scores").attr_float("max", 6.0);
    let mut model = model(9, &[3], vec![clip], &[3]);
    let graph = model.graph_mut();
    graph.input = vec![crate::fixture::small::port(
        "image",
        DataType::Float16,
        &[3],
    )];
    canonical(&mut model, None).unwrap();
    let bound = model
        .initializer::<f16>(&model.nodes()[0].input[2])
        .unwrap();
    assert_eq!(bound.1, [f16::from_f32(6.0)]);
}
