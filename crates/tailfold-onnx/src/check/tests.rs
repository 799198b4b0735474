use tailfold_spec::Head;

use super::*;
use crate::fixture;
use crate::proto::{SparseTensorProto, ValueInfoProto};

fn refused(edit: impl Fn(&mut GraphProto), expect: &str) {
    let mut model = fixture::model(fixture::COSINE);
    edit(model.graph_mut());
    assert_eq!(check(&model).unwrap_err().to_string(), expect);
}

#[test]
fn built_graphs_pass() {
    for head in [Head::Linear, fixture::COSINE] {
        assert_eq!(check(&fixture::model(head)), Ok(()));
    }
}

#[test]
fn unknown_operators_are_left_to_the_runtime() {
    for (operator, domain) in [("Gelu", ""), ("Relu", "com.microsoft"), ("", "")] {
        let mut model = fixture::model(fixture::COSINE);
        let node = &mut model.graph_mut().node[1];
        node.op_type = Some(operator.to_owned());
        node.domain = Some(domain.to_owned());
        node.input.push("image".to_owned());
        assert_eq!(check(&model), Ok(()), "{domain}.{operator}");
    }
}

#[test]
fn names_are_unique() {
    refused(
        |g| g.node[1].name = g.node[0].name.clone(),
        "two nodes are called `stem.conv`",
    );
    refused(
        |g| g.node[1].output = g.node[0].output.clone(),
        "the value `stem.conv` is defined twice",
    );
    refused(
        |g| g.node[1].output[0] = "image".to_owned(),
        "the value `image` is defined twice",
    );
    refused(
        |g| g.node[1].output[0] = "head.bias".to_owned(),
        "the value `head.bias` is defined twice",
    );
    refused(
        |g| g.initializer.push(g.initializer[0].clone()),
        "the value `stem.conv.weight` is defined twice",
    );
    refused(
        |g| g.input.push(g.input[0].clone()),
        "the value `image` is defined twice",
    );
    refused(
        |g| g.initializer[0].name = None,
        "an initializer has no name",
    );
    refused(
        |g| g.input.push(ValueInfoProto::default()),
        "an input has no name",
    );
    refused(
        |g| g.node[1].output.clear(),
        "the output of node `stem.relu` has no name",
    );
    let mut old = fixture::model(Head::Linear);
    old.graph_mut().input.push(ValueInfoProto {
        name: Some("head.bias".to_owned()),
        ..Default::default()
    });
    assert_eq!(
        check(&old),
        Ok(()),
        "before IR version 4 initializers are inputs too"
    );
}

#[test]
fn values_are_defined_before_their_use() {
    refused(
        |g| g.node.swap(0, 1),
        "node `stem.relu` uses `stem.conv` before it is defined",
    );
    refused(
        |g| drop(g.node.remove(0)),
        "node `stem.relu` uses `stem.conv` before it is defined",
    );
    refused(
        |g| drop(g.remove_initializer("head.bias")),
        "node `head` uses `head.bias` before it is defined",
    );
    refused(
        |g| drop(g.node.pop()),
        "the graph's output uses `logits` before it is defined",
    );
}

#[test]
fn operators_have_their_inputs() {
    refused(
        |g| g.node[0].input.truncate(1),
        "node `stem.conv` (Conv) has 1 inputs, expected 2 to 3",
    );
    refused(
        |g| g.node[0].input[1].clear(),
        "node `stem.conv` (Conv) has 1 inputs, expected 2 to 3",
    );
    refused(
        |g| g.node[1].input.push("image".to_owned()),
        "node `stem.relu` (Relu) has 2 inputs, expected 1",
    );
    let mut model = fixture::model(Head::Linear);
    model.graph_mut().node[0].input[2].clear();
    assert_eq!(check(&model), Ok(()), "a bias may be left out");
}

#[test]
fn infinity_is_sound_as_filling_but_not_as_weight() {
    let filling = |value: f32| {
        let mut model = fixture::model(Head::Linear);
        model.set_initializer_f32("low", &[], &[value]);
        let graph = model.graph_mut();
        let relu = &mut graph.node[1];
        relu.op_type = Some("Clip".to_owned());
        relu.input.push("low".to_owned());
        check(&model)
    };
    assert_eq!(filling(f32::NEG_INFINITY), Ok(()));
    assert_eq!(
        filling(f32::NAN).unwrap_err().to_string(),
        "the initializer `low` has NaN at index 0"
    );
}

#[test]
fn constants_are_whole_and_finite() {
    refused(
        |g| g.initializer[0].raw_data.as_mut().unwrap().truncate(100),
        "tensor `stem.conv.weight` of shape [4, 3, 3, 3] needs 432 bytes but has 100",
    );
    refused(
        |g| g.set_initializer(TensorProto::new("head.bias", &[2], &[0.0, f32::INFINITY])),
        "the initializer `head.bias` has inf at index 1",
    );
    let values = TensorProto::new("s", &[1], &[1.0_f32]);
    refused(
        |g| {
            g.sparse_initializer.push(SparseTensorProto {
                values: Some(values.clone()),
                ..Default::default()
            })
        },
        "the initializer `s` is sparse, which is not supported",
    );
}

#[test]
fn operators_need_a_version() {
    let mut proto = fixture::model(Head::Linear).proto().clone();
    proto.opset_import[0].domain = Some("ai.onnx.ml".to_owned());
    let model = Model::from_proto(proto, "x").unwrap();
    assert_eq!(
        check(&model).unwrap_err().to_string(),
        "the model does not say which version of the standard operators it uses"
    );
}
