//! Run folders that must not be exported.

use std::fs;

use tailfold_onnx::Checkpoint;
use tailfold_spec::{Manifest, artifact};

use super::no_panic;
use crate::fixture::{Tensors, fixture, safetensors};
use crate::programs::{Answer, command, finish};
use crate::scratch::Scratch;

/// Runs `cargo xtask export` on the folder `run`, with a cargo that cannot be started: a sound folder gets as far as
/// building the verifier, and no further.
fn export(scratch: &Scratch, run: &str) -> Answer {
    let before = scratch.listing();
    let mut xtask = command("xtask");
    xtask.args([
        "export",
        "--run",
        run,
        "--out",
        &scratch.at("out/model.onnx"),
    ]);
    xtask
        .env("CARGO", scratch.at("no-cargo"))
        .env("CARGO_MANIFEST_DIR", env!("CARGO_MANIFEST_DIR"));
    let answer = finish(&mut xtask).ended_with(2);
    no_panic(&answer);
    assert_eq!(scratch.listing(), before, "files before and after");
    answer
}

/// Exporting a run folder with one file edited must be refused, in words that name `file` and `expect`. The manifest
/// knows the edited file's hash unless `stale`.
#[track_caller]
fn check(file: &str, edit: &dyn Fn(Vec<u8>) -> Vec<u8>, stale: bool, expect: &str) {
    let scratch = Scratch::new();
    let run = fixture().write_run(&scratch, "run");
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
    let answer = export(&scratch, &run);
    for text in [path.as_str(), expect] {
        assert!(
            answer.stderr.contains(text),
            "`{text}` is not in: {}",
            answer.stderr
        );
    }
}

fn with_tensors(edit: impl Fn(&mut Tensors)) -> Vec<u8> {
    let mut tensors = fixture().tensors.clone();
    edit(&mut tensors);
    safetensors(&tensors)
}

#[test]
fn a_sound_run_folder_gets_as_far_as_the_verifier() {
    let scratch = Scratch::new();
    let answer = export(&scratch, &fixture().write_run(&scratch, "run"));
    assert!(
        answer.stderr.contains("cannot run no-cargo build"),
        "{}",
        answer.stderr
    );
}

#[test]
fn checkpoints_that_cannot_be_exported() {
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
fn a_nan_in_a_checkpoint_is_named_by_the_library_too() {
    let bytes = with_tensors(|t| t.get_mut("stem.norm.beta").unwrap().1[2] = f32::INFINITY);
    let error = Checkpoint::from_safetensors(&bytes, "a/b.safetensors".as_ref()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a/b.safetensors: tensor `stem.norm.beta` has inf at index 2"
    );
}

#[test]
fn offsets_of_another_length() {
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
fn manifests_that_cannot_be_read() {
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
    let answer = export(&scratch, &scratch.folder("empty"));
    assert!(
        answer.stderr.contains(&scratch.at("empty/manifest.toml")),
        "{}",
        answer.stderr
    );
}
