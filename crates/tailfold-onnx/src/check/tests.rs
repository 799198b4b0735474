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
        check(&fixture::model(head)).unwrap();
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
        assert!(check(&model).is_ok(), "{domain}.{operator}");
    }
}

#[test]
fn missing_and_duplicate_names_are_errors() {
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
    assert!(
        check(&old).is_ok(),
        "before IR version 4 initializers are inputs too"
    );
}

#[test]
fn value_read_before_its_definition_is_error() {
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
fn wrong_number_of_inputs_is_error() {
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
    assert!(check(&model).is_ok(), "a bias may be left out");
}

#[test]
fn infinite_bound_is_valid_and_nan_is_error() {
    let clipped = |value: f32| {
        let mut model = fixture::model(Head::Linear);
        model.set_initializer_f32("low", &[], &[value]);
        let graph = model.graph_mut();
        let relu = &mut graph.node[1];
        relu.op_type = Some("Clip".to_owned());
        relu.input.push("low".to_owned());
        check(&model)
    };
    clipped(f32::NEG_INFINITY).unwrap();
    assert_eq!(
        clipped(f32::NAN).unwrap_err().to_string(),
        "the initializer `low` has NaN at index 0"
    );
}

#[test]
fn truncated_infinite_and_sparse_constants_are_errors() {
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
fn missing_opset_version_is_error() {
    let mut proto = fixture::model(Head::Linear).proto().clone();
    proto.opset_import[0].domain = Some("ai.onnx.ml".to_owned());
    let model = Model::from_proto(proto, "x").unwrap();
    assert_eq!(
        check(&model).unwrap_err().to_string(),
        "the model does not say which version of the standard operators it uses"
    );
}

#[test]
fn output_listed_twice_is_error() {
    refused(
        |g| g.output.push(g.output[0].clone()),
        "the graph lists the output `logits` twice",
    );
}

#[test]
fn window_of_one_dimensional_convolution_passes() {
    let strided = |strides: &[i64]| {
        let mut model = fixture::model(Head::Linear);
        model.set_initializer_f32("stem.conv.weight", &[4, 3, 3], &[0.0; 36]);
        let conv = &mut model.graph_mut().node[0];
        conv.attribute.clear();
        *conv = std::mem::take(conv).attr_ints("strides", strides);
        check(&model)
    };
    strided(&[2]).unwrap();
    assert_eq!(
        strided(&[2, 2]).unwrap_err().to_string(),
        "node `stem.conv`: strides is [2, 2], expected 1 numbers of 1 to 4096"
    );
}

#[test]
fn too_many_initializers_are_an_error() {
    let many = |graph: &mut GraphProto| {
        graph.initializer = (0..=crate::limits::MOST_VALUES)
            .map(|i| TensorProto::new(format!("t{i}"), &[1], &[0_u8]))
            .collect();
    };
    refused(
        many,
        "the graph has 20001 initializers, expected at most 20000",
    );
}

#[test]
fn too_many_inputs_of_a_node_are_an_error() {
    let many = |graph: &mut GraphProto| {
        let node = &mut graph.node[1];
        (node.name, node.op_type) = (Some("join".to_owned()), Some("Concat".to_owned()));
        node.input = vec![node.input[0].clone(); 1025];
    };
    refused(
        many,
        "node `join` (Concat) has 1025 inputs, expected at most 1024",
    );
}
