//! `tailfold parity` on files of logits, on baselines and on policies.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::programs::{Answer, root, run};
use crate::scratch::Scratch;

const TEST: &str = "embedded?split=test";

fn shipped(file: &str) -> String {
    root()
        .join("models/fashion-lt")
        .join(file)
        .display()
        .to_string()
}

/// Files with the logits of both shipped models, which `tailfold logits` writes.
fn dumped(scratch: &Scratch) -> [String; 2] {
    ["fashion-lt.onnx", "fashion-lt.int8.onnx"].map(|model| {
        let out = scratch.at(&format!("{model}.safetensors"));
        let args = [
            "logits",
            "--model",
            &shipped(model),
            "--data",
            TEST,
            "--out",
            &out,
        ];
        run("tailfold", &args).ended_with(0);
        out
    })
}

/// Writes an array in NumPy's file format, version 1.0.
fn npy(scratch: &Scratch, name: &str, kind: &str, shape: &str, values: &[u8]) -> String {
    let mut header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({shape}), }}");
    while (header.len() + 11) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
    bytes.extend(header.bytes());
    bytes.extend(values);
    scratch.write(name, bytes)
}

fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn parity(args: &[&str]) -> Answer {
    run("tailfold", &[&["parity"], args].concat())
}

#[test]
fn verdict_on_logits_equals_verdict_on_models() {
    let scratch = Scratch::new();
    let [reference, candidate] = dumped(&scratch);
    let (float, int8) = (shipped("fashion-lt.onnx"), shipped("fashion-lt.int8.onnx"));
    let card = ["--card", &float, "--json"];
    let files = parity(
        &[
            &["--reference", &reference, "--candidate", &candidate],
            &card[..],
        ]
        .concat(),
    )
    .ended_with(0)
    .json();
    let models = [
        "--reference",
        &float,
        "--candidate",
        &int8,
        "--data",
        TEST,
        "--json",
    ];
    let models = parity(&models).ended_with(0).json();
    for key in [
        "overall",
        "groups",
        "classes",
        "flips",
        "logit_distance",
        "calibration_error",
        "masses",
    ] {
        assert_eq!(files[key], models[key], "{key}");
    }
}

#[test]
fn missing_and_mismatched_inputs_are_named() {
    let scratch = Scratch::new();
    let logits = npy(
        &scratch,
        "a.npy",
        "<f4",
        "3, 2",
        &floats(&[1.0, 0.0, 0.0, 1.0, 2.0, 0.0]),
    );
    let wide = npy(
        &scratch,
        "wide.npy",
        "<f4",
        "2, 3",
        &floats(&[1.0, 0.0, 0.0, 1.0, 2.0, 0.0]),
    );
    let short = npy(
        &scratch,
        "short.npy",
        "<f4",
        "2, 2",
        &floats(&[1.0, 0.0, 0.0, 1.0]),
    );
    let cut = npy(&scratch, "cut.npy", "<f4", "3, 2", &floats(&[1.0, 0.0]));
    let labels = scratch.write("labels.txt", "0\n1\n0\n");
    let beyond = scratch.write("beyond.txt", "0\n1\n2\n");
    let counts = scratch.write("counts.txt", "500\n5\n");
    let one_count = scratch.write("one.txt", "500\n");
    let no_number = scratch.write("words.txt", "500\nmany\n");
    let refused = |args: &[&str], texts: &[&str]| {
        let answer = parity(&[&["--reference", &logits], args].concat()).ended_with(2);
        for text in texts {
            assert!(
                answer.stderr.contains(text),
                "`{text}` is not in: {}",
                answer.stderr
            );
        }
    };
    let same = ["--candidate", &logits, "--counts", &counts];
    refused(&same, &["--labels"]);
    refused(
        &["--candidate", &logits, "--labels", &labels],
        &["--counts", "--card"],
    );
    let known = ["--labels", &labels, "--counts", &counts];
    let with = |candidate: &str, texts: &[&str]| {
        refused(&[&["--candidate", candidate], &known[..]].concat(), texts);
    };
    with(&wide, &["2 classes", "3"]);
    with(&short, &["3 images", "2"]);
    with(&cut, &["cut.npy"]);
    with(
        &shipped("fashion-lt.onnx"),
        &["a.npy holds logits", "fashion-lt.onnx is a model"],
    );
    refused(
        &[
            "--candidate",
            &logits,
            "--labels",
            &beyond,
            "--counts",
            &counts,
        ],
        &["image 2 has label 2", "2 classes"],
    );
    refused(
        &[
            "--candidate",
            &logits,
            "--labels",
            &labels,
            "--counts",
            &one_count,
        ],
        &["one.txt has 1 lines", "2 classes"],
    );
    refused(
        &[
            "--candidate",
            &logits,
            "--labels",
            &labels,
            "--counts",
            &no_number,
        ],
        &["words.txt, line 2: `many`"],
    );
    refused(&["--candidate", &logits, "--data", TEST], &["--data"]);
    let model_flags = ["--candidate", &logits, "--output", "scores", "--bgr"];
    refused(
        &[&model_flags, &known[..]].concat(),
        &["files of logits are compared as they are: --bgr --output=scores is for models"],
    );
    let training = ["--candidate", &logits, "--training", "embedded?split=train"];
    refused(&[&training, &known[..]].concat(), &["--training"]);
}

