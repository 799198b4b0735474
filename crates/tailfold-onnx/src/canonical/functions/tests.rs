use super::*;
use crate::canonical;
use crate::fixture::small::{body as branch, model, node, shown, truth};
use crate::proto::{AttributeProto, AttributeType, OperatorSetIdProto};

fn call(op: &str, inputs: &str, outputs: &str) -> NodeProto {
    NodeProto {
        domain: Some("local".to_owned()),
        ..node(op, inputs, outputs)
    }
}

fn function(name: &str, inputs: &[&str], outputs: &[&str], node: Vec<NodeProto>) -> FunctionProto {
    let names = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect();
    FunctionProto {
        name: Some(name.to_owned()),
        domain: Some("local".to_owned()),
        input: names(inputs),
        output: names(outputs),
        node,
        ..FunctionProto::default()
    }
}

fn with(functions: Vec<FunctionProto>, nodes: Vec<NodeProto>) -> Model {
    let mut proto = model(18, &[3], nodes, &[3]).proto().clone();
    proto.functions = functions;
    proto.opset_import.push(OperatorSetIdProto {
        domain: Some("local".to_owned()),
        version: Some(1),
    });
    Model::from_proto(proto, "test").unwrap()
}

/// The attribute `name`, which refers to the function attribute `refers`.
fn reference(name: &str, refers: &str) -> AttributeProto {
    AttributeProto {
        ref_attr_name: Some(refers.to_owned()),
        ..AttributeProto::named(name, AttributeType::Float)
    }
}

#[test]
fn inlined_calls_have_unique_names() {
    let twice = function(
        "Twice",
        &["x"],
        &["y"],
        vec![node("Exp", "x", "inner"), node("Tanh", "inner", "y")],
    );
    let nodes = vec![call("Twice", "image", "a"), call("Twice", "a", "scores")];
    let mut model = with(vec![twice], nodes);
    canonical(&mut model, None).unwrap();
    let expected = [
        "Exp(image)->a/inner#1",
        "Tanh(a/inner#1)->a",
        "Exp(a)->scores/inner#2",
        "Tanh(scores/inner#2)->scores",
    ];
    assert_eq!(shown(&model), expected);
    assert!(model.functions().is_empty());
    assert_eq!(model.proto().opset_import.len(), 1);
    crate::check(&model).unwrap();
}

#[test]
fn attributes_come_from_the_call_or_the_default() {
    let leak = NodeProto {
        attribute: vec![reference("alpha", "slope")],
        ..node("LeakyRelu", "x", "y")
    };
    let mut leaky = function("Leaky", &["x"], &["y"], vec![leak]);
    let nodes = vec![
        call("Leaky", "image", "a").attr_float("slope", 0.5),
        call("Leaky", "a", "scores"),
    ];
    let alphas = |function: FunctionProto| -> Vec<Option<f32>> {
        let mut model = with(vec![function], nodes.clone());
        canonical(&mut model, None).unwrap();
        model.nodes().iter().map(|n| n.float("alpha")).collect()
    };
    assert_eq!(alphas(leaky.clone()), [Some(0.5), None]);
    leaky.attribute_proto.push(AttributeProto {
        f: Some(0.25),
        ..AttributeProto::named("slope", AttributeType::Float)
    });
    assert_eq!(alphas(leaky), [Some(0.5), Some(0.25)]);
}

#[test]
fn nested_functions_are_inlined_and_recursion_is_error() {
    let inner = function("Inner", &["x"], &["y"], vec![node("Exp", "x", "y")]);
    let outer = function("Outer", &["x"], &["y"], vec![call("Inner", "x", "y")]);
    let nodes = vec![call("Outer", "image", "scores")];
    let mut model = with(vec![inner, outer.clone()], nodes.clone());
    canonical(&mut model, None).unwrap();
    assert_eq!(shown(&model), ["Exp(image)->scores"]);
    let back = function("Inner", &["x"], &["y"], vec![call("Outer", "x", "y")]);
    let error = canonical(&mut with(vec![back, outer], nodes.clone()), None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the model's own functions are recursive, or nested deeper than 16 calls"
    );
    let doubled = vec![call("Outer", "x", "a"), call("Outer", "a", "y")];
    let growing = function("Outer", &["x"], &["y"], doubled);
    let error = canonical(&mut with(vec![growing], nodes), None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the model's own functions expand to more nodes than a model may have"
    );
}

#[test]
fn branches_in_functions_read_values_of_the_function() {
    let leak = NodeProto {
        attribute: vec![reference("alpha", "slope")],
        ..node("LeakyRelu", "inner", "leaked")
    };
    let constant = AttributeProto {
        t: Some(truth("", true)),
        ..AttributeProto::named("value", AttributeType::Tensor)
    };
    let chosen = function(
        "Chosen",
        &["x"],
        &["y"],
        vec![
            node("Constant", "", "yes").attr(constant),
            node("Exp", "x", "inner"),
            node("If", "yes", "y")
                .attr(branch("then_branch", vec![leak], &["leaked"], vec![]))
                .attr(branch("else_branch", vec![], &["x"], vec![])),
        ],
    );
    let nodes = vec![call("Chosen", "image", "scores").attr_float("slope", 0.5)];
    let mut model = with(vec![chosen], nodes);
    canonical(&mut model, None).unwrap();
    crate::check(&model).unwrap();
    let expected = [
        "Exp(image)->scores/inner#1",
        "LeakyRelu(scores/inner#1)->scores",
    ];
    assert_eq!(shown(&model), expected);
    assert_eq!(model.nodes()[1].float("alpha"), Some(0.5));
}

#[test]
fn calls_in_branches_are_inlined() {
    let inner = function("Inner", &["x"], &["y"], vec![node("Exp", "x", "y")]);
    let taken = vec![call("Inner", "image", "e")];
    let choice = node("If", "yes", "scores")
        .attr(branch("then_branch", taken.clone(), &["e"], vec![]))
        .attr(branch("else_branch", taken, &["e"], vec![]));
    let mut model = with(vec![inner], vec![choice]);
    model.graph_mut().initializer.push(truth("yes", true));
    canonical(&mut model, None).unwrap();
    assert_eq!(shown(&model), ["Exp(image)->scores"]);
}

#[test]
fn copies_of_large_functions_are_limited() {
    let value = AttributeProto {
        t: Some(crate::proto::TensorProto::new(
            "",
            &[1 << 24],
            &vec![0_u8; 1 << 24],
        )),
        ..AttributeProto::named("value", AttributeType::Tensor)
    };
    let nodes = vec![
        node("Constant", "", "large").attr(value),
        node("Add", "x large", "y"),
    ];
    let large = function("Large", &["x"], &["y"], nodes);
    let calls = (0..17).map(|i| call("Large", "image", &format!("a{i}")));
    let mut model = with(vec![large], calls.collect());
    let error = inline(&mut model).unwrap_err();
    let expected = "the model's own functions are too large for the number of their calls";
    assert_eq!(error.to_string(), expected);
}
