use super::*;
use crate::fixture::small::{model, node, port, shown};
use crate::open::{OpenOptions, Opened, open};
use crate::proto::DataType;
use crate::{Shapes, check, simplify};

/// Opens a graph of `nodes`, the first of which reads `image`, and checks that its ports can be restored after
/// [`simplify`].
fn opened(nodes: Vec<NodeProto>, scores: &[usize]) -> Opened {
    let mut file = model(13, &[3, 2, 2], nodes, scores);
    file.set_initializer("to", &[2], &[0_i64, -1]);
    file.graph_mut().value_info = vec![port("p", DataType::Float, &[5, 1, 1])];
    let opened = open(file.clone(), None, &OpenOptions::default(), &|_| {
        Shapes::new()
    })
    .unwrap();
    check(&opened.model).unwrap();
    let mut whole = opened.model.clone();
    simplify(&mut whole, &Shapes::new()).unwrap();
    opened.ports.restore(&mut whole);
    check(&whole).unwrap();
    assert_eq!(whole.graph().output, file.graph().output);
    assert_eq!(operators(&whole), operators(&file));
    opened
}

fn operators(model: &Model) -> Vec<&str> {
    model.nodes().iter().map(NodeProto::op_type).collect()
}

fn exp() -> NodeProto {
    node("Exp", "image", "l")
}

#[test]
fn logits_output_is_unchanged() {
    let opened = opened(vec![node("Exp", "image", "scores")], &[5]);
    assert_eq!(opened.ports.output.kind, ScoreKind::Logit);
    assert_eq!(shown(&opened.model), ["Exp(image)->scores"]);
}

#[test]
fn softmax_and_sigmoid_are_removed_and_restored() {
    for (op, kind) in [
        ("Softmax", ScoreKind::Probability),
        ("LogSoftmax", ScoreKind::LogProbability),
        ("Sigmoid", ScoreKind::IndependentProbability),
    ] {
        let opened = opened(vec![exp(), node(op, "l", "scores")], &[5]);
        assert_eq!(opened.ports.output.kind, kind);
        assert_eq!(shown(&opened.model), ["Exp(image)->l"]);
        let output = opened.model.output().unwrap();
        assert_eq!((output.name(), output.shape().unwrap()[1]), ("l", Some(5)));
        let mut whole = opened.model.clone();
        opened.ports.restore(&mut whole);
        assert_eq!(shown(&whole)[1], format!("{op}(l)->scores"));
        let axis = (op != "Sigmoid").then_some(-1);
        assert_eq!(
            whole.nodes()[1].int("axis"),
            axis,
            "the axis is written out"
        );
    }
}

#[test]
fn reshape_constants_after_softmax_are_restored() {
    let soft = node("Softmax", "l", "p").attr_int("axis", 1);
    let opened = opened(vec![exp(), soft, node("Reshape", "p to", "scores")], &[5]);
    assert_eq!(opened.ports.output.kind, ScoreKind::Probability);
    let output = opened.model.output().unwrap();
    assert_eq!((output.name(), output.shape()), ("l", None));
    let mut whole = opened.model.clone();
    simplify(&mut whole, &Shapes::new()).unwrap();
    assert!(whole.graph().find_initializer("to").is_none());
    opened.ports.restore(&mut whole);
    let expected = ["Exp(image)->l", "Softmax(l)->p", "Reshape(p,to)->scores"];
    assert_eq!(shown(&whole), expected);
}

#[test]
fn cast_after_softmax_moves_to_logits() {
    let nodes = vec![
        exp(),
        node("Softmax", "l", "s"),
        node("Cast", "s", "scores").attr_int("to", 1),
    ];
    let opened = opened_without_count(nodes);
    let expected = ["Exp(image)->l", "Cast(l)->l.logits"];
    assert_eq!(shown(&opened.model), expected);
    let mut whole = opened.model.clone();
    opened.ports.restore(&mut whole);
    assert_eq!(shown(&whole)[2], "Softmax(l.logits)->scores");
}

fn opened_without_count(nodes: Vec<NodeProto>) -> Opened {
    let file = model(13, &[3, 2, 2], nodes, &[5]);
    open(file, None, &OpenOptions::default(), &|_| Shapes::new()).unwrap()
}

#[test]
fn only_softmax_over_classes_is_removed() {
    let kind = |axis: Option<i64>, scores: &[usize]| {
        let soft = node("Softmax", "l", "scores");
        let soft = match axis {
            Some(axis) => soft.attr_int("axis", axis),
            None => soft,
        };
        opened(vec![exp(), soft], scores).ports.output.kind
    };
    let (head, none) = (ScoreKind::Probability, ScoreKind::Logit);
    assert_eq!(kind(None, &[5]), head);
    assert_eq!(kind(Some(1), &[5]), head);
    assert_eq!(kind(Some(1), &[5, 1, 1]), head);
    assert_eq!(kind(Some(-3), &[5, 1, 1]), head);
    assert_eq!(kind(Some(-1), &[5, 1, 1]), none);
    assert_eq!(kind(Some(1), &[5, 2, 2]), none);
    for axis in [0, -2, 7, i64::MIN, i64::MAX] {
        assert_eq!(kind(Some(axis), &[5]), none, "{axis}");
        assert_eq!(kind(Some(axis), &[1]), none, "{axis}");
    }
}

