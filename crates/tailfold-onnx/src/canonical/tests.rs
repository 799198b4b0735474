use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::fixture;
use crate::fixture::small::{model as small, node};
use crate::proto::{
    AttributeProto, AttributeType, DataType, Dimension, NodeProto, TensorProto, ValueInfoProto,
};

/// A typical third-party export: Conv without a bias, BatchNormalization, and a head of MatMul and Add.
fn third_party(opset: i64) -> Model {
    let tensor = |name: &str, dims: &[usize]| {
        let mut shape = vec![Dimension::symbol("N")];
        shape.extend(dims.iter().map(|&d| Dimension::fixed(d)));
        ValueInfoProto::tensor(name, DataType::Float, shape)
    };
    let constant = AttributeProto {
        t: Some(TensorProto::new("", &[2], &[2.0_f32, 3.0])),
        ..AttributeProto::named("value", AttributeType::Tensor)
    };
    let graph = GraphProto {
        input: vec![tensor("image", &[1, 4, 3])],
        output: vec![tensor("probability", &[3]), tensor("feature", &[2])],
        node: vec![
            NodeProto::new("Constant", "gamma", [""; 0], ["gamma"]).attr(constant),
            NodeProto::new("Conv", "conv", ["image", "w"], ["c"]),
            NodeProto::new(
                "BatchNormalization",
                "norm",
                ["c", "gamma", "beta", "mean", "var"],
                ["n"],
            )
            .attr_float("epsilon", 1.0),
            NodeProto::new("Relu", "relu", ["n"], ["r"]),
            NodeProto::new("Dropout", "dropout", ["r"], ["d"]),
            NodeProto::new("GlobalAveragePool", "pool", ["d"], ["p"]),
            NodeProto::new("Squeeze", "squeeze", ["p"], ["s"]).attr_ints("axes", &[2, 3]),
            NodeProto::new("Identity", "identity", ["s"], ["feature"]),
            NodeProto::new("MatMul", "matmul", ["s", "head"], ["m"]),
            NodeProto::new("Add", "add", ["bias", "m"], ["a"]),
            NodeProto::new("Softmax", "softmax", ["a"], ["probability"]),
        ],
        ..GraphProto::default()
    };
    let mut model = Model::from_graph(graph, 6, opset);
    model.set_initializer_f32("w", &[2, 1, 1, 1], &[0.5, -1.0]);
    model.set_initializer_f32("beta", &[2], &[1.0, -1.0]);
    model.set_initializer_f32("mean", &[2], &[4.0, 6.0]);
    model.set_initializer_f32("var", &[2], &[3.0, 8.0]);
    model.set_initializer_f32("head", &[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    model.set_initializer_f32("bias", &[3], &[7.0, 8.0, 9.0]);
    model.set_initializer_f32("unused", &[1], &[0.0]);
    model
}

fn refused(mut model: Model, expect: &str) {
    let error = canonical(&mut model, Some("probability")).unwrap_err();
    assert_eq!(error.to_string(), expect);
}

#[test]
fn third_party_classifier_gets_canonical_form() {
    for opset in [11, 13, 21] {
        let mut model = third_party(opset);
        if opset > 11 {
            model.graph_mut().node[6] = NodeProto::new("Squeeze", "squeeze", ["p", "axes"], ["s"]);
            model.set_initializer("axes", &[2], &[2_i64, 3]);
        }
        canonical(&mut model, Some("probability")).unwrap();
        crate::check(&model).unwrap();
        let ops: Vec<_> = model.nodes().iter().map(|n| n.op_type()).collect();
        assert_eq!(
            ops,
            [
                "Conv",
                "Relu",
                "GlobalAveragePool",
                "Squeeze",
                "Gemm",
                "Softmax"
            ]
        );
        assert_eq!(model.opset(), Some(opset.max(13)));
        // gamma / sqrt(var + 1) is 1 and 1.
        assert_eq!(model.initializer_f32("w").unwrap().1, [0.5, -1.0]);
        assert_eq!(model.initializer_f32("conv.bias").unwrap().1, [-3.0, -7.0]);
        let gemm = model.node("matmul").unwrap();
        assert_eq!(gemm.input, ["s", "head", "bias"]);
        assert_eq!(gemm.int("transB"), Some(1));
        let (shape, weight) = model.initializer_f32("head").unwrap();
        assert_eq!(shape, [3, 2]);
        assert_eq!(weight, [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
        assert!(model.graph().find_initializer("unused").is_none());
        let again = model.clone();
        canonical(&mut model, None).unwrap();
        assert_eq!(model, again);
    }
}

#[test]
fn model_in_canonical_form_stays() {
    let mut model = fixture::model(fixture::COSINE);
    canonical(&mut model, None).unwrap();
    assert_eq!(model, fixture::model(fixture::COSINE));
}

#[test]
fn output_is_selected_by_name() {
    let mut model = third_party(11);
    let error = canonical(&mut model.clone(), None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the graph has 2 outputs (probability, feature)"
    );
    let error = canonical(&mut model.clone(), Some("logits")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the graph has no output `logits`, it has probability, feature"
    );
    canonical(&mut model, Some("feature")).unwrap();
    assert_eq!(model.nodes().last().unwrap().output, ["feature"]);
    assert!(model.graph().find_initializer("head").is_none());
}

#[test]
fn shared_weight_is_copied_before_folding() {
    let mut model = third_party(13);
    let graph = model.graph_mut();
    graph.node.truncate(6);
    graph
        .node
        .push(NodeProto::new("Conv", "other", ["d", "w"], ["probability"]));
    canonical(&mut model, Some("probability")).unwrap();
    assert_eq!(model.node("other").unwrap().input[1], "w");
    let mut model = third_party(13);
    model.set_initializer_f32("var", &[2], &[15.0, 8.0]);
    let graph = model.graph_mut();
    graph.node.truncate(6);
    graph
        .node
        .push(NodeProto::new("Conv", "other", ["image", "w"], ["o"]));
    graph
        .node
        .push(NodeProto::new("Add", "sum", ["d", "o"], ["probability"]));
    canonical(&mut model, Some("probability")).unwrap();
    assert_eq!(model.node("conv").unwrap().input[1], "w.2");
    assert_eq!(model.initializer_f32("w").unwrap().1, [0.5, -1.0]);
    assert_eq!(model.initializer_f32("w.2").unwrap().1, [0.25, -1.0]);
}

#[test]
fn opset_and_parameter_errors_name_the_place() {
    refused(
        third_party(6),
        "the model uses version 6 of the standard operators, expected 7 to 28",
    );
    refused(
        third_party(29),
        "the model uses version 29 of the standard operators, expected 7 to 28",
    );
    let with = |name: &str, values: &[f32]| {
        let mut model = third_party(11);
        model.set_initializer_f32(name, &[values.len()], values);
        model
    };
    refused(
        with("var", &[1.0, -2.0]),
        "node `norm`: the variance of channel 1 is -2",
    );
    refused(
        with("mean", &[1.0; 3]),
        "node `norm`: `mean` has 3 values, the convolution before it has 2 channels",
    );
    refused(
        with("beta", &[0.0, f32::INFINITY]),
        "node `norm`: folded into `conv.bias`, channel 1 is not finite",
    );
}

proptest! {
    #[test]
    fn damaged_graphs_never_panic(
        changes in prop::collection::vec((0.0_f64..1.0, any::<u8>()), 1..4),
        opset in prop::sample::select(vec![11, 13]),
    ) {
        let mut bytes = third_party(opset).to_bytes();
        for (place, byte) in changes {
            let last = bytes.len() - 1;
            #[expect(clippy::cast_possible_truncation, reason = "a position below the length")]
            let at = (place * last as f64) as usize;
            bytes[at] = byte;
        }
        if let Ok(mut model) = Model::from_bytes(&bytes, "damaged")
            && crate::check_structure(&model).is_ok()
        {
            let _ = canonical(&mut model, Some("probability"));
        }
    }
}

#[test]
fn shared_weight_is_transposed_once() {
    let nodes = vec![
        node("Flatten", "image", "rows"),
        node("MatMul", "rows w", "a"),
        node("MatMul", "rows w", "b"),
        node("Add", "a b", "scores"),
    ];
    let mut model = small(13, &[2, 1, 1], nodes, &[3]);
    model.set_initializer_f32("w", &[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    canonical(&mut model, None).unwrap();
    let gemms = model.nodes().iter().filter(|n| n.is("Gemm"));
    let weights: BTreeSet<&str> = gemms.map(|n| n.input[1].as_str()).collect();
    assert_eq!(weights, BTreeSet::from(["w.2"]));
    assert_eq!(model.graph().initializer.len(), 1);
    let (shape, values) = model.initializer_f32("w.2").unwrap();
    assert_eq!(
        (shape, values),
        (vec![3, 2], vec![1.0, 4.0, 2.0, 5.0, 3.0, 6.0])
    );
}

#[test]
fn shared_weight_has_one_copy_per_alpha() {
    let nodes = [1.0, 2.0, 2.0].iter().zip(["a", "b", "c"]);
    let mut nodes: Vec<NodeProto> = nodes
        .map(|(&alpha, y)| node("Gemm", "rows w", y).attr_float("alpha", alpha))
        .collect();
    nodes.insert(0, node("Flatten", "image", "rows"));
    nodes.push(node("Sum", "a b c", "scores"));
    let mut model = small(13, &[2, 1, 1], nodes, &[3]);
    model.set_initializer_f32("w", &[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    canonical(&mut model, None).unwrap();
    let gemms: Vec<&NodeProto> = model.nodes().iter().filter(|n| n.is("Gemm")).collect();
    let weight = |i: usize| model.initializer_f32(&gemms[i].input[1]).unwrap().1;
    assert_eq!(weight(0), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    assert_eq!(weight(1), [2.0, 8.0, 4.0, 10.0, 6.0, 12.0]);
    assert_eq!(gemms[1].input[1], gemms[2].input[1]);
    assert_eq!(model.graph().initializer.len(), 2);
}

#[test]
fn row_that_is_added_does_not_make_a_vector_a_matrix() {
    let operators = |dims: &[usize]| {
        let nodes = vec![
            node("Exp", "image", "v"),
            node("MatMul", "v w", "m"),
            node("Add", "m b", "scores"),
        ];
        let mut model = small(13, &[2, 1, 1], nodes, &[3]);
        model.set_initializer_f32("w", &[2, 3], &[1.0; 6]);
        model.set_initializer_f32("b", dims, &[1.0; 3]);
        canonical(&mut model, None).unwrap();
        model.nodes().len()
    };
    assert_eq!(operators(&[1, 3]), 3, "the product may be a vector");
    assert_eq!(
        operators(&[3]),
        2,
        "the sum is a matrix only if the product is one"
    );
}
