use tailfold_spec::Head;

use super::*;
use crate::fixture;
use crate::proto::{Dimension, GraphProto, ModelProto, OperatorSetIdProto};

#[test]
fn a_linear_network() {
    insta::assert_snapshot!(text(&fixture::model(Head::Linear)));
}

#[test]
fn a_cosine_head() {
    let text = text(&fixture::model(fixture::COSINE));
    let head: Vec<&str> = text
        .lines()
        .skip_while(|line| !line.starts_with("%pool"))
        .collect();
    insta::assert_snapshot!(head.join("\n"));
}

#[test]
fn control_characters_in_names_are_escaped() {
    let mut graph = GraphProto {
        name: Some("a\x1b[2J\nb".to_owned()),
        ..GraphProto::default()
    };
    let shape = vec![Dimension::default(), Dimension::symbol("b\n")];
    graph
        .input
        .push(ValueInfoProto::tensor("x\n", DataType::Int8, shape));
    graph.node.push(
        NodeProto::new("Op", "", ["x\n", "", "c"], ["y\r"])
            .attr_str("mode", "\u{7}")
            .attr_float("alpha", 0.5),
    );
    graph.initializer.push(TensorProto {
        name: Some("c".to_owned()),
        data_type: Some(99),
        ..TensorProto::default()
    });
    let proto = ModelProto {
        graph: Some(graph),
        opset_import: vec![OperatorSetIdProto {
            domain: Some("d".to_owned()),
            version: None,
        }],
        ..ModelProto::default()
    };
    let text = text(&Model::from_proto(proto, "x").unwrap());
    assert!(
        text.chars().all(|c| c == '\n' || !c.is_control()),
        "{text:?}"
    );
    assert_eq!(text.lines().count(), 4, "{text}");
    insta::assert_snapshot!(text.lines().last().unwrap(), @r"%y\r = Op[mode=\u{7} alpha=0.5](%x\n, _, c type 99[])");
}
