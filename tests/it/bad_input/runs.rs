//! Run folders that must not be exported.

use std::fs;

use safetensors::SafeTensors;
use tailfold_onnx::Checkpoint;
use tailfold_spec::{Manifest, artifact};

use super::no_panic;
use crate::fixture::{Tensors, fixture, safetensors};
use crate::programs::{Answer, finish, xtask};
use crate::scratch::Scratch;

/// Exports the folder `run`.
fn export(scratch: &Scratch, run: &str) -> Answer {
    finish(xtask().args([
        "export",
        "--run",
        run,
        "--out",
        &scratch.at("new/model.onnx"),
    ]))
}

/// Checks that the export of the folder `run` is an error with the texts of `expect`.
#[track_caller]
fn refused(scratch: &Scratch, run: &str, expect: &[&str]) {
    let before = scratch.listing();
    let answer = export(scratch, run).ended_with(2);
    no_panic(&answer);
    for text in expect {
        assert!(
            answer.stderr.contains(text),
            "`{text}` is not in: {}",
            answer.stderr
        );
    }
    // The folder of the output may exist now, but not the output.
    let mut after = scratch.listing();
    after.remove(&scratch.at("new"));
    assert_eq!(after, before, "files before and after");
}

/// Checks that the export of a run folder with one edited file is an error that names `file` and `expect`. The manifest
/// has the hash of the edited file or, if `stale`, of the original.
#[track_caller]
fn check(file: &str, edit: &dyn Fn(Vec<u8>) -> Vec<u8>, stale: bool, expect: &str) {
    let scratch = Scratch::new();
    let run = fixture().write_run(&scratch, "run");
    let path = edit_file(&scratch, file, edit, stale);
    refused(&scratch, &run, &[&path, expect]);
}

/// Edits `file` of the folder `run` and returns its path.
fn edit_file(
    scratch: &Scratch,
    file: &str,
    edit: &dyn Fn(Vec<u8>) -> Vec<u8>,
    stale: bool,
) -> String {
    let path = scratch.at(&format!("run/{file}"));
    let old = fs::read(&path).unwrap();
    let new = edit(old.clone());
    fs::write(&path, &new).unwrap();
    if !stale {
        let manifest = scratch.at("run/manifest.toml");
        let text = fs::read_to_string(&manifest).unwrap();
        let text = text.replace(&artifact::sha256(&old), &artifact::sha256(&new));
        fs::write(manifest, text).unwrap();
    }
    path
}

fn with_tensors(edit: impl Fn(&mut Tensors)) -> Vec<u8> {
    let mut tensors = fixture().tensors.clone();
    edit(&mut tensors);
    safetensors(&tensors)
}

#[test]
fn valid_run_folder_is_exported() {
    // This is the control of the tests that damage the run folder.
    let scratch = Scratch::new();
    let run = fixture().write_run(&scratch, "run");
    export(&scratch, &run).ended_with(0);
    let written = fs::read(scratch.at("new/model.onnx")).unwrap();
    assert_eq!(written, fixture().model.to_bytes());
}

#[test]
fn invalid_checkpoint_is_error() {
    let checkpoint = Manifest::CHECKPOINT;
    let nan = |_| with_tensors(|t| t.get_mut("blocks.0.conv1.weight").unwrap().1[5] = f32::NAN);
    check(
        checkpoint,
        &nan,
        false,
        "tensor `blocks.0.conv1.weight` has NaN at index 5",
    );
    let missing = |_| with_tensors(|t| drop(t.remove("head.bias")));
    check(
        checkpoint,
        &missing,
        false,
        "there is no tensor `head.bias`",
    );
    let misshapen = |_| with_tensors(|t| t.get_mut("head.weight").unwrap().0.reverse());
    check(
        checkpoint,
        &misshapen,
        false,
        "tensor `head.weight` has the shape [16, 10], expected [10, 16]",
    );
    let cut = |bytes: Vec<u8>| bytes[..bytes.len() / 2].to_vec();
    check(
        checkpoint,
        &cut,
        false,
        "is not a safetensors file, or is damaged or cut short",
    );
    check(
        checkpoint,
        &|_| Vec::new(),
        false,
        "is not a safetensors file",
    );
    check(checkpoint, &cut, true, "but the manifest says");
}

#[test]
fn library_error_names_non_finite_tensor_of_checkpoint() {
    let bytes = with_tensors(|t| t.get_mut("stem.norm.beta").unwrap().1[2] = f32::INFINITY);
    let error = Checkpoint::from_safetensors(&bytes, "a/b.safetensors".as_ref()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a/b.safetensors: tensor `stem.norm.beta` has inf at index 2"
    );
}

#[test]
fn offsets_of_wrong_length_are_error() {
    let shorter = |bytes: Vec<u8>| {
        let mut json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        json["offsets"].as_array_mut().unwrap().pop();
        serde_json::to_vec(&json).unwrap()
    };
    let expect = "the model has 10 classes but 9 offsets were given";
    check(Manifest::OFFSETS, &shorter, false, expect);
    check(
        Manifest::OFFSETS,
        &|_| Vec::new(),
        false,
        "is not an offsets file",
    );
}

#[test]
fn invalid_manifest_is_error() {
    let replace = |from: &'static str, to: &'static str| {
        move |bytes: Vec<u8>| {
            let text = String::from_utf8(bytes).unwrap();
            assert!(text.contains(from), "{text}");
            text.replacen(from, to, 1).into_bytes()
        }
    };
    let manifest = Manifest::FILE;
    check(manifest, &|_| Vec::new(), true, "is not a run manifest");
    check(
        manifest,
        &replace("seed =", "sed ="),
        true,
        "unknown field `sed`",
    );
    check(
        manifest,
        &replace("tailfold.run/1", "tailfold.run/9"),
        true,
        "has schema `tailfold.run/9`",
    );
    check(
        manifest,
        &replace("depth = 8", "depth = 9"),
        true,
        "depth 9 does not exist",
    );
    let scratch = Scratch::new();
    let run = scratch.folder("empty");
    refused(&scratch, &run, &[&scratch.at("empty/manifest.toml")]);
}

#[test]
fn export_that_fails_verification_is_not_written() {
    let shifted = |bytes: Vec<u8>| {
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let read = |name: &str| {
            let view = file.tensor(name).unwrap();
            let (values, _) = view.data().as_chunks();
            let values = values.iter().map(|&v| f32::from_le_bytes(v)).collect();
            (name.to_owned(), (view.shape().to_vec(), values))
        };
        let mut tensors = Tensors::from(["inputs", "scores"].map(read));
        tensors.get_mut("scores").unwrap().1[13] += 0.5;
        safetensors(&tensors)
    };
    let scratch = Scratch::new();
    let run = fixture().write_run(&scratch, "run");
    edit_file(&scratch, Manifest::GOLDEN, &shifted, false);
    let expect = "does not answer as the training framework did";
    refused(&scratch, &run, &[expect, "a logit differs by 5.00e-1"]);
}
