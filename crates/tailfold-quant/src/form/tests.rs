use tailfold_onnx::proto::{Dimension, GraphProto, ModelProto, OperatorSetIdProto, ValueInfoProto};

use super::*;
use crate::half::{Halved, halve};
use crate::regions::{Placement, find_region};
use tailfold_onnx::Shapes;

/// Returns the model image -> Conv -> GlobalAveragePool -> Flatten -> Gemm, changed by `edit`.
fn small(edit: impl FnOnce(&mut Model)) -> FloatModel {
    let tensor = |name: &str, dims: &[usize]| {
        let mut shape = vec![Dimension::symbol("N")];
        shape.extend(dims.iter().map(|&d| Dimension::fixed(d)));
        ValueInfoProto::tensor(name, DataType::Float, shape)
    };
    let node = |op, name, inputs: &[&str], output: &str| {
        NodeProto::new(op, name, inputs.iter().copied(), [output])
    };
    let proto = ModelProto {
        ir_version: Some(8),
        opset_import: vec![OperatorSetIdProto {
            domain: None,
            version: Some(17),
        }],
        graph: Some(GraphProto {
            name: Some("small".to_owned()),
            input: vec![tensor("image", &[1, 3, 2])],
            output: vec![tensor("logits", &[2])],
            node: vec![
                node("Conv", "conv", &["image", "w"], "c"),
                node("GlobalAveragePool", "pool", &["c"], "p"),
                node("Flatten", "flatten", &["p"], "f"),
                node("Gemm", "head", &["f", "v"], "logits").attr_int("transB", 1),
            ],
            ..GraphProto::default()
        }),
        ..ModelProto::default()
    };
    let mut model = Model::from_proto(proto, "small").unwrap();
    model.set_initializer_f32("w", &[2, 1, 1, 1], &[0.5, -1.0]);
    model.set_initializer_f32("v", &[2, 2], &[1.0, 2.0, 3.0, 4.0]);
    edit(&mut model);
    FloatModel::from_bytes(&model.to_bytes(), "small").unwrap()
}

#[test]
fn float_model_is_accepted() {
    check_single(&small(|_| {})).unwrap();
}

#[test]
fn half_precision_model_is_an_error() {
    let Halved { model, .. } = halve(&small(|_| {}), None, &|| {}).unwrap();
    let again = FloatModel::from_bytes(&model.to_bytes(), "half").unwrap();
    let error = halve(&again, None, &|| {}).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("the model is already in half precision: `"),
        "{error}"
    );
    // The metadata of half precision on a graph in f32.
    let recorded = small(|float| {
        let record = model.props().remove(RECORD).unwrap();
        float.set_prop(RECORD, record);
    });
    let error = halve(&recorded, None, &|| {}).unwrap_err();
    assert!(error.to_string().contains(RECORD), "{error}");
}

#[test]
fn quantized_model_is_an_error_that_names_the_operator() {
    let dequantized = small(|model| {
        model.set_initializer_i8("codes", &[2, 2], &[1, 2, 3, 4]);
        model.set_initializer_f32("scale", &[], &[0.5]);
        model.graph_mut().remove_initializer("v");
        let node = NodeProto::new("DequantizeLinear", "weights", ["codes", "scale"], ["v"]);
        model.graph_mut().node.insert(0, node);
    });
    let expected = "the model is already quantized: node `weights` is a DequantizeLinear";
    let error = halve(&dequantized, None, &|| {}).unwrap_err();
    assert_eq!(error.to_string(), expected);
    let error = find_region(
        dequantized.model(),
        &std::collections::BTreeSet::new(),
        Placement::EveryLayer,
        &Shapes::new(),
    );
    assert_eq!(error.unwrap_err().to_string(), expected);
}
