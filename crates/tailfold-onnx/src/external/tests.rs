use std::fs;

use super::*;
use crate::fixture::{self, small::body};
use crate::proto::{AttributeProto, AttributeType, FunctionProto, StringStringEntryProto};

/// Returns the small network with the values of `head.bias` at `location`, with further `entries`.
fn with_external(location: &str, entries: &[(&str, &str)]) -> Model {
    let mut model = fixture::model(fixture::COSINE);
    let tensors = &mut model.graph_mut().initializer;
    let bias = tensors
        .iter_mut()
        .find(|t| t.name() == "head.bias")
        .unwrap();
    bias.raw_data = None;
    bias.data_location = Some(DataLocation::External.into());
    let location = [("location", location)];
    let entry = |(key, value): &(&str, &str)| StringStringEntryProto {
        key: Some((*key).to_owned()),
        value: Some((*value).to_owned()),
    };
    bias.external_data = location.iter().chain(entries).map(entry).collect();
    model
}

fn refused(folder: &Path, location: &str, entries: &[(&str, &str)], expect: &str) {
    let mut model = with_external(location, entries);
    let error = load_external(&mut model, folder).unwrap_err().to_string();
    assert!(error.contains(expect), "{error}");
}

#[test]
fn external_values_in_the_model_folder_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let values: Vec<f32> = (0_u8..7).map(f32::from).collect();
    let mut bytes = vec![9; 4];
    bytes.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    fs::create_dir(folder.path().join("data")).unwrap();
    fs::write(folder.path().join("data/bias.bin"), &bytes).unwrap();
    let mut model = with_external("data/bias.bin", &[("offset", "4"), ("length", "28")]);
    load_external(&mut model, folder.path()).unwrap();
    assert_eq!(model.initializer_f32("head.bias").unwrap().1, values);
    crate::check(&model).unwrap();
    refused(
        folder.path(),
        "data/bias.bin",
        &[("offset", "8")],
        "tensor `head.bias` has 28 bytes at 8 of ",
    );
    refused(
        folder.path(),
        "data/bias.bin",
        &[("length", "24")],
        "have `length` 24, its shape needs 28 bytes",
    );
    refused(
        folder.path(),
        "data/bias.bin",
        &[("offset", "-1")],
        "`offset` -1",
    );
    refused(folder.path(), "gone.bin", &[], "cannot read");
}

#[test]
fn external_values_outside_the_model_folder_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("model");
    fs::create_dir(&model).unwrap();
    let secret = folder.path().join("secret");
    fs::write(&secret, [0; 28]).unwrap();
    let expect = "which is not inside of the model's folder";
    for location in [
        "../secret",
        &secret.display().to_string(),
        "",
        "a/../../secret",
    ] {
        refused(&model, location, &[], expect);
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&secret, model.join("link")).unwrap();
        refused(&model, "link", &[], expect);
    }
}

/// A tensor of `count` bytes in the file `values.bin`.
fn external(name: &str, count: usize) -> TensorProto {
    let location = StringStringEntryProto {
        key: Some("location".to_owned()),
        value: Some("values.bin".to_owned()),
    };
    TensorProto {
        dims: vec![i64::try_from(count).unwrap()],
        raw_data: None,
        data_location: Some(DataLocation::External.into()),
        external_data: vec![location],
        ..TensorProto::new(name, &[0], &[0_u8; 0])
    }
}

#[test]
fn values_of_branches_and_functions_are_read() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("values.bin"), [1, 2]).unwrap();
    let constant = AttributeProto {
        t: Some(external("", 2)),
        ..AttributeProto::named("value", AttributeType::Tensor)
    };
    let inner = NodeProto::new("Constant", "", [""; 0], ["c"]).attr(constant);
    let branch = body(
        "then_branch",
        vec![inner.clone()],
        &["w"],
        vec![external("w", 2)],
    );
    let mut proto = fixture::model(fixture::COSINE).proto().clone();
    let graph = proto.graph.as_mut().unwrap();
    graph
        .node
        .push(NodeProto::new("If", "", ["yes"], ["f"]).attr(branch));
    proto.functions.push(FunctionProto {
        node: vec![inner],
        ..FunctionProto::default()
    });
    let mut model = Model::from_proto(proto, "x").unwrap();
    load_external(&mut model, folder.path()).unwrap();
    let constant = |node: &NodeProto| node.attribute[0].t.clone().unwrap();
    let last = model.nodes().last().unwrap();
    let branch = last.attribute[0].g.as_ref().unwrap();
    let function = &model.functions()[0].node[0];
    for tensor in [
        &branch.initializer[0],
        &constant(&branch.node[0]),
        &constant(function),
    ] {
        assert_eq!(tensor.values::<u8>().unwrap(), [1, 2]);
    }
}

#[test]
fn total_external_data_is_limited() {
    let folder = tempfile::tempdir().unwrap();
    let file = fs::File::create(folder.path().join("values.bin")).unwrap();
    file.set_len(8).unwrap();
    let mut model = fixture::model(fixture::COSINE);
    let most = usize::try_from(Model::MAX_BYTES).unwrap();
    model.graph_mut().initializer = vec![external("a", 8), external("b", most)];
    let error = load_external(&mut model, folder.path()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "with tensor `b`, the model has more than 2147483647 bytes of external data"
    );
}
