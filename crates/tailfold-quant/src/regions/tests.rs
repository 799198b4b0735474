use tailfold_onnx::proto::{
    DataType, Dimension, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, ValueInfoProto,
};

use super::*;
use crate::affine::{ActivationParams, Scheme};
use crate::codes::{Choice, choose};
use crate::plan::Plan;
use crate::rounding::Rounding;
use crate::target::Target;
use crate::weights::WeightBits;

/// A block with an option-A shortcut: stem, relu, conv, shortcut through Slice and Pad, add, pool, flatten,
/// head.
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

fn every_layer(model: &Model) -> Result<Region, QuantError> {
    find_region(
        model,
        &BTreeSet::new(),
        Placement::EveryLayer,
        &Shapes::new(),
    )
}

/// Quantizes `model` with the same parameters for every activation.
fn quantized(mut model: Model, target: Target) -> Model {
    let region = find_region(&model, &BTreeSet::new(), target.placement(), &Shapes::new()).unwrap();
    let params = ActivationParams {
        scale: 0.5,
        zero_point: if target.scheme() == Scheme::Affine {
            3
        } else {
            0
        },
        scheme: target.scheme(),
    };
    let tensors = region.observed.iter().chain(region.derived.keys());
    let params = tensors.map(|t| (t.clone(), params)).collect();
    let mut plan = Plan {
        region,
        params,
        weights: BTreeMap::new(),
    };
    let floors = target.scale_floors(&model, &plan).unwrap();
    let choice = Choice {
        bits: WeightBits::default(),
        rounding: Rounding::Nearest,
        means_are_corrected: false,
    };
    plan.weights = choose(&model, &plan, &floors, &BTreeMap::new(), choice).unwrap();
    target.emit(&mut model, &plan).unwrap();
    tailfold_onnx::check(&model).unwrap();
    model
}

fn inputs<'a>(model: &'a Model, node: &str) -> Vec<&'a str> {
    let node = model.node(node).unwrap();
    node.input.iter().map(String::as_str).collect()
}

#[test]
fn moved_values_share_the_scale_of_their_source() {
    let region = every_layer(&block()).unwrap();
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
fn skipped_head_reads_float_input() {
    let region = find_region(
        &block(),
        &BTreeSet::from(["head".to_owned()]),
        Placement::EveryLayer,
        &Shapes::new(),
    )
    .unwrap();
    assert_eq!(region.weighted, [0, 2]);
    assert!(!region.observed.contains(&"pool".to_owned()));
}

#[test]
fn quantized_model_is_error() {
    let model = quantized(block(), Target::Tract);
    let error = every_layer(&model).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the model is already quantized: node `image.quantize` is a QuantizeLinear"
    );
}

#[test]
fn tract_has_biases_and_logits_in_float() {
    let model = quantized(block(), Target::Tract);
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
    // Relu reads the float result of the convolution, without a Q/DQ pair in between.
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
fn graph_without_weights_is_error() {
    let mut model = block();
    model.graph_mut().initializer.clear();
    let error = every_layer(&model).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the model has no Conv or Gemm with constant weights"
    );
}

#[test]
fn addition_of_a_constant_stays_in_float() {
    let mut model = block();
    model.set_initializer_f32("epsilon", &[], &[1e-12]);
    let graph = model.graph_mut();
    graph.node[8].input[0] = "moved".to_owned();
    graph.node.insert(
        8,
        NodeProto::new("Add", "move", ["feature", "epsilon"], ["moved"]),
    );
    let region = every_layer(&model).unwrap();
    assert!(!region.reads.contains(&(8, 0)));
    assert!(!region.observed.contains(&"pool".to_owned()));
    assert!(region.observed.contains(&"moved".to_owned()));
}

