use super::*;
use crate::canonical;
use crate::fixture::small::{body, model, node, shown, truth};
use crate::proto::{AttributeProto, AttributeType, TensorProto};

/// An If that computes `scores` as Exp of the image if the condition is true, and as Tanh of twice the image otherwise.
fn choice(condition: &str) -> NodeProto {
    let constant = TensorProto::new("two", &[], &[2.0_f32]);
    node("If", condition, "scores")
        .attr(body(
            "then_branch",
            vec![node("Exp", "image", "e")],
            &["e"],
            vec![],
        ))
        .attr(body(
            "else_branch",
            vec![node("Mul", "image two", "m"), node("Tanh", "m", "t")],
            &["t"],
            vec![constant],
        ))
}

fn with(opset: i64, nodes: Vec<NodeProto>, truths: &[(&str, bool)]) -> Model {
    let mut model = model(opset, &[3, 1, 1], nodes, &[3, 1, 1]);
    for (name, value) in truths {
        model.graph_mut().initializer.push(truth(name, *value));
    }
    model
}

#[test]
fn if_with_constant_condition_becomes_its_branch() {
    let mut model = with(13, vec![choice("c")], &[("c", true)]);
    canonical(&mut model, None).unwrap();
    assert_eq!(shown(&model), ["Exp(image)->scores"]);
    let mut model = with(13, vec![choice("c")], &[("c", false)]);
    canonical(&mut model, None).unwrap();
    let expected = ["Mul(image,scores/two)->scores/m", "Tanh(scores/m)->scores"];
    assert_eq!(shown(&model), expected);
    assert_eq!(model.initializer_f32("scores/two").unwrap().1, [2.0]);
    crate::check(&model).unwrap();
}

#[test]
fn nested_branches_read_values_of_outer_branches() {
    let inner = node("If", "c", "i")
        .attr(body(
            "then_branch",
            vec![node("Exp", "s", "e")],
            &["e"],
            vec![],
        ))
        .attr(body("else_branch", vec![], &["s"], vec![]));
    let outer = |taken: &str, other: &str| {
        let nodes = vec![node("Sqrt", "image", "s"), inner.clone()];
        node("If", "c", "scores")
            .attr(body(taken, nodes, &["i"], vec![]))
            .attr(body(other, vec![], &["image"], vec![]))
    };
    let mut model = with(
        13,
        vec![outer("then_branch", "else_branch")],
        &[("c", true)],
    );
    canonical(&mut model, None).unwrap();
    crate::check(&model).unwrap();
    let expected = ["Sqrt(image)->scores/s", "Exp(scores/s)->scores"];
    assert_eq!(shown(&model), expected);
    let mut model = with(
        13,
        vec![outer("else_branch", "then_branch")],
        &[("c", false)],
    );
    canonical(&mut model, None).unwrap();
    assert_eq!(shown(&model), ["Sqrt(image)->scores"]);
}

#[test]
fn condition_computed_from_constants_is_folded() {
    let mut model = with(
        13,
        vec![
            node("Shape", "w", "shape"),
            node("Gather", "shape zero", "length"),
            node("Equal", "length one", "c"),
            choice("c"),
        ],
        &[],
    );
    model.set_initializer_f32("w", &[1, 5], &[0.0; 5]);
    model.set_initializer("zero", &[], &[0_i64]);
    model.set_initializer("one", &[], &[1_i64]);
    canonical(&mut model, None).unwrap();
    assert_eq!(shown(&model), ["Exp(image)->scores"]);
}

#[test]
fn condition_computed_from_inferred_shapes_is_folded() {
    let nodes = vec![
        node("Relu", "image", "r"),
        node("Shape", "r", "shape"),
        node("Gather", "shape two", "height"),
        node("Equal", "height one", "c"),
        choice("c"),
    ];
    let mut model = with(13, nodes, &[]);
    model.set_initializer("two", &[], &[2_i64]);
    model.set_initializer("one", &[], &[1_i64]);
    let error = canonical(&mut model.clone(), None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "node `scores`: If with a condition that is not a constant is not supported"
    );
    let infer = |before: &Model| {
        assert_eq!(before.nodes().last().unwrap().name(), "c");
        Shapes::from([("r".to_owned(), vec![1, 3, 1, 1])])
    };
    crate::canonical::canonical_with(&mut model, None, &infer).unwrap();
    assert_eq!(shown(&model), ["Exp(image)->scores"]);
}

#[test]
fn opset_11_operators_in_branches_become_opset_13() {
    let squeeze = node("Squeeze", "image", "s").attr_ints("axes", &[2, 3]);
    let choice = node("If", "c", "scores")
        .attr(body("then_branch", vec![squeeze], &["s"], vec![]))
        .attr(body("else_branch", vec![], &["image"], vec![]));
    let mut model = with(11, vec![choice], &[("c", true)]);
    canonical(&mut model, None).unwrap();
    let squeeze = &model.nodes()[0];
    assert_eq!(squeeze.ints("axes"), None);
    let axes = model.initializer::<i64>(&squeeze.input[1]).unwrap().1;
    assert_eq!(axes, [2, 3]);
}

