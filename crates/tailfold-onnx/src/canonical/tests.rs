use proptest::prelude::*;

use super::*;
use crate::fixture;
use crate::proto::{
    AttributeProto, AttributeType, DataType, Dimension, NodeProto, TensorProto, ValueInfoProto,
};

/// A classifier as others export it: a convolution without bias, its normalisation, and a head of MatMul and Add.
fn foreign(opset: i64) -> Model {
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
fn a_foreign_classifier_gets_our_form() {
    for opset in [11, 13, 21] {
        let mut model = foreign(opset);
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
fn models_of_ours_stay_as_they_are() {
    let mut model = fixture::model(fixture::COSINE);
    canonical(&mut model, None).unwrap();
    assert_eq!(model, fixture::model(fixture::COSINE));
}

#[test]
fn an_output_is_chosen_by_name() {
    let mut model = foreign(11);
    let error = canonical(&mut model.clone(), None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the graph has 2 outputs (probability, feature): choose one with `--output`"
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
fn what_is_shared_is_not_overwritten() {
    let mut model = foreign(13);
    let graph = model.graph_mut();
    graph.node.truncate(6);
    graph
        .node
        .push(NodeProto::new("Conv", "other", ["d", "w"], ["probability"]));
    canonical(&mut model, Some("probability")).unwrap();
    assert_eq!(model.node("other").unwrap().input[1], "w");
    let mut model = foreign(13);
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
fn what_cannot_be_folded_is_named() {
    refused(
        foreign(6),
        "the model uses version 6 of the standard operators, expected 7 to 28",
    );
    refused(
        foreign(29),
        "the model uses version 29 of the standard operators, expected 7 to 28",
    );
    let with = |name: &str, values: &[f32]| {
        let mut model = foreign(11);
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
    fn damaged_graphs_are_refused_or_rewritten_but_never_panic(
        changes in prop::collection::vec((0.0_f64..1.0, any::<u8>()), 1..4),
        opset in prop::sample::select(vec![11, 13]),
    ) {
        let mut bytes = foreign(opset).to_bytes();
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
