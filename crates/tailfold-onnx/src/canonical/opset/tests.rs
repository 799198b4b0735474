use super::*;
use crate::canonical;
use crate::fixture::small::{model, node, shown};

/// Node `scores` of version `opset` in canonical form.
fn raised(opset: i64, node: NodeProto) -> Model {
    let mut model = model(opset, &[3, 4, 4], vec![node], &[3, 4, 4]);
    canonical(&mut model, None).unwrap();
    crate::check(&model).unwrap();
    assert_eq!(model.opset(), Some(13));
    assert!(model.ir_version() >= 7);
    model
}

/// Integers of input `index` of the last node.
fn ints(model: &Model, index: usize) -> Vec<i64> {
    let name = &model.nodes().last().unwrap().input[index];
    model.initializer::<i64>(name).unwrap().1
}

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
fn dropout_of_old_versions_does_nothing() {
    let nodes = vec![
        node("Exp", "image", "e"),
        node("Dropout", "e", "scores mask").attr_float("ratio", 0.5),
    ];
    let mut model = model(7, &[3], nodes, &[3]);
    canonical(&mut model, None).unwrap();
    assert_eq!(shown(&model), ["Exp(image)->scores"]);
}

#[test]
fn softmax_keeps_its_meaning() {
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
    // The default axis was 1 and is -1: it is written out.
    let model = soft("Softmax", None, &[3], &[]);
    assert_eq!(shown(&model), ["Softmax(image)->scores"]);
    assert_eq!(model.nodes()[0].int("axis"), Some(1));
    let model = soft("Softmax", Some(-1), &[3, 4, 4], &[]);
    assert_eq!(model.nodes()[0].int("axis"), Some(-1));
    // Inside of a network the flattening is written out.
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
    let model = soft("Softmax", Some(1), &[3], &[node("Flatten", "s", "scores")]);
    assert_eq!(shown(&model), ["Softmax(image)->s", "Flatten(s)->scores"]);
    let out_of_range = soft("Softmax", Some(7), &[3], &[]);
    assert_eq!(
        out_of_range.nodes()[1].int("axis"),
        Some(7),
        "for the runtime"
    );
}

#[test]
fn newer_versions_stay() {
    for opset in [13, 21, 28] {
        let mut model = model(opset, &[3], vec![node("Softmax", "image", "scores")], &[3]);
        let before = model.clone();
        canonical(&mut model, None).unwrap();
        assert_eq!(model, before);
    }
}

#[test]
fn removed_operators_are_named() {
    let mut old = model(9, &[3], vec![node("Upsample", "image", "scores")], &[3]);
    assert_eq!(
        canonical(&mut old, None).unwrap_err().to_string(),
        "node `scores`: Upsample left the standard operators; export the model with version 13 or later"
    );
}
