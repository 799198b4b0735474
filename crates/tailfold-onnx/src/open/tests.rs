mod damage;

use proptest::prelude::*;

use super::*;
use crate::fixture::small::{body, model, node, truth};
use crate::proto::{FunctionProto, NodeProto, TensorProto};

fn none(_: &Model) -> Shapes {
    Shapes::new()
}

/// A model with a function, an If, channels last, padding, a mean and a Softmax.
fn rich(opset: i64) -> Model {
    let axes = TensorProto::new("axes", &[1], &[2_i64]);
    let taken = vec![node("Squeeze", "r axes", "s")];
    let nodes = vec![
        node("Transpose", "image", "t").attr_ints("perm", &[0, 3, 1, 2]),
        node("Pad", "t pads", "p"),
        node("Conv", "p w b", "c").attr_str("auto_pad", "SAME_UPPER"),
        node("BatchNormalization", "c b b b one", "n"),
        NodeProto {
            domain: Some("local".to_owned()),
            ..node("Rectify", "n", "l")
        },
        node("ReduceMean", "l", "m").attr_ints("axes", &[3]),
        node("Reshape", "m to", "r"),
        node("If", "yes", "f")
            .attr(body("then_branch", taken, &["s"], vec![axes]))
            .attr(body("else_branch", vec![], &["r"], vec![])),
        node("MatMul", "f head", "h"),
        node("Softmax", "h", "scores"),
    ];
    let mut model = model(opset, &[4, 4, 3], nodes, &[2]);
    model.set_initializer("pads", &[8], &[0_i64, 0, 1, 1, 0, 0, 1, 1]);
    model.set_initializer("to", &[3], &[0_i64, 0, 1]);
    model.set_initializer_f32("w", &[2, 3, 1, 1], &[0.5; 6]);
    model.set_initializer_f32("b", &[2], &[0.5; 2]);
    model.set_initializer_f32("one", &[2], &[1.0; 2]);
    model.set_initializer_f32("head", &[2, 2], &[1.0; 4]);
    model.graph_mut().initializer.push(truth("yes", true));
    let mut proto = model.proto().clone();
    proto.functions.push(FunctionProto {
        name: Some("Rectify".to_owned()),
        domain: Some("local".to_owned()),
        input: vec!["x".to_owned()],
        output: vec!["y".to_owned()],
        node: vec![node("Relu", "x", "y")],
        ..FunctionProto::default()
    });
    Model::from_proto(proto, "rich").unwrap()
}

/// Shapes of the values of [`rich`], for one image.
fn shapes() -> Shapes {
    let image = |name: &str| (name.to_owned(), vec![1, 2, 6, 6]);
    let mut shapes: Shapes = ["c", "n", "l"].map(image).into();
    for (name, shape) in [
        ("image", vec![1, 3, 4, 4]),
        ("p", vec![1, 3, 6, 6]),
        ("m", vec![1, 2, 6, 1]),
        ("r", vec![1, 2, 1]),
        ("f", vec![1, 2]),
        ("h", vec![1, 2]),
    ] {
        shapes.insert(name.to_owned(), shape);
    }
    shapes
}

#[test]
fn rich_graph_opens_and_gets_its_ports_back() {
    let mut opened = open(rich(13), None, &OpenOptions::default(), &none).unwrap();
    assert!(opened.ports.input.channels_last);
    let ops = |model: &Model| -> Vec<String> {
        let nodes = model.nodes().iter();
        nodes.map(|n| n.op_type().to_owned()).collect()
    };
    crate::simplify(&mut opened.model, &shapes()).unwrap();
    check(&opened.model).unwrap();
    let network = ["Conv", "Relu", "ReduceMean", "Reshape", "Squeeze", "Gemm"];
    assert_eq!(ops(&opened.model), network);
    let conv = &opened.model.nodes()[0];
    assert_eq!(conv.ints("pads"), Some(&[1, 1, 1, 1][..]));
    opened.ports.restore(&mut opened.model);
    check(&opened.model).unwrap();
    let whole = [
        "Transpose",
        "Conv",
        "Relu",
        "ReduceMean",
        "Reshape",
        "Squeeze",
        "Gemm",
        "Softmax",
    ];
    assert_eq!(ops(&opened.model), whole);
    let graph = opened.model.graph();
    assert_eq!(graph.input, rich(13).graph().input);
    assert_eq!(graph.output, rich(13).graph().output);
}

#[test]
fn folder_of_bare_file_name_is_current_folder() {
    assert_eq!(folder_of(Path::new("a/b.onnx")), Path::new("a"));
    assert_eq!(folder_of(Path::new("b.onnx")), Path::new("."));
}

proptest! {
    #[test]
    fn damaged_files_are_opened_or_refused_without_panic(
        changes in prop::collection::vec((0.0_f64..1.0, any::<u8>()), 1..6),
        opset in prop::sample::select(vec![7, 11, 13, 18]),
    ) {
        let mut bytes = rich(opset).to_bytes();
        for (place, byte) in changes {
            let last = bytes.len() - 1;
            #[expect(clippy::cast_possible_truncation, reason = "a position below the length")]
            let at = (place * last as f64) as usize;
            bytes[at] = byte;
        }
        if let Ok(model) = Model::from_bytes(&bytes, "damaged")
            && let Ok(mut opened) = open(model, None, &OpenOptions::default(), &none)
        {
            let _ = crate::simplify(&mut opened.model, &shapes());
            opened.ports.restore(&mut opened.model);
        }
    }
}
