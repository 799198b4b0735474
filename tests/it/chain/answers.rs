//! Results of `tailfold info`, `classify`, `verify` and `logits`.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::Stdio;

use serde::de::DeserializeOwned;
use serde_json::Value;
use tailfold_onnx::Model;
use tailfold_spec::{Logits, ModelCard, artifact, softmax};

use crate::fixture::{embedded, fixture, int8, logits};
use crate::programs::{command, run};
use crate::scratch::Scratch;

/// Fails unless `object` has exactly these keys.
#[track_caller]
fn has_keys(object: &Value, keys: &[&str]) {
    let found: BTreeSet<&str> = object
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(found, keys.iter().copied().collect(), "{object}");
}

fn parsed<T: DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

#[test]
fn info_has_fields_of_card() {
    let scratch = Scratch::new();
    let check = |model: &Model| {
        let bytes = model.to_bytes();
        let path = scratch.write("model.onnx", &bytes);
        let info = run("tailfold", &["info", "--model", &path, "--json"])
            .ended_with(0)
            .json();
        has_keys(
            &info,
            &[
                "schema",
                "name",
                "architecture",
                "sha256",
                "checkpoint_sha256",
                "file_bytes",
                "file",
                "classes",
                "train_counts",
                "preprocess",
                "offsets",
                "quantization",
                "nodes",
            ],
        );
        assert_eq!(info["schema"], "tailfold.info/1");
        assert_eq!(info["sha256"], artifact::sha256(&bytes));
        assert_eq!(info["file_bytes"], bytes.len());
        let said = ModelCard {
            name: parsed(&info["name"]),
            architecture: parsed(&info["architecture"]),
            classes: parsed(&info["classes"]),
            train_counts: parsed(&info["train_counts"]),
            preprocess: parsed(&info["preprocess"]),
            offsets: parsed(&info["offsets"]),
            checkpoint_sha256: parsed(&info["checkpoint_sha256"]),
            quantization: parsed(&info["quantization"]),
        };
        assert_eq!(said, model.card().unwrap());
        let text = run("tailfold", &["info", "--model", &path])
            .ended_with(0)
            .stdout;
        assert!(
            text.contains("Ankle boot") && text.contains("few"),
            "{text}"
        );
    };
    check(&fixture().unfolded);
    check(&fixture().model);
    check(int8());
}

#[test]
fn classify_gives_top_classes_of_network() {
    let scratch = Scratch::new();
    let bytes = fixture().model.to_bytes();
    let model = scratch.write("model.onnx", &bytes);
    let images = embedded("split=test&per-class=1");
    for i in 0..images.len() {
        scratch.write(
            &format!("images/{i}.png"),
            images.image(i).unwrap().to_png().unwrap(),
        );
    }
    let args = [
        "classify",
        "--model",
        &model,
        "--json",
        "--top",
        "10",
        &scratch.at("images"),
    ];
    let answer = run("tailfold", &args).ended_with(0).json();
    has_keys(
        &answer,
        &[
            "schema",
            "model_sha256",
            "backend",
            "model_output",
            "images",
        ],
    );
    assert_eq!(answer["model_output"], "logit");
    assert_eq!(answer["schema"], "tailfold.classify/1");
    assert_eq!(answer["model_sha256"], artifact::sha256(&bytes));
    assert_eq!(answer["backend"], "tract");
    let rows = answer["images"].as_array().unwrap();
    assert_eq!(rows.len(), images.len());
    let expected = logits(&fixture().model, &images);
    for ((i, row), expected) in rows.iter().enumerate().zip(expected.rows()) {
        has_keys(row, &["file", "top", "latency_ms"]);
        assert_eq!(row["file"], scratch.at(&format!("images/{i}.png")));
        assert!(row["latency_ms"].as_f64().unwrap() > 0.0);
        let top = row["top"].as_array().unwrap();
        assert_eq!(top[0]["class"], Logits::top1(expected).unwrap().0);
        let probabilities = softmax(expected);
        let mut above = 1.0;
        for guess in top {
            has_keys(guess, &["class", "name", "probability"]);
            let class = usize::try_from(guess["class"].as_u64().unwrap()).unwrap();
            assert_eq!(guess["name"], fixture().card.classes[class]);
            let probability = guess["probability"].as_f64().unwrap();
            assert!((probability - probabilities[class]).abs() < 1e-9, "{row}");
            assert!(probability <= above, "not in descending order: {row}");
            above = probability;
        }
    }
}

#[test]
fn classify_reads_stdin() {
    let scratch = Scratch::new();
    let model = scratch.write("model.onnx", fixture().model.to_bytes());
    let image = embedded("split=test&limit=1")
        .image(0)
        .unwrap()
        .to_png()
        .unwrap();
    let file = scratch.write("image.png", &image);
    let mut child = command("tailfold")
        .args(["classify", "--model", &model, "--json", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&image).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let piped: Value = serde_json::from_slice(&output.stdout).unwrap();
    let args = ["classify", "--model", &model, "--json", &file];
    let read = run("tailfold", &args).ended_with(0).json();
    assert_eq!(piped["images"][0]["top"], read["images"][0]["top"]);
    assert_eq!(piped["images"][0]["file"], "-");
}

#[test]
fn verify_accepts_only_the_exported_model() {
    let scratch = Scratch::new();
    let golden = fixture().write_run(&scratch, "run");
    let unfolded_twin = zero_offsets();
    let twin = scratch.write("twin.onnx", unfolded_twin.to_bytes());
    let verify = |model: &Model, code: i32| {
        let model = scratch.write("model.onnx", model.to_bytes());
        for against in [
            &["--golden", &golden][..],
            &["--unfolded", &twin, "--data", "embedded?split=val"],
        ] {
            let args = [&["verify", "--json", "--model", &model][..], against].concat();
            let answer = run("tailfold", &args).ended_with(code).json();
            assert_eq!(answer["schema"], "tailfold.verify/1");
            assert_eq!(answer["holds"], code == 0);
            assert!(answer["images"].as_u64().unwrap() >= 10, "{answer}");
        }
    };
    verify(&fixture().model, 0);
    // The shift is far smaller than a change of a decision needs, and far larger than rounding.
    let mut shifted = fixture().model.clone();
    let (shape, mut bias) = shifted.initializer_f32("head.bias").unwrap();
    bias[7] += 0.05 * bias[7].abs().max(1.0);
    shifted.set_initializer_f32("head.bias", &shape, &bias);
    verify(&shifted, 1);
    // The card has offsets that are missing in the bias.
    let mut forged = fixture().unfolded.clone();
    forged.set_card(&fixture().model.card().unwrap());
    verify(&forged, 1);
}

/// The fixture's model with offsets of zero.
fn zero_offsets() -> Model {
    let mut model = fixture().unfolded.clone();
    let zeros = tailfold_spec::OffsetsRecord::zeros(fixture().architecture.classes);
    tailfold_onnx::fold_offsets(&mut model, &zeros).unwrap();
    model
}
