use proptest::prelude::*;
use tailfold_onnx::proto::{
    DataType, Dimension, GraphProto, ModelProto, OperatorSetIdProto, ValueInfoProto,
};
use tailfold_onnx::{Model, NoLastBias};

use super::*;
use crate::images::CalibrationSet;
use crate::logits::logits;
use crate::prepared::PreparedImages;

/// Returns a model with three classes over images `[1, 2, 3, 4]`: a Gemm called `head`, and `tail` behind it.
///
/// The nodes of `tail` read `head` and the constants `scalar`, `row`, `axes` and `matrix`; the last node
/// produces the logits.
fn network(tail: &[NodeProto]) -> FloatModel {
    let mut nodes = vec![
        node("GlobalAveragePool", &["image"], "pool"),
        node("Flatten", &["pool"], "feature").attr_int("axis", 1),
        node("Gemm", &["feature", "w", "b"], "head").attr_int("transB", 1),
    ];
    nodes.extend_from_slice(tail);
    of_nodes(nodes)
}

fn node(op: &str, from: &[&str], to: &str) -> NodeProto {
    NodeProto::new(op, to, from.to_vec(), [to])
}

fn of_nodes(nodes: Vec<NodeProto>) -> FloatModel {
    let port = |name: &str, dims: &[usize]| {
        let dims = dims.iter().map(|&d| Dimension::fixed(d)).collect();
        ValueInfoProto::tensor(name, DataType::Float, dims)
    };
    let output = nodes.last().unwrap().output[0].clone();
    let proto = ModelProto {
        ir_version: Some(8),
        graph: Some(GraphProto {
            name: Some("small".to_owned()),
            input: vec![port("image", &[1, 2, 3, 4])],
            output: vec![port(&output, &[1, 3])],
            node: nodes,
            ..GraphProto::default()
        }),
        opset_import: vec![OperatorSetIdProto {
            domain: None,
            version: Some(17),
        }],
        ..ModelProto::default()
    };
    let mut model = Model::from_proto(proto, "small").unwrap();
    model.set_initializer_f32("w", &[3, 2], &[1.0, -2.0, 0.5, 1.5, -1.0, 0.25]);
    model.set_initializer_f32("turned", &[2, 3], &[1.0, 0.5, -1.0, -2.0, 1.5, 0.25]);
    model.set_initializer_f32("b", &[3], &[0.1, -0.2, 0.3]);
    model.set_initializer_f32("scalar", &[], &[-2.5]);
    model.set_initializer_f32("row", &[1, 3], &[0.5, 2.0, 4.0]);
    model.set_initializer("axes", &[2], &[2_i64, 3]);
    model.set_initializer("matrix", &[2], &[-1_i64, 3]);
    FloatModel::from_bytes(&model.to_bytes(), "small").unwrap()
}

fn answers(float: &FloatModel, model: &Model) -> Vec<f32> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("images.f32");
    let values = (0..48_u8).flat_map(|i| (f32::from(i % 7) * 0.3 - 0.8).to_le_bytes());
    std::fs::write(&file, values.collect::<Vec<u8>>()).unwrap();
    let set = CalibrationSet::prepared(PreparedImages::open(&file, float.input_shape()).unwrap());
    let logits = logits(model, "small", &set, &|| {}).unwrap();
    // Softmax does not depend on the mean of a row.
    let rows = logits.rows();
    rows.flat_map(|r| r.iter().map(move |v| v - r.iter().sum::<f32>() / 3.0))
        .collect()
}

/// Panics unless the last bias shifts the logits of `float` by `shifts`.
#[track_caller]
fn check_shifted(float: &FloatModel, shifts: [f64; 3]) {
    let mut model = float.model().clone();
    let before = answers(float, &model);
    float
        .last_bias()
        .unwrap()
        .unwrap()
        .shift(&mut model, &shifts)
        .unwrap();
    for (i, after) in answers(float, &model).iter().enumerate() {
        let moved = f64::from(after - before[i]);
        assert!(
            (moved - shifts[i % 3]).abs() < 1e-4,
            "{i}: {moved} {shifts:?}"
        );
    }
}

