//! Accuracy corrections and reports of `tailfold quantize`.

use std::fs;

use tailfold_onnx::Model;

use crate::programs::{Answer, root, run};
use crate::scratch::Scratch;

const FLOAT: &str = "models/fashion-lt/fashion-lt.onnx";
const TRAIN: &str = "embedded?split=train";
const TEST: &str = "embedded?split=test";

fn quantize(out: &str, args: &[&str]) -> Answer {
    let always = [
        "--model",
        FLOAT,
        "--calibration",
        TRAIN,
        "--out",
        out,
        "--json",
    ];
    run("tailfold quantize", &[&always, args].concat())
}

/// Top-1 agreement of `candidate` with the float model on the test images.
fn agreement(candidate: &str) -> f64 {
    let args = [
        "parity",
        "--reference",
        FLOAT,
        "--candidate",
        candidate,
        "--data",
        TEST,
        "--json",
    ];
    let answer = run("tailfold", &args);
    assert!(
        [Some(0), Some(1), Some(3)].contains(&answer.code),
        "{answer:?}"
    );
    let report = answer.json();
    assert_eq!(report["images"], 3000);
    report["agreement"].as_f64().unwrap()
}

/// Weights of 4 bits reduce the agreement. Each correction restores some of it, and all together restore most.
#[test]
fn corrections_restore_agreement() {
    let scratch = Scratch::new();
    let of = |name: &str, args: &[&str]| {
        let out = scratch.at(name);
        quantize(&out, &[&["--weight-bits", "4"], args].concat()).ended_with(0);
        agreement(&out)
    };
    let plain = of(
        "plain.onnx",
        &["--rounding", "nearest", "--correct", "none"],
    );
    let bias = of("bias.onnx", &["--rounding", "nearest", "--correct", "bias"]);
    let rebalanced = of(
        "rebalanced.onnx",
        &["--rounding", "nearest", "--correct", "rebalance"],
    );
    let adaptive = of("adaptive.onnx", &["--correct", "none"]);
    let all = of("all.onnx", &[]);
    assert!(plain < 0.94 && all > 0.97, "{plain} {all}");
    for (name, some) in [
        ("bias", bias),
        ("rebalance", rebalanced),
        ("adaptive", adaptive),
    ] {
        assert!(some > plain + 0.005, "{name}: {some} against {plain}");
    }
}

/// On the validation images, two layers of 4 bits cost the groups more than their margins. With these layers in float,
/// the groups stay within their margins.
#[test]
fn search_keeps_layers_that_groups_need() {
    let scratch = Scratch::new();
    let out = scratch.at("mixed.onnx");
    let coarse = [
        "--weight-bits",
        "4",
        "--rounding",
        "nearest",
        "--correct",
        "none",
    ];
    let search = ["--search", "embedded?split=val"];
    let answer = quantize(&out, &[&coarse[..], &search].concat()).ended_with(0);
    let said = answer.json();
    let kept = said["kept_in_float"].as_array().unwrap();
    let layers = said["search"]["layers"].as_array().unwrap();
    assert!(
        !kept.is_empty() && kept.len() < layers.len() / 2,
        "{kept:?}"
    );
    assert_eq!(said["search"]["passes"], true);
    assert_eq!(said["search"]["group"], "few");
    assert_eq!(said["layers"], layers.len() - kept.len());
    assert!(answer.stderr.contains("kept in float"), "{}", answer.stderr);
    // `tailfold info` reads the record of the file.
    let info = run("tailfold", &["info", "--model", &out, "--json"])
        .ended_with(0)
        .json();
    assert_eq!(info["quantization"]["kept_in_float"], said["kept_in_float"]);
    // With 8 bits, no layer is kept in float.
    let all = quantize(&out, &search).ended_with(0).json();
    assert_eq!(all["kept_in_float"], serde_json::json!([]));
    // The search must use neither evaluation images nor calibration images.
    for spec in [TEST, TRAIN] {
        quantize(&out, &["--search", spec]).ended_with(2);
    }
}