#[test]
fn nan_in_file_decides_verdict() {
    let scratch = Scratch::new();
    let good = npy(
        &scratch,
        "a.npy",
        "<f4",
        "2, 2",
        &floats(&[1.0, 0.0, 0.0, 1.0]),
    );
    let bad = npy(
        &scratch,
        "b.npy",
        "<f4",
        "2, 2",
        &floats(&[1.0, 0.0, f32::NAN, 1.0]),
    );
    let labels = scratch.write("labels.txt", "0\n1\n");
    let counts = scratch.write("counts.txt", "500\n5\n");
    let known = ["--labels", &labels, "--counts", &counts, "--json"];
    for (reference, candidate) in [(&good, &bad), (&bad, &good)] {
        let args = [
            &["--reference", reference, "--candidate", candidate],
            &known[..],
        ]
        .concat();
        let report = parity(&args).ended_with(1).json();
        assert_eq!(report["decided_by"], "non_finite");
    }
}

#[test]
fn complete_report_is_baseline_and_truncated_report_is_error() {
    let scratch = Scratch::new();
    let (float, int8) = (shipped("fashion-lt.onnx"), shipped("fashion-lt.int8.onnx"));
    let accepted = scratch.at("accepted");
    let models = ["--reference", &float, "--candidate", &int8, "--data", TEST];
    parity(&[&models[..], &["--report", &accepted]].concat()).ended_with(0);
    let baseline = Path::new(&accepted)
        .join("parity.json")
        .display()
        .to_string();
    let again = parity(&[&models[..], &["--baseline", &baseline, "--json"]].concat())
        .ended_with(0)
        .json();
    assert_eq!(again["baseline"]["regressions"], Value::Array(Vec::new()));
    parity(&["diff", &baseline, &baseline]).ended_with(0);

    // The baseline is better on the few-shot group by more than half a percentage point.
    let mut better: Value = serde_json::from_str(&fs::read_to_string(&baseline).unwrap()).unwrap();
    let few = &mut better["groups"]["few"]["candidate_top1"];
    *few = (few.as_f64().unwrap() + 0.006).into();
    let better = scratch.write("better.json", better.to_string());
    let worse = parity(&[&models[..], &["--baseline", &better, "--json"]].concat())
        .ended_with(1)
        .json();
    assert_eq!(worse["decided_by"], "baseline");
    let answer = parity(&["diff", &better, &baseline]).ended_with(1);
    assert!(
        answer.stdout.starts_with("REGRESSION few:"),
        "{}",
        answer.stdout
    );

    let text = fs::read_to_string(&baseline).unwrap();
    let cut = scratch.write("cut.json", &text[..text.len() / 2]);
    let answer = parity(&[&models[..], &["--baseline", &cut]].concat()).ended_with(2);
    assert!(
        answer
            .stderr
            .contains("cut.json is not a whole parity report"),
        "{}",
        answer.stderr
    );
    let fewer = [
        "--reference",
        &float,
        "--candidate",
        &int8,
        "--data",
        "embedded?split=test&limit=1000",
    ];
    let answer = parity(&[&fewer[..], &["--baseline", &baseline]].concat()).ended_with(2);
    assert!(
        answer.stderr.contains("`3000`") && answer.stderr.contains("`1000`"),
        "{}",
        answer.stderr
    );
}

#[test]
fn suggested_policy_is_valid_and_passes() {
    let scratch = Scratch::new();
    let (float, int8) = (shipped("fashion-lt.onnx"), shipped("fashion-lt.int8.onnx"));
    let models = ["--reference", &float, "--candidate", &int8, "--data", TEST];
    let suggested = parity(&[&models[..], &["--suggest"]].concat())
        .ended_with(0)
        .stdout;
    let policy = scratch.write("parity.toml", suggested.as_bytes());
    let report = parity(&[&models[..], &["--policy", &policy, "--json"]].concat())
        .ended_with(0)
        .json();
    assert_eq!(report["policy"]["expected_images"], 3000);
    assert_eq!(report["policy"]["model"], "fashion-lt");
    // The policy is valid only for this model and these images.
    let fewer = [
        "--reference",
        &float,
        "--candidate",
        &int8,
        "--data",
        "embedded?split=test&limit=2990",
    ];
    let answer = parity(&[&fewer[..], &["--policy", &policy]].concat()).ended_with(2);
    assert!(
        answer.stderr.contains("expects 3000 images"),
        "{}",
        answer.stderr
    );
}

#[test]
fn policies_for_other_models_and_unknown_back_ends_are_errors() {
    let scratch = Scratch::new();
    let (float, int8) = (shipped("fashion-lt.onnx"), shipped("fashion-lt.int8.onnx"));
    let models = ["--reference", &float, "--candidate", &int8, "--data", TEST];
    let refused = |text: &str, texts: &[&str]| {
        let policy = scratch.write("parity.toml", text);
        let answer = parity(&[&models[..], &["--policy", &policy]].concat()).ended_with(2);
        for text in texts {
            assert!(
                answer.stderr.contains(text),
                "`{text}` is not in: {}",
                answer.stderr
            );
        }
    };
    refused("model = \"plants\"", &["`plants`", "`fashion-lt`"]);
    refused(
        "[backends.orrt]\nreason = \"typing\"",
        &["backends.orrt", "there is no back end"],
    );
    refused(
        "[backends.ort]\nmin_agreement = 0.9",
        &["policy.backends.ort gives no reason"],
    );
    refused(
        "[backends.ort]\nreason = \"x\"\nmargin = 3",
        &["unknown field `margin`"],
    );
    refused(
        "expected_group_images = { few = 599 }",
        &["599 images of group few", "600"],
    );
    // The tolerances of one back end do not apply to another.
    let policy = scratch.write(
        "parity.toml",
        "min_agreement = 1.0\n[backends.integer]\nreason = \"rounding\"\nmin_agreement = 0.9",
    );
    let with = |backend: &str| {
        let args = ["--policy", &policy, "--backend", backend, "--json"];
        parity(&[&models[..], &args].concat())
    };
    assert_eq!(
        with("tract").ended_with(1).json()["decided_by"],
        "agreement"
    );
}
