use proptest::prelude::*;
use tailfold_onnx::proto::{Dimension, ModelProto, OperatorSetIdProto, ValueInfoProto};

use super::*;

/// Model image -> Conv -> Max with a tiny constant -> Relu -> GlobalAveragePool -> Flatten -> Gemm.
fn small() -> FloatModel {
    let tensor = |name: &str, dims: &[usize]| {
        let mut shape = vec![Dimension::symbol("N")];
        shape.extend(dims.iter().map(|&d| Dimension::fixed(d)));
        ValueInfoProto::tensor(name, DataType::Float, shape)
    };
    let node = |op, name, inputs: &[&str], output: &str| {
        NodeProto::new(op, name, inputs.iter().copied(), [output])
    };
    let graph = GraphProto {
        name: Some("small".to_owned()),
        input: vec![tensor("image", &[1, 3, 2])],
        output: vec![tensor("logits", &[2])],
        node: vec![
            node("Conv", "conv", &["image", "w"], "c"),
            node("Max", "max", &["c", "tiny"], "a"),
            node("Relu", "relu", &["a"], "r"),
            node("GlobalAveragePool", "pool", &["r"], "p"),
            node("Flatten", "flatten", &["p"], "f"),
            node("Gemm", "head", &["f", "head.weight", "head.bias"], "logits")
                .attr_int("transB", 1),
        ],
        ..GraphProto::default()
    };
    let proto = ModelProto {
        ir_version: Some(8),
        opset_import: vec![OperatorSetIdProto {
            domain: None,
            version: Some(17),
        }],
        graph: Some(graph),
        ..ModelProto::default()
    };
    let mut model = Model::from_proto(proto, "small").unwrap();
    model.set_initializer_f32("w", &[2, 1, 1, 1], &[0.5, -1.0]);
    model.set_initializer_f32("tiny", &[1], &[1e-12]);
    model.set_initializer_f32("head.weight", &[2, 2], &[1.0, 2.0, 3.0, 4.0]);
    model.set_initializer_f32("head.bias", &[2], &[0.25, 1e-9]);
    FloatModel::from_bytes(&model.to_bytes(), "small").unwrap()
}

fn inputs<'a>(model: &'a Model, node: &str) -> Vec<&'a str> {
    let node = model.node(node).unwrap();
    node.input.iter().map(String::as_str).collect()
}

#[test]
fn constant_that_underflows_stays_in_f32_between_casts() {
    let Halved { model, kept } = halve(&small(), None, &|| {}).unwrap();
    tailfold_onnx::check(&model).unwrap();
    let said: Vec<String> = kept.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        ["`tiny` vanishes in f16: its largest magnitude is 0.000000000001"]
    );
    assert_eq!(inputs(&model, "conv"), ["image.half", "w"]);
    assert_eq!(inputs(&model, "max"), ["c.single", "tiny"]);
    assert_eq!(inputs(&model, "relu"), ["a.half"]);
    assert_eq!(model.node("head").unwrap().output, ["logits.half"]);
    let last = model.nodes().last().unwrap();
    assert_eq!((last.op_type(), last.int("to")), ("Cast", Some(1)));
    assert_eq!(last.output, ["logits"]);
    let (_, bias) = model.initializer::<f16>("head.bias").unwrap();
    assert_eq!(bias, [f16::from_f32(0.25), f16::ZERO]);
    assert_eq!(model.initializer_f32("tiny").unwrap().1, [1e-12]);
    assert_eq!(model.graph().output[0].element(), Some(DataType::Float));
}

#[test]
fn overflowing_activation_keeps_its_neighbours_in_f32() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("images.f32");
    let image: Vec<u8> = [9e4_f32; 6].iter().flat_map(|v| v.to_le_bytes()).collect();
    std::fs::write(&file, image).unwrap();
    let images = crate::PreparedImages::open(&file, [1, 3, 2]).unwrap();
    let set = CalibrationSet::prepared(images);
    let Halved { kept, model } = halve(&small(), Some(&set), &|| {}).unwrap();
    let kept: Vec<&str> = kept.iter().map(|k| k.tensor.as_str()).collect();
    // 90,000 * 0.5 fits f16; 90,000 * -1 does not, until Max removes it; the logits are 4.5e4 and 1.35e5.
    assert_eq!(kept, ["tiny", "c", "logits"]);
    assert_eq!(inputs(&model, "conv"), ["image", "w"]);
    assert_eq!(inputs(&model, "relu"), ["a.half"]);
    assert_eq!(
        inputs(&model, "head"),
        ["f.single", "head.weight", "head.bias"]
    );
    assert_eq!(model.node("head").unwrap().output, ["logits"]);
}

proptest! {
    #[test]
    fn tensors_that_f16_cannot_hold_are_detected(values in prop::collection::vec(-1e6_f32..1e6, 1..9), shrink in 0_i32..45) {
        let values: Vec<f32> = values.iter().map(|v| v * 2.0_f32.powi(-shrink)).collect();
        let back: Vec<f32> = values.iter().map(|v| f16::from_f32(*v).to_f32()).collect();
        match lost(&values) {
            Some(Lost::Overflow) => prop_assert!(back.iter().any(|b| b.is_infinite())),
            Some(Lost::Underflow) => prop_assert!(back.iter().all(|b| b.abs() == 0.0)),
            None => for (value, back) in values.iter().zip(&back) {
                prop_assert!((value - back).abs() <= value.abs() / 2048.0 + 2.0_f32.powi(-25));
            },
        }
    }
}