#[test]
fn report_has_layers_activations_groups_and_classes() {
    let scratch = Scratch::new();
    let (out, folder) = (scratch.at("int8.onnx"), scratch.at("report"));
    let evaluation = ["--evaluation", TEST, "--report", &folder];
    let args = [&evaluation[..], &["--keep-float", "stem.conv"]].concat();
    quantize(&out, &args).ended_with(0);
    let read = |name: &str| fs::read_to_string(scratch.path().join("report").join(name)).unwrap();
    let report: serde_json::Value = serde_json::from_str(&read("report.json")).unwrap();
    assert_eq!(report["schema"], "tailfold.quantization-report/1");
    let layers = report["layers"].as_array().unwrap();
    let form: Vec<_> = layers
        .iter()
        .map(|l| l["quantized"].as_bool().unwrap())
        .collect();
    assert_eq!(form.iter().filter(|q| !**q).count(), 1);
    assert!(
        layers
            .iter()
            .skip(1)
            .all(|l| l["sqnr_db"].as_f64().unwrap() > 30.0),
        "{layers:?}"
    );
    let tensors = report["tensors"].as_array().unwrap();
    assert!(
        tensors
            .iter()
            .all(|t| t["sqnr_db"].as_f64().unwrap() > 20.0),
        "{tensors:?}"
    );
    // The report and `tailfold parity` give the same agreement on the test images.
    let agreed = report["evaluation"]["parity"]["agreement"]
        .as_f64()
        .unwrap();
    assert!((agreed - agreement(&out)).abs() < 1e-12);
    let classes = report["classes"].as_array().unwrap();
    assert_eq!(classes.len(), 10);
    let moved = |c: &serde_json::Value| c["bias"][0].as_f64() != c["bias"][1].as_f64();
    assert!(
        classes
            .iter()
            .all(|c| moved(c) && c["recall"][1].as_f64().is_some())
    );
    let page = read("report.html");
    assert_eq!(page.matches("<svg").count(), 2);
    assert!(page.contains("Ankle boot") || page.contains("stem.conv"));
    for outside in ["<script", "stylesheet", "<img", "src=", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
    for link in page.split("href=\"").skip(1) {
        assert!(link.starts_with('#') || link.starts_with("data:"), "{link}");
    }
    assert!(read("report.md").contains("| few |"));
}

#[test]
fn incompatible_options_are_errors() {
    let scratch = Scratch::new();
    let out = scratch.at("int8.onnx");
    for (args, expect) in [
        (
            &["--keep-float", "stem"][..],
            "no layer `stem` becomes integer: those that do are stem.conv, ",
        ),
        (
            &["--weight-bits", "9"],
            "weights of 9 bits: expected 4 to 8",
        ),
        (
            &["--correct", "none,bias"],
            "--correct none excludes all other corrections",
        ),
        (&["--rounding", "up"], "unknown rounding `up`"),
        (&["--policy", "parity.toml"], "--search"),
    ] {
        let answer = quantize(&out, args).ended_with(2);
        assert!(answer.stderr.contains(expect), "{expect}: {answer:?}");
        assert!(!scratch.path().join("int8.onnx").exists());
    }
}

#[test]
fn run_reports_float_layers_and_calibration_agreement() {
    let scratch = Scratch::new();
    let out = scratch.at("int8.onnx");
    let answer = quantize(&out, &["--keep-float", "stem.conv"]).ended_with(0);
    let json = answer.json();
    let kept = serde_json::json!([{"name": "stem.conv", "operator": "Conv"}]);
    assert_eq!(json["float_layers"], kept);
    let layers = json["layers"].as_u64().unwrap();
    let line = format!(
        "{layers} of {} layers become integer; in float: stem.conv (Conv)",
        layers + 1
    );
    assert!(answer.stderr.contains(&line), "{}", answer.stderr);
    assert!(json["calibration_agreement"].as_f64().unwrap() > 0.97);
    assert!(json["calibration_logit_error"].as_f64().unwrap() < 0.1);
    assert_eq!(json["warnings"], serde_json::json!([]));
    assert_eq!(json["rebalance_left_out"], serde_json::Value::Null);
    assert_eq!(json["rebalance_shifts"].as_array().unwrap().len(), 10);
    // Without re-balancing the agreement is not measured.
    let json = quantize(&out, &["--correct", "bias"]).ended_with(0).json();
    assert_eq!(json["calibration_agreement"], serde_json::Value::Null);
}

/// The first layer of a block scales all channels but one by 1/1000, and the second layer scales them back.
#[test]
fn channels_with_different_scales_warn_and_suggest_equalize() {
    let mut model = Model::read(&root().join(FLOAT)).unwrap();
    let block = "blocks.0";
    let (shape, mut made) = model
        .initializer_f32(&format!("{block}.conv1.weight"))
        .unwrap();
    let row = made.len() / shape[0];
    made.iter_mut().skip(row).for_each(|w| *w /= 1000.0);
    model.set_initializer_f32(&format!("{block}.conv1.weight"), &shape, &made);
    let (shape, mut bias) = model
        .initializer_f32(&format!("{block}.conv1.bias"))
        .unwrap();
    bias.iter_mut().skip(1).for_each(|b| *b /= 1000.0);
    model.set_initializer_f32(&format!("{block}.conv1.bias"), &shape, &bias);
    let (shape, mut read) = model
        .initializer_f32(&format!("{block}.conv2.weight"))
        .unwrap();
    let taps = shape[2] * shape[3];
    for (index, weight) in read.iter_mut().enumerate() {
        if index / taps % shape[1] != 0 {
            *weight *= 1000.0;
        }
    }
    model.set_initializer_f32(&format!("{block}.conv2.weight"), &shape, &read);
    let scratch = Scratch::new();
    let (file, out) = (
        scratch.write("apart.onnx", model.to_bytes()),
        scratch.at("int8.onnx"),
    );
    let base = [
        "--model",
        &file,
        "--calibration",
        TRAIN,
        "--out",
        &out,
        "--json",
    ];
    let warned = |correct: &str| {
        let answer = run(
            "tailfold quantize",
            &[&base[..], &["--correct", correct]].concat(),
        );
        let answer = answer.ended_with(0);
        let expect = "warning: the channels of `";
        (answer.stderr.contains(expect) && answer.stderr.contains("--correct equalize"))
            .then(|| answer.json()["warnings"].clone())
    };
    assert_eq!(warned("bias").unwrap().as_array().unwrap().len(), 1);
    assert_eq!(warned("equalize,bias"), None);
}
