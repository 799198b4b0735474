//! Files written before there were other networks: read as ever, and written again to the byte.

use std::fs;

use tailfold_onnx::{Checkpoint, fold_offsets};
use tailfold_spec::Manifest;

use super::*;
use crate::programs::root;

#[test]
fn the_shipped_model_is_built_again_to_the_byte() {
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
