//! Shipped files from before other networks existed still give the same model.

use std::fs;

use tailfold_onnx::{Checkpoint, fold_offsets};
use tailfold_spec::Manifest;

use super::*;
use crate::programs::root;

#[test]
fn shipped_model_is_rebuilt_byte_for_byte() {
    let run = root().join("models/fashion-lt");
    let text = fs::read_to_string(run.join(Manifest::FILE)).unwrap();
    let manifest = Manifest::read(&run).unwrap();
    assert_eq!(manifest.to_toml(), text);
    let path = run.join(Manifest::CHECKPOINT);
    let checkpoint = Checkpoint::from_safetensors(&fs::read(&path).unwrap(), &path).unwrap();
    let path = run.join("fashion-lt.onnx");
    let shipped = fs::read(&path).unwrap();
    let mut card = Model::read(&path).unwrap().card().unwrap();
    assert_eq!(manifest.architecture.name(), card.architecture);
    let offsets = card.offsets.take().unwrap();
    let mut model = build(&manifest.architecture, &checkpoint, &card).unwrap();
    fold_offsets(&mut model, &offsets).unwrap();
    assert!(model.to_bytes() == shipped, "other bytes than {path:?}");
}

/// The first act of `cargo xtask demo` compares with these logits, which its build cannot compute.
#[test]
fn shipped_logits_equal_logits_of_float_model() {
    let scratch = crate::scratch::Scratch::new();
    let out = scratch.at("logits.safetensors");
    let float = "models/fashion-lt/fashion-lt.onnx";
    let data = "embedded?split=test";
    let args = ["logits", "--model", float, "--data", data, "--out", &out];
    crate::programs::run("tailfold", &args).ended_with(0);
    let read = |path: &std::path::Path| {
        let bytes = fs::read(path).unwrap();
        let file = tailfold_spec::Tensors::read(&bytes, "the logits").unwrap();
        (file.f32("logits").unwrap(), file.labels("labels").unwrap())
    };
    let shipped = root().join("models/fashion-lt/golden/test-logits.safetensors");
    let ((shape, found), labels) = read(out.as_ref());
    let ((shipped_shape, expected), shipped_labels) = read(&shipped);
    assert_eq!((&shape, &labels), (&shipped_shape, &shipped_labels));
    assert_eq!(shape, [3000, 10]);
    // Float sums differ in their last bits between instruction sets.
    for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
        assert!(
            (found - expected).abs() < 1e-4,
            "logit {index}: {found} and {expected}"
        );
    }
}
