use super::*;
use crate::canonical;
use crate::fixture::small::{model, node, shown, truth};

fn with(nodes: Vec<NodeProto>) -> Model {
    let mut model = model(13, &[3], nodes, &[3]);
    model.set_initializer_f32("ratio", &[], &[0.5]);
    model.graph_mut().initializer.push(truth("yes", true));
    model.graph_mut().initializer.push(truth("no", false));
    model
}

fn becomes(nodes: Vec<NodeProto>, expect: &[&str]) {
    let mut model = with(nodes);
    canonical(&mut model, None).unwrap();
    assert_eq!(shown(&model), expect);
}

#[test]
fn identity_dropout_and_sum_of_one_are_removed() {
    for op in ["Identity", "Dropout", "Sum"] {
        let nodes = vec![
            node("Exp", "image", "e"),
            node(op, "e", "i"),
            node(op, "i", "j"),
            node("Tanh", "j", "t"),
            node(op, "t", "scores"),
        ];
        becomes(nodes, &["Exp(image)->e", "Tanh(e)->scores"]);
    }
    becomes(
        vec![
            node("Exp", "image", "e"),
            node("Dropout", "e ratio no", "scores"),
        ],
        &["Exp(image)->scores"],
    );
}

#[test]
fn dropout_with_read_mask_and_identity_of_input_stay() {
    becomes(
        vec![node("Identity", "image", "scores")],
        &["Identity(image)->scores"],
    );
    let nodes = vec![
        node("Dropout", "image", "d mask"),
        node("Cast", "mask", "m").attr_int("to", 1),
        node("Mul", "d m", "scores"),
    ];
    let mut model = with(nodes);
    canonical(&mut model, None).unwrap();
    assert_eq!(model.nodes()[0].op_type(), "Dropout");
    assert_eq!(model.nodes()[0].output, ["d", "mask"]);
    crate::check(&model).unwrap();
}

#[test]
fn training_mode_is_error() {
    let refused = |nodes: Vec<NodeProto>, operator: &str| {
        let error = canonical(&mut with(nodes), None).unwrap_err();
        let expect = format!(
            "node `scores`: {operator} is in training_mode: its output depends on the batch or on random numbers; export the model in evaluation mode"
        );
        assert_eq!(error.to_string(), expect);
    };
    refused(
        vec![node("Dropout", "image ratio yes", "scores")],
        "Dropout",
    );
    let norm = node(
        "BatchNormalization",
        "image ratio ratio ratio ratio",
        "scores",
    );
    refused(
        vec![norm.attr_int("training_mode", 1)],
        "BatchNormalization",
    );
}

#[test]
fn repeated_relu_becomes_one() {
    let nodes = vec![
        node("Relu", "image", "a"),
        node("Relu", "a", "b"),
        node("Relu", "b", "scores"),
    ];
    becomes(nodes, &["Relu(image)->scores"]);
    let nodes = vec![node("Relu", "_", "a"), node("Relu", "a", "scores")];
    becomes(nodes, &["Relu()->a", "Relu(a)->scores"]);
    becomes(
        vec![node("Sum", "image image", "scores")],
        &["Add(image,image)->scores"],
    );
}
