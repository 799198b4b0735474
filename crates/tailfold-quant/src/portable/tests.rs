use proptest::prelude::*;
use tailfold_onnx::proto::{
    DataType, Dimension, GraphProto, ModelProto, OperatorSetIdProto, ValueInfoProto,
};

use super::*;

/// Returns a model of one node from an image `[1, 2, height, width]` to the output.
fn model(node: NodeProto, [height, width]: [usize; 2]) -> Model {
    let port = |name: &str, dims: &[usize]| {
        let dims = dims.iter().map(|&d| Dimension::fixed(d)).collect();
        ValueInfoProto::tensor(name, DataType::Float, dims)
    };
    let mut output = port("out", &[]);
    output.r#type = None;
    let proto = ModelProto {
        ir_version: Some(8),
        graph: Some(GraphProto {
            name: Some("one".to_owned()),
            input: vec![port("image", &[1, 2, height, width])],
            output: vec![output],
            node: vec![node],
            ..GraphProto::default()
        }),
        opset_import: vec![OperatorSetIdProto {
            domain: None,
            version: Some(17),
        }],
        ..ModelProto::default()
    };
    let mut model = Model::from_proto(proto, "one").unwrap();
    model.set_initializer_f32("w", &[1, 2, 3, 2], &[1.0; 12]);
    model
}

fn shape(model: &Model) -> Vec<usize> {
    let tensors = ["out".to_owned()];
    let observer = TensorObserver::from_onnx(&model.to_bytes(), "one", &tensors).unwrap();
    observer.shapes()[0].clone().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn explicit_pads_give_the_size_of_auto_pad(
        size in [5_usize..12, 5_usize..12],
        strides in [1_i64..4, 1_i64..4],
        dilation in 1_i64..3,
        auto in prop_oneof![Just("SAME_UPPER"), Just("SAME_LOWER"), Just("VALID")],
    ) {
        let node = NodeProto::new("Conv", "conv", ["image", "w"], ["out"])
            .attr_ints("strides", &strides)
            .attr_ints("dilations", &[dilation, dilation])
            .attr_str("auto_pad", auto);
        let before = model(node, size);
        let mut after = before.clone();
        explicit_pads(&mut after, "one").unwrap();
        let node = &after.nodes()[0];
        prop_assert!(node.find_attr("auto_pad").is_none());
        prop_assert_eq!(node.ints("pads").unwrap().len(), 4);
        prop_assert_eq!(shape(&after), shape(&before));
    }
}

#[test]
fn odd_pad_of_same_upper_is_at_the_end() {
    let node = NodeProto::new("MaxPool", "pool", ["image"], ["out"])
        .attr_ints("kernel_shape", &[2, 3])
        .attr_str("auto_pad", "SAME_UPPER");
    let mut upper = model(node.clone(), [6, 6]);
    explicit_pads(&mut upper, "one").unwrap();
    assert_eq!(upper.nodes()[0].ints("pads").unwrap(), [0, 1, 1, 1]);
    let mut lower = model(node.attr_str("auto_pad", "SAME_LOWER"), [6, 6]);
    explicit_pads(&mut lower, "one").unwrap();
    assert_eq!(lower.nodes()[0].ints("pads").unwrap(), [1, 1, 0, 1]);
    let plain =
        NodeProto::new("Conv", "conv", ["image", "w"], ["out"]).attr_str("auto_pad", "NOTSET");
    let before = model(plain, [6, 6]);
    let mut after = before.clone();
    explicit_pads(&mut after, "one").unwrap();
    assert_eq!(before, after);
}

#[test]
fn valid_padding_with_ceil_mode_is_unchanged() {
    let node = NodeProto::new("AveragePool", "pool", ["image"], ["out"])
        .attr_ints("kernel_shape", &[2, 2])
        .attr_ints("strides", &[2, 2])
        .attr_str("auto_pad", "VALID")
        .attr_int("ceil_mode", 1);
    let before = model(node, [5, 5]);
    let mut after = before.clone();
    explicit_pads(&mut after, "one").unwrap();
    assert_eq!(before, after);
}

#[test]
fn versions_are_lowered_only_for_other_runtimes() {
    let of = |op: &str, ir: i64, opset: i64, target: Target| {
        let mut proto = model(NodeProto::new(op, "node", ["image"], ["out"]), [6, 6])
            .proto()
            .clone();
        proto.ir_version = Some(ir);
        proto.opset_import[0].version = Some(opset);
        let mut model = Model::from_proto(proto, "one").unwrap();
        limit_versions(&mut model, target).unwrap();
        (model.proto().ir_version.unwrap(), model.opset().unwrap())
    };
    assert_eq!(of("Relu", 11, 23, Target::OrtX86), (10, 21));
    assert_eq!(of("Relu", 8, 17, Target::OrtX86), (8, 17));
    assert_eq!(of("Relu", 8, 22, Target::TensorRt), (8, 21));
    assert_eq!(of("Swish", 12, 24, Target::OrtX86), (12, 24));
    assert_eq!(of("Relu", 12, 24, Target::Tract), (12, 24));
}