#[test]
fn softmax_with_second_reader_is_kept() {
    let nodes = vec![
        exp(),
        node("Softmax", "l", "s").attr_int("axis", 1),
        node("Exp", "s", "e"),
        node("Add", "s e", "scores"),
    ];
    let opened = opened(nodes, &[5]);
    assert_eq!(opened.ports.output.kind, ScoreKind::Logit);
    assert_eq!(opened.model.nodes().len(), 4);
}

#[test]
fn softmax_by_parts_with_missing_inputs_does_not_panic() {
    let nodes = vec![
        exp(),
        node("ReduceMax", "", "top"),
        node("Sub", "l top", "s"),
        node("Exp", "s", "e"),
        node("ReduceSum", "e", "sum"),
        node("Div", "e sum", "scores"),
    ];
    let kind = opened_without_count(nodes).ports.output.kind;
    assert_eq!(kind, ScoreKind::Logit);
}

#[test]
fn half_precision_output_is_defined_once() {
    for (end, whole) in [
        (
            "Exp",
            &[
                "Exp(image)->scores.narrow",
                "Cast(scores.narrow)->scores.float",
                "Cast(scores.float)->scores",
            ][..],
        ),
        (
            "Softmax",
            &[
                "Cast(image)->image.float",
                "Softmax(image.float)->scores.float",
                "Cast(scores.float)->scores",
            ],
        ),
    ] {
        let mut file = model(
            13,
            &[3, 1, 1],
            vec![node(end, "image", "scores")],
            &[3, 1, 1],
        );
        if end == "Softmax" {
            file.graph_mut().node[0] = node(end, "image", "scores").attr_int("axis", 1);
        }
        file.graph_mut().output = vec![port("scores", DataType::Float16, &[3, 1, 1])];
        let options = OpenOptions::default();
        let opened = open(file.clone(), None, &options, &|_| Shapes::new()).unwrap();
        let output = opened.model.output().unwrap();
        assert_eq!(output.element(), Some(DataType::Float));
        check(&opened.model).unwrap();
        let mut restored = opened.model.clone();
        opened.ports.restore(&mut restored);
        check(&restored).unwrap();
        assert_eq!(shown(&restored), whole);
        assert_eq!(restored.graph().output, file.graph().output);
    }
}

/// `p.view(p.size(0), -1)` of the value `p`, as exporters write it.
fn view() -> Vec<NodeProto> {
    vec![
        node("Shape", "p", "p.shape"),
        node("Gather", "p.shape zero", "n"),
        node("Concat", "n rest", "to_n").attr_int("axis", 0),
        node("Reshape", "p to_n", "scores"),
    ]
}

#[test]
fn reshape_by_size_of_scores_is_part_of_the_end() {
    for (op, kind) in [
        ("Softmax", ScoreKind::Probability),
        ("LogSoftmax", ScoreKind::LogProbability),
        ("Sigmoid", ScoreKind::IndependentProbability),
        ("", ScoreKind::Probability),
    ] {
        let mut nodes = vec![exp()];
        if op.is_empty() {
            nodes.extend(by_parts(1, 1));
        } else {
            let axis = (op != "Sigmoid").then_some(1);
            let end = node(op, "l", "p");
            nodes.push(axis.map_or(end.clone(), |a| end.attr_int("axis", a)));
        }
        nodes.extend(view());
        let mut file = model(13, &[5, 1, 1], nodes, &[5]);
        file.set_initializer("zero", &[1], &[0_i64]);
        file.set_initializer("rest", &[1], &[-1_i64]);
        file.set_initializer("axis", &[1], &[1_i64]);
        let options = OpenOptions::default();
        let opened = open(file.clone(), None, &options, &|_| Shapes::new()).unwrap();
        assert_eq!(opened.ports.output.kind, kind, "{op}");
        assert_eq!(shown(&opened.model), ["Exp(image)->l"]);
        let mut whole = opened.model.clone();
        simplify(&mut whole, &Shapes::new()).unwrap();
        opened.ports.restore(&mut whole);
        check(&whole).unwrap();
        let end = if op.is_empty() { "Softmax" } else { op };
        let expected = [
            "Exp(image)->l".to_owned(),
            format!("{end}(l)->p"),
            "Shape(p)->p.shape".to_owned(),
            "Gather(p.shape,zero)->n".to_owned(),
            "Concat(n,rest)->to_n".to_owned(),
            "Reshape(p,to_n)->scores".to_owned(),
        ];
        assert_eq!(shown(&whole), expected);
    }
}