#[test]
fn ort_x86_biases_are_int32_with_product_of_scales() {
    let mut model = block();
    // A dead channel: with a tiny scale its bias would overflow, and with a scale of 1 it would be rounded to
    // steps of 0.5.
    model.set_initializer_f32(
        "conv.weight",
        &[4, 2, 1, 1],
        &[1.0, 1.0, 0.0, 0.0, 1e-30, 0.0, 1.0, 1.0],
    );
    model.set_initializer_f32("conv.bias", &[4], &[1.0, 0.3, -7.0, 0.0]);
    let model = quantized(model, Target::OrtX86);
    let (_, weights) = model.initializer_f32("conv.weight.scale").unwrap();
    let (_, scales) = model.initializer_f32("conv.bias.scale").unwrap();
    for (weight, scale) in weights.iter().zip(&scales) {
        assert_eq!((weight * 0.5).to_bits(), scale.to_bits());
    }
    let (_, codes) = model.initializer::<i32>("conv.bias.codes").unwrap();
    let back: Vec<f32> = codes
        .iter()
        .zip(&scales)
        .map(|(c, s)| *c as f32 * s)
        .collect();
    for (back, bias) in back.iter().zip([1.0, 0.3, -7.0, 0.0]) {
        assert!((back - bias).abs() <= 0.5 * scales[0], "{back} {bias}");
    }
    assert!((back[1] - 0.3).abs() < 1e-6 && (back[2] + 7.0).abs() < 1e-5);
    let (_, zeros) = model.initializer::<i32>("conv.bias.zero_point").unwrap();
    assert_eq!(zeros, [0; 4]);
    assert_eq!(
        inputs(&model, "conv"),
        ["relu.dequantized", "conv.weight", "conv.bias.dequantized"]
    );
    assert!(model.initializer_f32("conv.bias").is_err());
}

#[test]
fn one_bias_for_all_classes_stays_in_float() {
    let mut model = block();
    model.set_initializer_f32("head.bias", &[1], &[7.0]);
    let model = quantized(model, Target::OrtX86);
    let (shape, scales) = model.initializer_f32("head.weight.scale").unwrap();
    assert_eq!((shape, scales.len()), (vec![3], 3));
    assert_eq!(inputs(&model, "head")[2], "head.bias");
}

#[test]
fn tensorrt_is_symmetric_with_a_pair_per_consumer() {
    let region = find_region(
        &block(),
        &BTreeSet::new(),
        Placement::WeightsAndShortcuts,
        &Shapes::new(),
    )
    .unwrap();
    assert_eq!(region.observed, ["image", "relu", "pad", "feature"]);
    assert!(region.derived.is_empty());
    let model = quantized(block(), Target::TensorRt);
    // The addition reads the convolution in float, and the shortcut quantized.
    assert_eq!(inputs(&model, "add"), ["conv", "pad.dequantized"]);
    assert_eq!(inputs(&model, "slice")[0], "relu");
    assert_eq!(inputs(&model, "pool"), ["add"]);
    assert_eq!(
        inputs(&model, "head"),
        ["feature.dequantized", "head.weight", "head.bias"]
    );
    for node in model.nodes().iter().filter(|n| n.is("QuantizeLinear")) {
        assert_eq!(model.initializer::<i8>(&node.input[2]).unwrap().1, [0]);
    }
    // Two consumers of one tensor.
    let mut twice = block();
    twice.graph_mut().node[3].input[0] = "image".to_owned();
    twice.graph_mut().node[5].input[1] = "relu".to_owned();
    let model = quantized(twice, Target::TensorRt);
    let [conv, add] = ["conv", "add"].map(|node| model.node(node).unwrap());
    assert_ne!(conv.input[0], add.input[1]);
    for value in [&conv.input[0], &add.input[1]] {
        let dequantize = model.graph().producer(value).unwrap();
        let quantize = model.graph().producer(&dequantize.input[0]).unwrap();
        assert_eq!(quantize.input, ["relu", "relu.scale", "relu.zero_point"]);
    }
}

#[test]
fn initializer_in_use_is_not_overwritten() {
    let mut model = block();
    model.set_initializer_f32("relu.scale", &[2], &[1.0, 2.0]);
    let model = quantized(model, Target::Tract);
    assert_eq!(model.initializer_f32("relu.scale").unwrap().1, [1.0, 2.0]);
    assert_eq!(model.initializer_f32("relu.scale.2").unwrap().1, [0.5]);
}

