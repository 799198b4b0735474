use tailfold_onnx::proto::{
    DataType, Dimension, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, ValueInfoProto,
};

use super::*;
use crate::float::FloatModel;
use crate::prepared::PreparedImages;

/// Returns a model with three classes over images of 3 x 4 with two channels; the operator `last` follows the
/// head.
fn network(last: Option<&str>) -> FloatModel {
    let node = |op: &str, from: &[&str], to: &str| NodeProto::new(op, to, from.to_vec(), [to]);
    let port = |name: &str, dims: &[usize]| {
        let dims = dims.iter().map(|&d| Dimension::fixed(d)).collect();
        ValueInfoProto::tensor(name, DataType::Float, dims)
    };
    let mut nodes = vec![
        node("GlobalAveragePool", &["image"], "pool"),
        node("Flatten", &["pool"], "feature").attr_int("axis", 1),
        node("Gemm", &["feature", "w", "b"], "head").attr_int("transB", 1),
    ];
    nodes.extend(last.map(|op| node(op, &["head"], "answer")));
    let output = if last.is_some() { "answer" } else { "head" };
    let proto = ModelProto {
        ir_version: Some(8),
        graph: Some(GraphProto {
            name: Some("small".to_owned()),
            input: vec![port("image", &[1, 2, 3, 4])],
            output: vec![port(output, &[1, 3])],
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
    model.set_initializer_f32("b", &[3], &[0.1, -0.2, 0.3]);
    FloatModel::from_bytes(&model.to_bytes(), "small").unwrap()
}

fn answers(float: &FloatModel, model: &Model) -> Vec<f32> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("images.f32");
    let values = (0..48_u8).flat_map(|i| (f32::from(i % 7) * 0.3 - 0.8).to_le_bytes());
    std::fs::write(&file, values.collect::<Vec<u8>>()).unwrap();
    let set = CalibrationSet::prepared(PreparedImages::open(&file, float.input_shape()).unwrap());
    logits(model, "small", &set, &|| {})
        .unwrap()
        .values()
        .to_vec()
}

/// Subtracts the mean from each row, since softmax does not depend on it.
fn centred(rows: &[f32]) -> Vec<f32> {
    let rows = rows.chunks(3);
    rows.flat_map(|r| r.iter().map(move |v| v - r.iter().sum::<f32>() / 3.0))
        .collect()
}

#[test]
fn logits_of_probabilities_are_their_logarithms() {
    let plain = network(None);
    let expected = centred(&answers(&plain, plain.model()));
    for last in ["Softmax", "Identity"] {
        let float = network(Some(last));
        let found = centred(&answers(&float, float.model()));
        for (found, expected) in found.iter().zip(&expected) {
            assert!(
                (found - expected).abs() < 1e-5,
                "{last}: {found} {expected}"
            );
        }
    }
}

#[test]
fn image_without_top1_class_is_not_a_same_decision() {
    let rows = |values: &[f32]| Logits::new(values.to_vec(), 2).unwrap();
    let float = rows(&[1.0, 0.0, 0.0, 1.0, 2.0, 2.0, f32::NAN, 0.0]);
    let other = rows(&[3.0, 2.0, 1.0, 0.0, 1.0, 0.0, f32::NAN, 0.0]);
    assert_eq!(same_decisions(&float, &other), 2);
}