/// Returns a chain of operators behind `head` `[1, 3]`, one or more for each number in `kinds`.
fn tail(kinds: &[u8]) -> Vec<NodeProto> {
    let mut nodes: Vec<NodeProto> = Vec::new();
    let mut value = "head".to_owned();
    for (index, kind) in kinds.iter().enumerate() {
        let [first, name] = [format!("first{index}"), format!("value{index}")];
        let of = |op: &str, from: &[&str]| vec![node(op, from, &name)];
        nodes.extend(match kind {
            0 => of("Mul", &[&value, "scalar"]),
            1 => of("Div", &[&value, "scalar"]),
            2 => of("Mul", &["row", &value]),
            3 => of("Div", &[&value, "row"]),
            4 => of("Sub", &["scalar", &value]),
            5 => of("Sub", &[&value, "row"]),
            6 => of("Add", &["row", &value]),
            7 => of("Identity", &[&value]),
            8 => vec![
                node("Unsqueeze", &[&value, "axes"], &first),
                node("Squeeze", &[&first, "axes"], &name),
            ],
            9 => vec![
                node("Unsqueeze", &[&value, "axes"], &first),
                node("Transpose", &[&first], &format!("{first}.last"))
                    .attr_ints("perm", &[0, 2, 3, 1]),
                node("Reshape", &[&format!("{first}.last"), "matrix"], &name),
            ],
            _ => of("Flatten", &[&value]),
        });
        value = name;
    }
    nodes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn last_bias_shifts_logits_through_linear_operators(kinds in prop::collection::vec(0_u8..11, 0..5)) {
        check_shifted(&network(&tail(&kinds)), [0.5, -0.125, -0.375]);
    }
}

#[test]
fn last_bias_shifts_log_probabilities() {
    for last in ["Softmax", "LogSoftmax"] {
        let tempered = [
            node("Div", &["head", "scalar"], "cool"),
            node(last, &["cool"], "answer"),
        ];
        check_shifted(&network(&tempered), [0.5, -0.125, -0.375]);
    }
    let scaled = [
        node("LogSoftmax", &["head"], "log"),
        node("Mul", &["log", "scalar"], "answer"),
    ];
    check_shifted(&network(&scaled), [0.5, -0.125, -0.375]);
}

#[test]
fn matmul_head_is_shifted_by_the_constant_added_to_it() {
    let pooled = |tail: &[NodeProto]| {
        let nodes = [
            node("GlobalAveragePool", &["image"], "pool"),
            node("Flatten", &["pool"], "feature").attr_int("axis", 1),
            node("MatMul", &["feature", "turned"], "product"),
        ];
        of_nodes([&nodes, tail].concat())
    };
    // The temperature keeps the Add from being merged with the MatMul to a Gemm.
    let added = pooled(&[
        node("Mul", &["product", "scalar"], "warm"),
        node("Add", &["warm", "row"], "answer"),
    ]);
    check_shifted(&added, [0.5, -0.125, -0.375]);
}

#[test]
fn constant_behind_a_nonlinear_operator_is_shifted() {
    check_shifted(
        &network(&[
            node("Relu", &["head"], "relu"),
            node("Sub", &["relu", "row"], "answer"),
        ]),
        [0.5, -0.125, -0.375],
    );
}

#[test]
fn missing_bias_names_the_node_and_operator_in_between() {
    for (op, last) in [
        ("Relu", node("Relu", &["head"], "answer")),
        ("Div", node("Div", &["row", "head"], "answer")),
        ("Add", node("Add", &["head", "head"], "answer")),
        ("Mul", node("Mul", &["head", "head"], "answer")),
    ] {
        let found = network(&[last]).last_bias().unwrap();
        let expected = NoLastBias {
            node: "answer".to_owned(),
            operator: op.to_owned(),
        };
        assert_eq!(found, Err(LeftOut::NoBias(expected)));
    }
    let mixed = [
        node("Softmax", &["head"], "shares"),
        node("Mul", &["shares", "scalar"], "answer"),
    ];
    assert!(
        network(&mixed).last_bias().unwrap().is_err(),
        "scaled probabilities are not logits"
    );
    let rows = [
        node("LogSoftmax", &["head"], "log"),
        node("Mul", &["log", "row"], "answer"),
    ];
    assert!(
        network(&rows).last_bias().unwrap().is_err(),
        "the normalisation common to all classes is scaled differently for each"
    );
}