/// Returns a model of `nodes` from `image` to `logits`, both `[1, 4, 8, 8]`; `w` has the weights of all convolutions,
/// and the other constants are scalars, slopes and pads.
fn graph(nodes: Vec<NodeProto>) -> Model {
    let dims = |dims: [usize; 4]| dims.map(Dimension::fixed).to_vec();
    let graph = GraphProto {
        name: Some("graph".to_owned()),
        input: vec![ValueInfoProto::tensor(
            "image",
            DataType::Float,
            dims([1, 4, 8, 8]),
        )],
        output: vec![ValueInfoProto::tensor(
            "logits",
            DataType::Float,
            dims([1, 4, 8, 8]),
        )],
        node: nodes,
        ..GraphProto::default()
    };
    let proto = ModelProto {
        graph: Some(graph),
        opset_import: vec![OperatorSetIdProto {
            domain: None,
            version: Some(17),
        }],
        ..ModelProto::default()
    };
    let mut model = Model::from_proto(proto, "graph").unwrap();
    model.set_initializer_f32("w", &[4, 4, 1, 1], &[0.5; 16]);
    for (name, value) in [
        ("three", 3.0),
        ("six", 6.0),
        ("zero", 0.0),
        ("small", 0.045),
    ] {
        model.set_initializer_f32(name, &[], &[value]);
    }
    model.set_initializer_f32("nine", &[], &[9.0]);
    model.set_initializer_f32("lowest", &[], &[f32::NEG_INFINITY]);
    model.set_initializer_f32("slopes", &[4, 1, 1], &[0.5; 4]);
    model.set_initializer("pads", &[8], &[0_i64, 0, 1, 1, 0, 0, 1, 1]);
    model
}

fn node(op: &str, inputs: &[&str], output: &str) -> NodeProto {
    NodeProto::new(op, output, inputs.iter().copied(), [output])
}

/// Returns the observed tensors of `model`; a tensor that `shapes` does not list has the shape `[1, 4, 8, 8]`.
fn observed(model: &Model, skip: &[&str], shapes: &[(&str, &[usize])]) -> Vec<String> {
    let nodes = model.nodes().iter();
    let names = nodes.flat_map(|n| &n.output).map(String::as_str);
    let mut all: Shapes = names
        .chain(["image"])
        .map(|name| (name.to_owned(), vec![1, 4, 8, 8]))
        .collect();
    all.extend(shapes.iter().map(|(n, s)| ((*n).to_owned(), s.to_vec())));
    let skip = skip.iter().map(|&s| s.to_owned()).collect();
    let region = find_region(model, &skip, Placement::EveryLayer, &all).unwrap();
    region.observed
}

/// Returns a model of `nodes` from `a`, the result of a convolution, to `b`, which another convolution reads.
fn between(nodes: Vec<NodeProto>) -> Model {
    let mut all = vec![node("Conv", &["image", "w"], "a")];
    all.extend(nodes);
    all.push(node("Conv", &["b", "w"], "logits"));
    graph(all)
}

#[test]
fn functions_are_quantized_only_at_their_ends() {
    let swish = between(vec![node("HardSwish", &["a"], "b")]);
    let clip = between(vec![
        node("Add", &["a", "three"], "moved"),
        node("Clip", &["moved", "zero", "six"], "gate"),
        node("Mul", &["a", "gate"], "product"),
        node("Div", &["product", "six"], "b"),
    ]);
    // The inner Add has two activations and is not a shortcut.
    let cubic = between(vec![
        node("Mul", &["a", "a"], "square"),
        node("Mul", &["square", "a"], "cube"),
        node("Mul", &["cube", "small"], "part"),
        node("Add", &["a", "part"], "sum"),
        node("Tanh", &["sum"], "tanh"),
        node("Mul", &["a", "tanh"], "b"),
    ]);
    for model in [&swish, &clip, &cubic] {
        assert_eq!(observed(model, &[], &[]), ["image", "a", "b"]);
        let emitted = find_region(
            model,
            &BTreeSet::new(),
            Placement::WeightsAndShortcuts,
            &Shapes::new(),
        );
        assert!(!emitted.unwrap().observed.contains(&"a".to_owned()) || model == &cubic);
        // The shapes are unknown, or are not shapes of images.
        let blind = find_region(
            model,
            &BTreeSet::new(),
            Placement::EveryLayer,
            &Shapes::new(),
        )
        .unwrap();
        assert!(blind.observed.contains(&"b".to_owned()));
        let tokens: &[usize] = &[1, 4, 64];
        assert_eq!(observed(model, &[], &[("a", tokens)]), ["image", "b"]);
    }
    assert!(every_layer(&swish).unwrap().observed == ["image", "b"]);
}

