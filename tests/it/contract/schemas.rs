//! Snapshots of the fields of every JSON result: each path with the type of its value.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::fixture::TINY_TRAINING;
use crate::programs::{command, finish};
use crate::scratch::Scratch;

const FLOAT: &str = "models/fashion-lt/fashion-lt.onnx";
const INT8: &str = "models/fashion-lt/fashion-lt.int8.onnx";
const RUN: &str = "models/fashion-lt";
const TRAIN: &str = "embedded?split=train";
const VAL: &str = "embedded?split=val";
const TEST: &str = "embedded?split=test&limit=40";

/// Adds each path of `value` with its type to `paths_of`, such as `a.b[]: number`. Keys that come from data (class
/// names, operators) share one path, `a.*`.
fn paths(value: &Value, at: &str, from_data: &[&str], paths_of: &mut BTreeSet<String>) {
    let kind = match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let name = if from_data.contains(&at) { "*" } else { name };
                let dot = if at.is_empty() { "" } else { "." };
                paths(field, &format!("{at}{dot}{name}"), from_data, paths_of);
            }
            return;
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                paths(item, &format!("{at}[]"), from_data, paths_of);
            }
            return;
        }
        Value::Array(_) => "empty list",
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "number",
        Value::String(_) => "text",
    };
    paths_of.insert(format!("{at}: {kind}"));
}

/// Runs `words` with `--json`, and checks the schema and the paths of the result.
#[track_caller]
fn check(schema: &str, words: &[&str], codes: &[i32], from_data: &[&str]) {
    let (program, args) = words.split_first().expect("a program");
    let mut command = command(program);
    // ONNX Runtime is hidden, because the paths must not depend on the machine.
    let nowhere = Scratch::new();
    command
        .env_remove("ORT_DYLIB_PATH")
        .env("XDG_DATA_HOME", nowhere.path());
    let answer = finish(command.args(args).arg("--json"));
    assert!(
        answer.code.is_some_and(|code| codes.contains(&code)),
        "{answer:?}"
    );
    let value = answer.json();
    assert_eq!(value["schema"], schema, "{words:?}");
    let mut found = BTreeSet::new();
    paths(&value, "", from_data, &mut found);
    let text: Vec<String> = found.into_iter().collect();
    insta::assert_snapshot!(
        schema.replace(['.', '/'], "-"),
        format!("{schema}\n{}", text.join("\n"))
    );
}

#[test]
fn paths_have_types_and_data_keys_share_one_path() {
    let value =
        serde_json::json!({"a": [{"b": 1}, {"c": null}], "d": {"Conv": 1, "Add": 2}, "e": []});
    let mut found = BTreeSet::new();
    paths(&value, "", &["d"], &mut found);
    let found: Vec<String> = found.into_iter().collect();
    let expect = [
        "a[].b: number",
        "a[].c: null",
        "d.*: number",
        "e: empty list",
    ];
    assert_eq!(found, expect);
}

#[test]
fn results_about_models_keep_their_fields() {
    let scratch = Scratch::new();
    check(
        "tailfold.info/1",
        &["tailfold", "info", "--model", INT8],
        &[0],
        &["file.operators"],
    );
    let image = scratch.write("boot.png", photo());
    let classify = ["tailfold", "classify", "--model", INT8, &image];
    check("tailfold.classify/1", &classify, &[0], &[]);
    let evaluate = ["tailfold", "evaluate", "--model", INT8, "--data", TEST];
    check("tailfold.evaluate/1", &evaluate, &[0], &[]);
    let verify = ["tailfold", "verify", "--model", FLOAT, "--golden", RUN];
    check("tailfold.verify/1", &verify, &[0, 1], &[]);
    let layers = ["tailfold", "bench", "--model", INT8, "--layers"];
    let layers = [&layers[..], &["--rounds", "1"]].concat();
    check("tailfold.bench-layers/1", &layers, &[0], &[]);
    let bench = ["tailfold", "bench", "--model", INT8, "--float", FLOAT];
    let bench = [&bench[..], &["--rounds", "2"]].concat();
    check("tailfold.bench/1", &bench, &[0], &[]);
    check(
        "tailfold.data/1",
        &["tailfold", "data", "info", VAL],
        &[0],
        &[],
    );
}

/// An image of the embedded data set, as a PNG file.
fn photo() -> Vec<u8> {
    let data = tailfold_data::Dataset::open(&TEST.parse().unwrap()).unwrap();
    data.image(0).unwrap().to_png().unwrap()
}

#[test]
fn results_of_model_building_commands_keep_their_fields() {
    let scratch = Scratch::new();
    let config = scratch.write("tiny.toml", TINY_TRAINING);
    let run = scratch.at("run");
    let train = ["tailfold-train", "--config", &config, "--out", &run];
    check("tailfold.train/1", &train, &[0], &[]);
    let (out, int8) = (scratch.at("model.onnx"), scratch.at("int8.onnx"));
    let export = ["tailfold", "export", "--run", RUN, "--out", &out];
    let prior = ["--prior", "uniform", "--calibration", VAL];
    let export = [&export[..], &prior, &["--evaluate", "embedded?split=test"]].concat();
    check("tailfold.export/1", &export, &[0], &[]);
    let quantize = ["tailfold", "quantize", "--model", FLOAT, "--out", &int8];
    let calibration = ["--calibration", TRAIN, "--per-class", "8"];
    let quantize = [&quantize[..], &calibration].concat();
    check("tailfold.quantize/1", &quantize, &[0], &[]);
    let priors = ["tailfold", "priors", "--run", RUN, "--evaluate", VAL];
    let priors = [&priors[..], &["--seeds", "2"]].concat();
    check("tailfold.priors/1", &priors, &[0], &[]);
}

#[test]
fn results_of_the_gate_keep_their_fields() {
    let scratch = Scratch::new();
    let policy = ["--policy", "models/fashion-lt/parity.toml"];
    let models = ["--reference", FLOAT, "--candidate", INT8];
    let models = [&models[..], &["--data", "embedded?split=test"], &policy].concat();
    let gate = [&["tailfold", "parity"][..], &models].concat();
    check("tailfold.parity/1", &gate, &[0], &[]);
    let chain = [&["tailfold", "parity", "chain"][..], &models].concat();
    check("tailfold.parity-chain/1", &chain, &[0, 3], &[]);
    let report = scratch.at("report");
    let write = [&gate[..], &["--report", &report]].concat();
    check("tailfold.parity/1", &write, &[0], &[]);
    let json = format!("{report}/parity.json");
    let diff = ["tailfold", "parity", "diff", &json, &json];
    check("tailfold.parity-diff/1", &diff, &[0], &[]);
}
