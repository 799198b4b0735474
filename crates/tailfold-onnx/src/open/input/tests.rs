use super::*;
use crate::fixture::small::{model, node, port, shown};
use crate::open::{OpenOptions, Opened, open};
use crate::{Shapes, check};

fn typed(element: DataType, image: &[usize], nodes: Vec<NodeProto>) -> Model {
    let mut model = model(13, image, nodes, &[3]);
    model.graph_mut().input = vec![port("image", element, image)];
    model.set_initializer_f32("k", &[], &[0.5]);
    model
}

fn opened(model: Model, layout: Layout) -> Opened {
    let options = OpenOptions {
        layout,
        ..OpenOptions::default()
    };
    open(model, None, &options, &|_| Shapes::new()).unwrap()
}

/// Checks the network of `file` and the whole graph after its ports are restored; returns the input port.
fn both(file: Model, network: &[&str], whole: &[&str]) -> InputPort {
    let port = file.graph().input.clone();
    let mut opened = opened(file, Layout::Auto);
    check(&opened.model).unwrap();
    assert_eq!(shown(&opened.model), network);
    let input = opened.model.input().unwrap();
    assert_eq!(input.element(), Some(DataType::Float));
    assert_eq!(input.shape().unwrap()[1..], [Some(3), Some(8), Some(6)]);
    opened.ports.restore(&mut opened.model);
    check(&opened.model).unwrap();
    assert_eq!(shown(&opened.model), whole);
    assert_eq!(opened.model.graph().input, port);
    opened.ports.input
}

fn first() -> NodeProto {
    node("Transpose", "image", "t").attr_ints("perm", &TO_FIRST)
}

#[test]
fn f32_channels_first_input_is_unchanged() {
    let file = typed(
        DataType::Float,
        &[3, 8, 6],
        vec![node("Exp", "image", "scores")],
    );
    let port = both(file, &["Exp(image)->scores"], &["Exp(image)->scores"]);
    assert!(!port.channels_last);
    assert_eq!((port.element, port.normalised_by), (DataType::Float, None));
}

#[test]
fn leading_transpose_is_cancelled() {
    let nodes = vec![first(), node("Exp", "t", "scores")];
    let port = both(
        typed(DataType::Float, &[8, 6, 3], nodes),
        &["Exp(image)->scores"],
        &[
            "Transpose(image)->image.images",
            "Exp(image.images)->scores",
        ],
    );
    assert!(port.channels_last);
}

#[test]
fn channels_last_network_is_restored_exactly() {
    let file = typed(
        DataType::Float,
        &[8, 6, 3],
        vec![node("Exp", "image", "scores")],
    );
    both(
        file,
        &[
            "Transpose(image)->image.as_given",
            "Exp(image.as_given)->scores",
        ],
        &["Exp(image)->scores"],
    );
}

#[test]
fn uint8_and_f16_inputs_are_cast() {
    let float = || node("Cast", "image", "f").attr_int("to", 1);
    let nodes = vec![float(), node("Exp", "f", "scores")];
    let whole = ["Cast(image)->image.images", "Exp(image.images)->scores"];
    let file = typed(DataType::Uint8, &[3, 8, 6], nodes);
    let port = both(file, &["Exp(image)->scores"], &whole);
    assert_eq!(port.element, DataType::Uint8);
    let nodes = vec![float(), first_of("f"), node("Exp", "t", "scores")];
    let port = both(
        typed(DataType::Uint8, &[8, 6, 3], nodes),
        &["Exp(image)->scores"],
        &[
            "Cast(image)->image.float",
            "Transpose(image.float)->image.images",
            "Exp(image.images)->scores",
        ],
    );
    assert!(port.channels_last);
    // A Cast to f16 rounds, so it is not cancelled.
    let nodes = vec![float(), node("Exp", "f", "scores")];
    let network = [
        "Cast(image)->image.as_given",
        "Cast(image.as_given)->f",
        "Exp(f)->scores",
    ];
    let opened = opened(typed(DataType::Float16, &[3, 8, 6], nodes), Layout::Auto);
    assert_eq!(shown(&opened.model), network);
    assert_eq!(opened.model.nodes()[0].int("to"), Some(10));
}

fn first_of(value: &str) -> NodeProto {
    node("Transpose", value, "t").attr_ints("perm", &TO_FIRST)
}

