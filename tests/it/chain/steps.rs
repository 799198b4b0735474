//! `tailfold parity chain`: every step of the shipped model passes, and a fault is found at its step. The tests run
//! with and without ONNX Runtime.

use std::path::Path;

use serde_json::Value;
use tailfold_onnx::Model;
use tailfold_quant::{FloatModel, halve};
use tailfold_spec::artifact;

use crate::fixture::{fixture, int8};
use crate::programs::{Answer, finish, root, run, xtask};
use crate::scratch::Scratch;

const TEST: &str = "embedded?split=test";

/// Path of a file of the shipped model.
fn shipped(name: &str) -> String {
    let path = root().join("models/fashion-lt").join(name);
    path.to_str().unwrap().to_owned()
}

/// Runs the chain of the shipped model with the INT8 model `candidate`.
fn chain(candidate: &str, more: &[&str]) -> Answer {
    let (float, policy) = (shipped("fashion-lt.onnx"), shipped("parity.toml"));
    let args = [
        "parity",
        "chain",
        "--json",
        "--reference",
        &float,
        "--candidate",
        candidate,
        "--data",
        TEST,
        "--policy",
        &policy,
    ];
    run("tailfold", &[&args[..], more].concat())
}

/// Names of the steps in the chain `answer`.
fn steps(answer: &Value) -> Vec<String> {
    let steps = answer["steps"].as_array().unwrap().iter();
    let backend = |step: &Value| step["backend"].as_str().unwrap_or("-").to_owned();
    steps
        .map(|step| format!("{} {}", step["stage"].as_str().unwrap(), backend(step)))
        .collect()
}

/// Whether the chain has a step on ONNX Runtime. If not, it must report the missing back end.
fn has_ort(answer: &Value) -> bool {
    let made = steps(answer).iter().any(|step| step == "int8 ort");
    let absent = answer["not_at_hand"].as_array().unwrap();
    let is_absent = absent
        .iter()
        .any(|a| a["stage"] == "int8" && a["backend"] == "ort");
    assert!(made != is_absent, "{answer}");
    made
}

fn edited(name: &str, edit: impl FnOnce(&mut Model)) -> Vec<u8> {
    let mut model = Model::read(Path::new(&shipped(name))).unwrap();
    edit(&mut model);
    model.to_bytes()
}

/// The shipped INT8 model with the weights of one channel of `layer` multiplied by 8.
fn planted(layer: &str) -> Vec<u8> {
    edited("fashion-lt.int8.onnx", |model| {
        let name = format!("{layer}.weight.scale");
        let (shape, mut scales) = model.initializer_f32(&name).unwrap();
        scales[3] *= 8.0;
        model.set_initializer_f32(&name, &shape, &scales);
    })
}

#[test]
fn shipped_model_passes_every_step() {
    let scratch = Scratch::new();
    let folder = scratch.at("report");
    let golden = shipped("golden/golden.safetensors");
    let int8 = shipped("fashion-lt.int8.onnx");
    let answer = chain(&int8, &["--golden", &golden, "--report", &folder]);
    let said = answer.ended_with(0).json();
    assert_eq!(said["schema"], "tailfold.parity-chain/1");
    assert_eq!(
        (&said["verdict"], &said["images"]),
        (&"pass".into(), &3000.into())
    );
    assert_eq!(said["first_break"], Value::Null);
    let made = steps(&said);
    for step in [
        "golden -",
        "float tract-stock",
        "int8 integer",
        "int8 tract",
        "int8 tract-stock",
    ] {
        assert!(made.contains(&step.to_owned()), "{step} is not in {made:?}");
    }
    assert_eq!(has_ort(&said), made.contains(&"float ort".to_owned()));
    // Every possible step was made or is reported as absent.
    let absent = said["not_at_hand"].as_array().unwrap().len();
    assert_eq!(made.len() + absent, 1 + 2 + 7, "{said}");
    for (index, step) in said["steps"].as_array().unwrap().iter().enumerate() {
        assert_eq!(step["step"], index + 1);
        assert_eq!(step["verdict"], "pass", "{step}");
        assert_eq!(step["against_previous"].is_null(), index == 0, "{step}");
        assert_eq!(step["against_first"].is_null(), index <= 1, "{step}");
        if index > 0 {
            assert_eq!(step["against_previous"]["step"], index, "{step}");
        }
    }
    assert_eq!(said["steps"][1]["against_previous"]["images"], 20);
    let written = std::fs::read(scratch.at("report/chain.json")).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&written).unwrap(), said);
    let table = std::fs::read_to_string(scratch.at("report/chain.md")).unwrap();
    assert!(table.starts_with("PASS all"), "{table}");
    assert!(table.contains("| 2 float on tract-stock"), "{table}");
}