/// A softmax of `l` along the constant `axis` with the result `p`, from a maximum along `top`.
fn by_parts(top: i64, keep: i64) -> Vec<NodeProto> {
    vec![
        node("ReduceMax", "l", "top").attr_ints("axes", &[top]),
        node("Sub", "l top", "s"),
        node("Exp", "s", "e"),
        node("ReduceSum", "e axis", "sum").attr_int("keepdims", keep),
        node("Div", "e sum", "p"),
    ]
}

#[test]
fn softmax_by_parts_keeps_its_axis() {
    let kind = |axes: &[i64], top: i64, keep: i64, shape: &[usize]| {
        let mut nodes = vec![exp()];
        nodes.extend(by_parts(top, keep));
        nodes.last_mut().unwrap().output = vec!["scores".to_owned()];
        let mut file = model(13, &[5, 2, 2], nodes, shape);
        file.set_initializer("axis", &[axes.len()], axes);
        let options = OpenOptions::default();
        let mut opened = open(file, None, &options, &|_| Shapes::new()).unwrap();
        opened.ports.restore(&mut opened.model);
        check(&opened.model).unwrap();
        let last = opened.model.nodes().last().unwrap();
        (opened.ports.output.kind, last.int("axis"))
    };
    let probabilities = ScoreKind::Probability;
    assert_eq!(kind(&[1], 1, 1, &[5, 1, 1]), (probabilities, Some(1)));
    assert_eq!(kind(&[-1], -1, 1, &[5]), (probabilities, Some(-1)));
    let none = (ScoreKind::Logit, None);
    assert_eq!(
        kind(&[1], 1, 1, &[5, 2, 2]),
        none,
        "more than one score per class"
    );
    assert_eq!(kind(&[-1], -1, 1, &[5, 1, 1]), none, "a length of 1");
    assert_eq!(
        kind(&[1], 2, 1, &[5, 1, 1]),
        none,
        "the maximum has another axis"
    );
    assert_eq!(kind(&[1, 2], 1, 1, &[5, 1, 1]), none, "two axes");
    assert_eq!(kind(&[1], 1, 0, &[5, 1, 1]), none, "without keepdims");
}

#[test]
fn flattened_softmax_of_opset_11_is_removed_and_restored() {
    let nodes = vec![
        exp(),
        node("Softmax", "l", "p"),
        node("Reshape", "p to", "scores"),
    ];
    let mut file = model(11, &[5, 2, 2], nodes, &[5]);
    file.set_initializer("to", &[2], &[0_i64, -1]);
    let kinds = |shape: &[usize]| {
        let shapes = Shapes::from([("l".to_owned(), shape.to_vec())]);
        let infer = |_: &Model| shapes.clone();
        let mut opened = open(file.clone(), None, &OpenOptions::default(), &infer).unwrap();
        let kind = opened.ports.output.kind;
        opened.ports.restore(&mut opened.model);
        check(&opened.model).unwrap();
        (kind, shown(&opened.model))
    };
    let (kind, whole) = kinds(&[1, 1, 5]);
    assert_eq!(kind, ScoreKind::Probability);
    assert_eq!(whole[1..], ["Softmax(l)->p", "Reshape(p,to)->scores"]);
    let (kind, whole) = kinds(&[1, 5, 4]);
    assert_eq!(kind, ScoreKind::Probability);
    let expected = [
        "Shape(l)->p.shape",
        "Flatten(l)->p.rows",
        "Softmax(p.rows)->p.soft",
        "Reshape(p.soft,p.shape)->p",
        "Reshape(p,to)->scores",
    ];
    assert_eq!(whole[1..], expected);
}

#[test]
fn inferred_shape_shows_the_class_axis() {
    let kind = |axis: i64, shape: &[usize]| {
        let soft = node("Softmax", "l", "p").attr_int("axis", axis);
        let nodes = vec![exp(), soft, node("Reshape", "p to", "scores")];
        let mut file = model(13, &[5, 2, 2], nodes, &[5]);
        file.set_initializer("to", &[2], &[0_i64, -1]);
        let infer = |_: &Model| Shapes::from([("l".to_owned(), shape.to_vec())]);
        let opened = open(file, None, &OpenOptions::default(), &infer).unwrap();
        opened.ports.output.kind
    };
    let (head, none) = (ScoreKind::Probability, ScoreKind::Logit);
    assert_eq!(kind(2, &[1, 1, 5]), head);
    assert_eq!(kind(1, &[1, 1, 5]), none);
    assert_eq!(kind(-1, &[1, 5, 1]), none);
    assert_eq!(kind(-2, &[1, 5, 1]), head);
}