#[test]
fn constants_in_branches_become_initializers() {
    let value = AttributeProto {
        ints: vec![2, 3],
        ..AttributeProto::named("value_ints", AttributeType::Ints)
    };
    let nodes = vec![
        node("Constant", "", "axes").attr(value),
        node("Squeeze", "image axes", "s"),
    ];
    let choice = node("If", "c", "scores")
        .attr(body("then_branch", nodes, &["s"], vec![]))
        .attr(body("else_branch", vec![], &["image"], vec![]));
    let mut model = with(13, vec![choice], &[("c", true)]);
    canonical(&mut model, None).unwrap();
    assert_eq!(shown(&model), ["Squeeze(image,scores/axes)->scores"]);
}

#[test]
fn loops_and_damaged_branches_are_errors() {
    let refused = |node: NodeProto, expect: &str| {
        let error = canonical(&mut with(13, vec![node], &[("c", true)]), None).unwrap_err();
        assert_eq!(error.to_string(), expect);
    };
    let again = node("Loop", "_ c image", "scores").attr(body("body", vec![], &["x"], vec![]));
    refused(
        again,
        "node `scores`: Loop with a condition that is not a constant is not supported",
    );
    let none = node("If", "c", "scores").attr(body("else_branch", vec![], &["image"], vec![]));
    refused(
        none,
        "node `scores`: If with a condition that is not a constant is not supported",
    );
    let nameless = vec![NodeProto {
        output: vec![],
        ..node("Add", "image image", "a")
    }];
    let broken = node("If", "c", "scores").attr(body("then_branch", nameless, &["image"], vec![]));
    refused(broken, "the output of node `scores/a` has no name");
}

#[test]
fn condition_from_shapes_does_not_fix_the_batch() {
    let nodes = vec![
        node("Shape", "image", "shape"),
        node("Gather", "shape two", "height"),
        node("Equal", "height one", "c"),
        choice("c"),
        node("Reshape", "scores shape", "again"),
    ];
    let mut model = model(13, &[3, 1, 1], nodes, &[3, 1, 1]);
    model.graph_mut().output[0].name = Some("again".to_owned());
    model.set_initializer("two", &[], &[2_i64]);
    model.set_initializer("one", &[], &[1_i64]);
    let infer = |_: &Model| Shapes::from([("image".to_owned(), vec![1, 3, 1, 1])]);
    crate::canonical::canonical_with(&mut model, None, &infer).unwrap();
    let expected = [
        "Shape(image)->shape",
        "Exp(image)->scores/e",
        "Reshape(scores/e,shape)->again",
    ];
    assert_eq!(shown(&model), expected);
}

#[test]
fn too_many_nodes_in_branches_are_an_error() {
    let nodes: Vec<NodeProto> = (0..crate::limits::MOST_NODES)
        .map(|i| node("Exp", "image", &format!("e{i}")))
        .collect();
    let choice = node("If", "c", "scores")
        .attr(body("then_branch", nodes, &["e0"], vec![]))
        .attr(body("else_branch", vec![], &["image"], vec![]));
    let error = canonical(&mut with(13, vec![choice], &[("c", true)]), None).unwrap_err();
    let expected = "the graph has 10001 nodes, expected at most 10000";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn many_branches_with_conditions_from_shapes_end_early() {
    let mut nodes = vec![node("Relu", "image", "x0")];
    for i in 0..1_000 {
        let value = format!("x{i}");
        nodes.push(node("Shape", &value, &format!("s{i}")));
        nodes.push(node("Gather", &format!("s{i} zero"), &format!("h{i}")));
        nodes.push(node("Cast", &format!("h{i}"), &format!("c{i}")).attr_int("to", 9));
        let next = format!("x{}", i + 1);
        let branch = |name| {
            let inner = vec![node("Exp", &value, "e")];
            body(name, inner, &["e"], vec![])
        };
        let branches = [branch("then_branch"), branch("else_branch")];
        let choice = node("If", &format!("c{i}"), &next);
        nodes.push(branches.into_iter().fold(choice, NodeProto::attr));
    }
    nodes.push(node("Relu", "x1000", "scores"));
    let mut model = with(13, nodes, &[]);
    model.set_initializer("zero", &[], &[0_i64]);
    let calls = std::cell::Cell::new(0_usize);
    let infer = |before: &Model| {
        calls.set(calls.get() + before.nodes().len());
        let values = before.nodes().iter().map(|n| n.output[0].clone());
        values.map(|value| (value, vec![1, 3, 1, 1])).collect()
    };
    let error = crate::canonical::canonical_with(&mut model, None, &infer).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("need more time than the loader spends"),
        "{error}"
    );
    assert!(calls.get() <= 50_000, "{}", calls.get());
}
