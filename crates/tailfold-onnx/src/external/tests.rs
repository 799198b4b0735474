use std::fs;

use super::*;
use crate::fixture;
use crate::proto::StringStringEntryProto;

/// The small network with the values of `head.bias` at `location`, with these further entries.
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
fn values_beside_the_model_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let values: Vec<f32> = (0_u8..7).map(f32::from).collect();
    let mut bytes = vec![9; 4];
    bytes.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    fs::create_dir(folder.path().join("data")).unwrap();
    fs::write(folder.path().join("data/bias.bin"), &bytes).unwrap();
    let mut model = with_external("data/bias.bin", &[("offset", "4"), ("length", "28")]);
    load_external(&mut model, folder.path()).unwrap();
    assert_eq!(model.initializer_f32("head.bias").unwrap().1, values);
    assert_eq!(crate::check(&model), Ok(()));
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
fn values_outside_of_the_folder_are_not() {
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