#[test]
fn clamps_and_linear_functions_and_functions_of_several_values_are_not_quantized() {
    let cases = [
        vec![node("Relu", &["a"], "b")],
        vec![node("Mul", &["a", "three"], "b")],
        vec![
            node("Add", &["a", "three"], "moved"),
            node("Mul", &["moved", "six"], "b"),
        ],
        vec![node("PRelu", &["a", "slopes"], "b")],
        vec![
            node("Softmax", &["a"], "other"),
            node("Mul", &["a", "other"], "product"),
            node("Tanh", &["product"], "tanh"),
            node("Transpose", &["tanh"], "b"),
        ],
    ];
    for nodes in cases {
        let model = between(nodes);
        assert_eq!(observed(&model, &[], &[]), ["image", "b"]);
    }
    // The function begins behind the clamp, which is fused into the convolution.
    let model = between(vec![
        node("Relu", &["a"], "clamped"),
        node("Sigmoid", &["clamped"], "gate"),
        node("Mul", &["clamped", "gate"], "b"),
    ]);
    assert_eq!(observed(&model, &[], &[]), ["image", "clamped", "b"]);
    // The result of the function is an output and stays float.
    let model = graph(vec![
        node("Conv", &["image", "w"], "a"),
        node("Tanh", &["a"], "logits"),
    ]);
    assert_eq!(observed(&model, &[], &[]), ["image"]);
}

#[test]
fn concatenated_averaged_and_gated_images_are_quantized() {
    let model = graph(vec![
        node("Conv", &["image", "w"], "a"),
        node("Relu", &["a"], "left"),
        node("Conv", &["image", "w"], "right"),
        node("Concat", &["left", "right"], "joined").attr_int("axis", 1),
        node("MaxPool", &["joined"], "pooled"),
        node("Conv", &["pooled", "w"], "c"),
        node("AveragePool", &["c"], "mean"),
        node("GlobalAveragePool", &["mean"], "vector"),
        node("HardSigmoid", &["vector"], "gate"),
        node("Mul", &["mean", "gate"], "gated"),
        node("Conv", &["gated", "w"], "logits"),
    ]);
    let vector: &[usize] = &[1, 4, 1, 1];
    let shapes = [("vector", vector), ("gate", vector)];
    let found = observed(&model, &[], &shapes);
    assert_eq!(
        found,
        [
            "image", "left", "right", "joined", "c", "mean", "vector", "gate", "gated"
        ]
    );
    // More float nodes never add an observed tensor.
    let names: Vec<&str> = model.nodes().iter().map(|n| n.label()).collect();
    for first in 0..names.len() {
        for second in 0..first {
            let skip = [names[first], names[second]];
            let fewer = observed(&model, &skip, &shapes);
            assert!(fewer.iter().all(|t| found.contains(t)), "{skip:?}");
        }
    }
    // Concat along another axis, and gates along another axis, stay float.
    let model = between(vec![
        node("Concat", &["a", "a"], "joined").attr_int("axis", 2),
        node("Mul", &["joined", "column"], "b"),
    ]);
    let column: &[usize] = &[1, 1, 8, 1];
    assert_eq!(observed(&model, &[], &[("column", column)]), ["image", "b"]);
}

#[test]
fn additions_of_other_tensors_than_images_and_rows_stay_float() {
    let model = graph(vec![
        node("Conv", &["image", "w"], "a"),
        node("Add", &["a", "image"], "b"),
        node("Conv", &["b", "w"], "logits"),
    ]);
    assert_eq!(observed(&model, &[], &[]), ["image", "a", "b"]);
    let tokens: &[usize] = &[1, 64, 4];
    let of_tokens = [("a", tokens), ("image", tokens)];
    assert_eq!(observed(&model, &[], &of_tokens), ["image", "b"]);
    let spread: &[usize] = &[1, 4, 1, 1];
    assert_eq!(observed(&model, &[], &[("a", spread)]), ["image", "b"]);
}

#[test]
fn nonzero_padding_does_not_share_the_scale() {
    let pad = |filling: &[&str]| {
        let inputs = [&["a", "pads"], filling].concat();
        node("Pad", &inputs, "padded")
    };
    let max = || node("MaxPool", &["padded"], "b");
    let same = || node("Identity", &["padded"], "b");
    for shared in [pad(&[]), pad(&[""]), pad(&["zero"])] {
        let model = between(vec![shared, max()]);
        assert_eq!(observed(&model, &[], &[]), ["image", "a"]);
    }
    let others = [
        pad(&["nine"]),
        pad(&["lowest"]),
        pad(&["computed"]),
        pad(&[]).attr_str("mode", "edge"),
        pad(&[]).attr_float("value", 9.0),
    ];
    for other in others {
        // The padding value, which the maximum never takes, is not in the observed range.
        let model = between(vec![other.clone(), max()]);
        assert_eq!(observed(&model, &[], &[]), ["image", "b"]);
        let model = between(vec![other, same()]);
        assert_eq!(observed(&model, &[], &[]), ["image", "padded"]);
    }
}
