use super::*;
use crate::fixture::small::{model, node, port, shown};
use crate::open::{OpenOptions, Opened, open};
use crate::proto::DataType;
use crate::{Shapes, check, simplify};

/// Opens a graph of `nodes`, the first of which reads `image`, and checks that its ports can be restored after it was
/// simplified.
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
fn logits_stay_as_they_are() {
    let opened = opened(vec![node("Exp", "image", "scores")], &[5]);
    assert_eq!(opened.ports.output.kind, ScoreKind::Logit);
    assert_eq!(shown(&opened.model), ["Exp(image)->scores"]);
}

#[test]
fn probabilities_are_taken_off_and_put_back() {
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
fn constants_of_a_reshape_behind_the_softmax_come_back() {
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
fn a_cast_behind_the_softmax_moves_behind_the_logits() {
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
fn only_a_softmax_over_the_classes_is_a_head() {
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
fn a_softmax_with_another_reader_stays() {
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
