use tailfold_onnx::proto::{
    DataType, Dimension, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, ValueInfoProto,
};

use super::*;
use crate::affine::ActivationParams;
use crate::qdq::insert_qdq;

/// A block with an option-A shortcut: stem, relu, conv, shortcut through Slice and Pad, add, pool, flatten, head.
fn block() -> Model {
    let mut graph = GraphProto {
        name: Some("block".to_owned()),
        ..GraphProto::default()
    };
    let shape = |dims: &[usize]| {
        dims.iter()
            .map(|&d| Dimension::fixed(d))
            .collect::<Vec<_>>()
    };
    graph.input.push(ValueInfoProto::tensor(
        "image",
        DataType::Float,
        shape(&[1, 2, 5, 4]),
    ));
    graph.output.push(ValueInfoProto::tensor(
        "logits",
        DataType::Float,
        shape(&[1, 3]),
    ));
    graph.node = vec![
        NodeProto::new(
            "Conv",
            "stem",
            ["image", "stem.weight", "stem.bias"],
            ["stem"],
        ),
        NodeProto::new("Relu", "relu", ["stem"], ["relu"]),
        NodeProto::new(
            "Conv",
            "conv",
            ["relu", "conv.weight", "conv.bias"],
            ["conv"],
        ),
        NodeProto::new("Slice", "slice", ["relu", "starts", "ends"], ["slice"]),
        NodeProto::new("Pad", "pad", ["slice", "pads"], ["pad"]),
        NodeProto::new("Add", "add", ["conv", "pad"], ["add"]),
        NodeProto::new("GlobalAveragePool", "pool", ["add"], ["pool"]),
        NodeProto::new("Flatten", "flatten", ["pool"], ["feature"]),
        NodeProto::new(
            "Gemm",
            "head",
            ["feature", "head.weight", "head.bias"],
            ["logits"],
        )
        .attr_int("transB", 1),
    ];
    let proto = ModelProto {
        graph: Some(graph),
        opset_import: vec![OperatorSetIdProto {
            domain: None,
            version: Some(17),
        }],
        ..ModelProto::default()
    };
    let mut model = Model::from_proto(proto, "block").unwrap();
    model.set_initializer("starts", &[2], &[0_i64, 0]);
    model.set_initializer("ends", &[2], &[5_i64, 4]);
    model.set_initializer("pads", &[8], &[0_i64, 1, 0, 0, 0, 1, 0, 0]);
    model.set_initializer_f32("stem.weight", &[2, 2, 1, 1], &[1.0, -2.0, 0.5, 0.25]);
    model.set_initializer_f32("stem.bias", &[2], &[0.1, 0.2]);
    model.set_initializer_f32("conv.weight", &[4, 2, 1, 1], &[1.0; 8]);
    model.set_initializer_f32("conv.bias", &[4], &[0.0; 4]);
    model.set_initializer_f32("head.weight", &[3, 4], &[1.0; 12]);
    model.set_initializer_f32("head.bias", &[3], &[7.0, 8.0, 9.0]);
    model
}

/// The block with the same parameters for every activation.
fn quantized_block() -> Model {
    let mut model = block();
    let region = find_region(&model, &BTreeSet::new()).unwrap();
    let params = ActivationParams {
        scale: 0.5,
        zero_point: 3,
    };
    let tensors = region.observed.iter().chain(region.derived.keys());
    let params = tensors.map(|t| (t.clone(), params)).collect();
    insert_qdq(&mut model, &region, &params).unwrap();
    model
}

#[test]
fn moved_values_share_the_codes_of_their_source() {
    let region = find_region(&block(), &BTreeSet::new()).unwrap();
    assert_eq!(region.weighted, [0, 2, 8]);
    assert_eq!(region.observed, ["image", "relu", "conv", "add", "pool"]);
    let derived: Vec<_> = region
        .derived
        .iter()
        .map(|(d, s)| (d.as_str(), s.as_str()))
        .collect();
    assert_eq!(
        derived,
        [("feature", "pool"), ("pad", "slice"), ("slice", "relu")]
    );
}

#[test]
fn a_skipped_head_keeps_its_input_in_float() {
    let region = find_region(&block(), &BTreeSet::from(["head".to_owned()])).unwrap();
    assert_eq!(region.weighted, [0, 2]);
    assert!(!region.observed.contains(&"pool".to_owned()));
}

#[test]
fn what_is_quantized_cannot_be_quantized_again() {
    let model = quantized_block();
    let error = find_region(&model, &BTreeSet::new()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the model is already quantized: node `image.quantize` is a QuantizeLinear"
    );
}

#[test]
fn qdq_leaves_biases_and_logits_in_float() {
    let model = quantized_block();
    tailfold_onnx::check(&model).unwrap();
    assert_eq!(
        model.initializer_f32("head.bias").unwrap().1,
        [7.0, 8.0, 9.0]
    );
    assert_eq!(
        model.node("head").unwrap().input,
        ["feature.dequantized", "head.weight", "head.bias"]
    );
    assert_eq!(model.node("head").unwrap().output, ["logits"]);
    assert_eq!(
        model.node("add").unwrap().input,
        ["conv.dequantized", "pad.dequantized"]
    );
    assert_eq!(model.node("slice").unwrap().input[0], "relu.dequantized");
    // Relu reads the convolution as it is: no codes between the two.
    assert_eq!(model.node("relu").unwrap().input, ["stem"]);
    let (shape, codes) = model.initializer::<i8>("stem.weight.codes").unwrap();
    assert_eq!((shape, codes), (vec![2, 2, 1, 1], vec![64, -127, 127, 64]));
    assert_eq!(
        model.initializer_f32("stem.weight.scale").unwrap().1,
        [2.0 / 127.0, 0.5 / 127.0]
    );
    assert!(model.initializer_f32("stem.weight").is_err());
}

#[test]
fn a_graph_without_weights_is_refused() {
    let mut model = block();
    model.graph_mut().initializer.clear();
    let error = find_region(&model, &BTreeSet::new()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the model has no Conv or Gemm with constant weights"
    );
}

#[test]
fn an_addition_of_a_constant_stays_in_float() {
    let mut model = block();
    model.set_initializer_f32("epsilon", &[], &[1e-12]);
    let graph = model.graph_mut();
    graph.node[8].input[0] = "moved".to_owned();
    graph.node.insert(
        8,
        NodeProto::new("Add", "move", ["feature", "epsilon"], ["moved"]),
    );
    let region = find_region(&model, &BTreeSet::new()).unwrap();
    assert!(!region.consumers.contains(&8));
    assert!(!region.observed.contains(&"pool".to_owned()));
    assert!(region.observed.contains(&"moved".to_owned()));
}