#[test]
fn xtask_runs_chain_with_goldens_of_run_folder() {
    let scratch = Scratch::new();
    let golden = fixture().write_run(&scratch, "run");
    let model = scratch.write("model.onnx", fixture().model.to_bytes());
    let candidate = scratch.write("int8.onnx", int8().to_bytes());
    let mut command = xtask();
    command.args([
        "parity",
        "chain",
        "--json",
        "--reference",
        &model,
        "--candidate",
        &candidate,
    ]);
    command.args(["--data", TEST, "--golden", &golden]);
    let answer = finish(&mut command);
    assert!(matches!(answer.code, Some(0 | 1 | 3)), "{answer:?}");
    let said = answer.json();
    assert_eq!(said["schema"], "tailfold.parity-chain/1");
    assert_eq!(said["steps"][1]["verdict"], "pass", "{said}");
}

#[test]
fn broken_int8_file_fails_at_its_first_step() {
    let scratch = Scratch::new();
    let candidate = scratch.write("int8.onnx", planted("blocks.2.conv1"));
    let said = chain(&candidate, &[]).ended_with(1).json();
    let made = steps(&said);
    let first = 1 + made.iter().position(|step| step == "int8 integer").unwrap();
    assert_eq!(said["first_break"]["step"], first, "{said}");
    assert_eq!(said["first_break"]["what"], "INT8 on integer");
    for (index, step) in said["steps"].as_array().unwrap().iter().enumerate() {
        let expected = if index + 1 < first { "pass" } else { "fail" };
        assert_eq!(step["verdict"], expected, "{step}");
        // Later steps run the same broken file on other back ends, so they agree with the previous step.
        if index + 1 > first {
            assert_eq!(step["against_previous"]["verdict"], "pass", "{step}");
        }
    }
    let (float, policy) = (shipped("fashion-lt.onnx"), shipped("parity.toml"));
    let args = [
        "parity",
        "chain",
        "--reference",
        &float,
        "--candidate",
        &candidate,
        "--data",
        TEST,
        "--policy",
        &policy,
    ];
    let text = run("tailfold", &args).ended_with(1).stdout;
    let head = format!("FAIL at step {first}, INT8 on integer: ");
    assert!(text.starts_with(&head), "{text}");
}

#[test]
fn broken_fp16_file_fails_at_its_step_if_a_back_end_runs_it() {
    let scratch = Scratch::new();
    let halved = |bytes: &[u8]| {
        let float = FloatModel::from_bytes(bytes, "float").unwrap();
        let mut half = halve(&float, None, &|| {}).unwrap().model;
        // The card names the shipped float file, because a file made from another float model is an earlier error.
        let mut card = half.card().unwrap();
        if let Some(record) = &mut card.quantization {
            record.float_sha256 =
                artifact::sha256_of(Path::new(&shipped("fashion-lt.onnx"))).unwrap();
        }
        half.set_card(&card);
        half.to_bytes()
    };
    let good = halved(&std::fs::read(shipped("fashion-lt.onnx")).unwrap());
    let good = scratch.write("good.fp16.onnx", good);
    let bad = halved(&edited("fashion-lt.onnx", |model| {
        let (shape, mut bias) = model.initializer_f32("head.bias").unwrap();
        bias[8] -= 4.0;
        model.set_initializer_f32("head.bias", &shape, &bias);
    }));
    let bad = scratch.write("bad.fp16.onnx", bad);
    let int8 = shipped("fashion-lt.int8.onnx");
    let has_ort = has_ort(&chain(&int8, &[]).json());
    for (half, code) in [(&good, 0), (&bad, 1)] {
        let answer = chain(&int8, &["--half", half]);
        if has_ort {
            let said = answer.ended_with(code).json();
            let what = if code == 0 {
                Value::Null
            } else {
                "FP16 on ort".into()
            };
            assert_eq!(said["first_break"]["what"], what, "{said}");
            // The last step does not run the broken file, so it passes.
            let last = said["steps"].as_array().unwrap().last().unwrap();
            assert_eq!(last["verdict"], "pass", "{last}");
        } else {
            let answer = answer.ended_with(2);
            let text = "no back end that runs FP16 models is available: ort: ";
            assert!(answer.stderr.contains(half.as_str()), "{}", answer.stderr);
            assert!(answer.stderr.contains(text), "{}", answer.stderr);
        }
    }
}