#[test]
fn layout_is_detected_or_chosen() {
    let last = |image: &[usize], layout: Layout| {
        let file = typed(DataType::Float, image, vec![node("Exp", "image", "scores")]);
        opened(file, layout).ports.input.channels_last
    };
    assert!(last(&[8, 6, 1], Layout::Auto));
    assert!(!last(&[3, 8, 3], Layout::Auto), "both fit: first");
    assert!(!last(&[4, 6, 4], Layout::Auto), "none fits: first");
    assert!(last(&[3, 8, 3], Layout::ChannelsLast));
    assert!(!last(&[8, 6, 3], Layout::ChannelsFirst));
}

#[test]
fn normalisation_in_graph_is_found() {
    let by = |nodes: Vec<NodeProto>| {
        let file = typed(DataType::Float, &[8, 6, 3], nodes);
        opened(file, Layout::Auto).ports.input.normalised_by
    };
    let nodes = vec![first(), node("Sub", "t k", "n"), node("Exp", "n", "scores")];
    assert_eq!(by(nodes).as_deref(), Some("n"));
    assert_eq!(by(vec![first(), node("Exp", "t", "scores")]), None);
    let twice = vec![first(), node("Add", "t t", "scores")];
    assert_eq!(by(twice), None, "the operand is not a constant");
}

#[test]
fn non_image_inputs_are_refused() {
    let refused = |element: DataType, image: &[usize], expect: &str| {
        let file = typed(element, image, vec![node("Exp", "image", "scores")]);
        let error = open(file, None, &OpenOptions::default(), &|_| Shapes::new()).unwrap_err();
        assert_eq!(error.to_string(), expect);
    };
    refused(
        DataType::Float,
        &[8],
        "input `image` has the shape [?, 8], expected images [N, channels, height, width] or [N, height, width, channels]",
    );
    refused(
        DataType::Int64,
        &[3, 8, 6],
        "input `image` has elements of type i64; images are f32, f16, f64 or uint8",
    );
}

#[test]
fn damaged_leading_nodes_do_not_panic() {
    let nodes = vec![
        node("Round", "", "r"),
        node("Cast", "r", "b").attr_int("to", 2),
        node("Cast", "b", "f").attr_int("to", 1),
        node("Add", "f image", "scores"),
    ];
    opened(typed(DataType::Uint8, &[3, 8, 6], nodes), Layout::Auto);
}

#[test]
fn thousands_of_inverse_transposes_are_cancelled_quickly() {
    let mut nodes = Vec::new();
    let mut value = "image".to_owned();
    for i in 0..4_995 {
        for (perm, part) in [(TO_FIRST, "a"), (TO_LAST, "b")] {
            let next = format!("{part}{i}");
            nodes.push(node("Transpose", &value, &next).attr_ints("perm", &perm));
            value = next;
        }
    }
    nodes.push(node("Exp", &value, "scores"));
    let started = std::time::Instant::now();
    let opened = opened(typed(DataType::Float, &[8, 6, 3], nodes), Layout::Auto);
    assert!(started.elapsed().as_secs() < 10);
    let expected = ["Transpose(image)->b4994", "Exp(b4994)->scores"];
    assert_eq!(shown(&opened.model), expected);
}

#[test]
fn truncating_cast_of_file_is_kept() {
    let nodes = vec![
        first(),
        node("Cast", "t", "b").attr_int("to", 2),
        node("Cast", "b", "f").attr_int("to", 1),
        node("Exp", "f", "scores"),
    ];
    let opened = opened(typed(DataType::Float, &[8, 6, 3], nodes), Layout::Auto);
    let expected = ["Cast(image)->b", "Cast(b)->f", "Exp(f)->scores"];
    assert_eq!(shown(&opened.model), expected);
}

#[test]
fn normalisation_behind_shape_and_channel_swap_is_found() {
    let nodes = vec![
        node("Shape", "image", "size"),
        node("Gather", "image swap", "g").attr_int("axis", 1),
        node("Mul", "g k", "n"),
        node("Reshape", "n size", "scores"),
    ];
    let mut file = typed(DataType::Float, &[3, 8, 6], nodes);
    file.set_initializer("swap", &[3], &[2_i64, 1, 0]);
    let by = opened(file, Layout::Auto).ports.input.normalised_by;
    assert_eq!(by.as_deref(), Some("n"));
}
