//! Exports for a deployment prior: the model's answers, the report, and errors.

mod comparison;
mod misuse;
mod model_file;
mod report;
mod warnings;

use std::fs;
use std::path::Path;

use crate::programs::{Answer, finish, root, xtask};
use crate::scratch::Scratch;

/// A trained run folder with features. Its offsets are solved for the uniform prior.
const RUN: &str = "models/fashion-lt";
const VAL: &str = "embedded?split=val";
const TEST: &str = "embedded?split=test";

/// A mild prior: the first class is twice as frequent as most, and the last class half as frequent.
const MILD: &str = "[4, 2, 2, 2, 2, 2, 2, 2, 2, 1]";

/// Runs `cargo xtask export --run RUN --out OUT` with `options`, which starts `tailfold export`.
fn export(run: &str, out: &str, options: &[&str]) -> Answer {
    let mut export = xtask();
    export.args(["export", "--run", run, "--out", out]);
    finish(export.args(options))
}

/// Copies the run folder to `scratch`, and edits the text of its manifest with `edit`.
fn copied_run(scratch: &Scratch, edit: impl Fn(String) -> String) -> String {
    for file in [
        "checkpoint.safetensors",
        "features.safetensors",
        "offsets.json",
        "golden/golden.safetensors",
    ] {
        let bytes = fs::read(root().join(RUN).join(file)).unwrap();
        scratch.write(&format!("run/{file}"), bytes);
    }
    let manifest = fs::read_to_string(root().join(RUN).join("manifest.toml")).unwrap();
    scratch.write("run/manifest.toml", edit(manifest));
    scratch.at("run")
}

/// The numbers of a JSON list.
#[track_caller]
fn numbers(list: &serde_json::Value) -> Vec<f64> {
    let list = list.as_array().expect("a list");
    list.iter().map(|v| v.as_f64().expect("a number")).collect()
}

/// The number `key` of each row, one row per class.
#[track_caller]
fn column(rows: &serde_json::Value, key: &str) -> Vec<f64> {
    let rows = rows.as_array().expect("one row per class");
    rows.iter()
        .map(|row| row[key].as_f64().expect("a number"))
        .collect()
}

/// Logits, `[n, 10]`, and labels that `tailfold logits` writes for `model`.
fn logits(scratch: &Scratch, model: &str, data: &str) -> (Vec<f32>, Vec<usize>) {
    let out = scratch.at("logits.safetensors");
    let args = ["logits", "--model", model, "--data", data, "--out", &out];
    crate::programs::run("tailfold", &args).ended_with(0);
    let bytes = fs::read(Path::new(&out)).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let (logits, labels) = (
        tensors.tensor("logits").unwrap(),
        tensors.tensor("labels").unwrap(),
    );
    let (values, _) = logits.data().as_chunks::<4>();
    let (classes, _) = labels.data().as_chunks::<8>();
    (
        values.iter().map(|&v| f32::from_le_bytes(v)).collect(),
        classes
            .iter()
            .map(|&v| u64::from_le_bytes(v).try_into().unwrap())
            .collect(),
    )
}