#[test]
fn missing_required_back_end_is_named() {
    let int8 = shipped("fashion-lt.int8.onnx");
    // This back end is missing on every machine, because it needs a plug-in that is not installed by default.
    let answer = chain(
        &int8,
        &["--backend", "integer", "--backend", "tensorrt-rtx"],
    )
    .ended_with(2);
    let text = "INT8 needs the back end `tensorrt-rtx`, which is unavailable: ";
    assert!(answer.stderr.contains(text), "{}", answer.stderr);
    let said = answer.json();
    assert_eq!(said["verdict"], "error");
    assert!(
        said["reasons"][0].as_str().unwrap().contains(text),
        "{said}"
    );
    // A missing library that the command names is an error, unlike a missing optional back end.
    let answer = chain(&int8, &["--ort-library", "gone.so"]).ended_with(2);
    assert!(answer.stderr.contains("gone.so"), "{}", answer.stderr);
    assert!(
        answer.stderr.contains("there is no such file"),
        "{}",
        answer.stderr
    );
}

#[test]
fn goldens_of_another_model_are_error() {
    let scratch = Scratch::new();
    let int8 = shipped("fashion-lt.int8.onnx");
    let run = fixture().write_run(&scratch, "run");
    let file = scratch.at("run/golden/golden.safetensors");
    for golden in [&run, &file] {
        let answer = chain(&int8, &["--golden", golden]).ended_with(2);
        assert!(answer.stderr.contains(&file), "{}", answer.stderr);
        assert!(
            answer.stderr.contains("goldens are of another model"),
            "{}",
            answer.stderr
        );
    }
    // Without the run folder, only the logits show that the goldens belong to another model.
    let alone = scratch.write("golden.safetensors", std::fs::read(&file).unwrap());
    let said = chain(&int8, &["--golden", &alone]).ended_with(1).json();
    assert_eq!(
        said["first_break"]["what"], "float on tract-stock",
        "{said}"
    );
    assert!(
        said["first_break"]["why"]
            .as_str()
            .unwrap()
            .contains(&alone),
        "{said}"
    );
}

#[test]
fn nan_fails_its_step() {
    let scratch = Scratch::new();
    let edit = |value: f32| {
        edited("fashion-lt.int8.onnx", |model| {
            let (shape, mut scales) = model.initializer_f32("head.weight.scale").unwrap();
            scales[9] = value;
            model.set_initializer_f32("head.weight.scale", &shape, &scales);
        })
    };
    let candidate = scratch.write("nan.onnx", edit(f32::NAN));
    let answer = chain(&candidate, &[]).ended_with(2);
    for text in [&candidate, "`head.weight.scale` has NaN at index 9"] {
        assert!(answer.stderr.contains(text), "{}", answer.stderr);
    }
    // The constant is finite but its sums are not, which only the logits show.
    let candidate = scratch.write("inf.onnx", {
        edited("fashion-lt.int8.onnx", |model| {
            let (shape, _) = model.initializer_f32("head.bias").unwrap();
            model.set_initializer_f32("head.bias", &shape, &[f32::MAX; 10]);
            let (shape, mut scales) = model.initializer_f32("head.weight.scale").unwrap();
            scales.fill(1e36);
            model.set_initializer_f32("head.weight.scale", &shape, &scales);
        })
    });
    let said = chain(&candidate, &[]).ended_with(1).json();
    assert_eq!(said["first_break"]["what"], "INT8 on integer", "{said}");
    let why = said["first_break"]["why"].as_str().unwrap();
    assert!(why.contains("NaN or infinite"), "{why}");
}
