//! `tailfold parity`: sound models pass, and planted faults are found.

use std::fs;

use serde_json::Value;
use tailfold_onnx::Model;

use crate::fixture::{fixture, int8};
use crate::programs::{Answer, root, run};
use crate::scratch::Scratch;

const TEST: &str = "embedded?split=test";

/// Compares `candidate` with the fixture's model on `data`.
fn parity(scratch: &Scratch, candidate: &Model, data: &str) -> Answer {
    let reference = scratch.write("reference.onnx", fixture().model.to_bytes());
    let candidate = scratch.write("candidate.onnx", candidate.to_bytes());
    let args = [
        "parity",
        "--json",
        "--reference",
        &reference,
        "--candidate",
        &candidate,
        "--data",
        data,
    ];
    run("tailfold", &args)
}

#[test]
fn model_has_parity_with_itself() {
    let scratch = Scratch::new();
    let report = parity(&scratch, &fixture().model, TEST)
        .ended_with(0)
        .json();
    assert_eq!(report["schema"], "tailfold.parity/1");
    assert_eq!(report["verdict"], "pass");
    assert_eq!(report["images"], 3000);
    for key in ["flips", "flips_toward_frequent"] {
        assert_eq!(report[key], 0, "{key}");
    }
    for (key, expected) in [("ties", 0), ("non_finite", 0)] {
        assert_eq!(report[key]["reference"], expected, "{key}");
        assert_eq!(report[key]["candidate"], expected, "{key}");
    }
    assert_eq!(report["worst_classes"], Value::Array(Vec::new()));
    assert_eq!(report["backends"]["reference"], "tract");
    assert_eq!(
        report["model_sha256"]["reference"],
        report["model_sha256"]["candidate"]
    );
    let parts = ["many", "medium", "few"].map(|group| (group, &report["groups"][group]));
    for (name, part) in parts.into_iter().chain([("overall", &report["overall"])]) {
        for key in [
            "images",
            "classes",
            "reference_top1",
            "candidate_top1",
            "delta_pp",
            "lower_bound_pp",
            "margin_pp",
            "discordant",
        ] {
            assert!(part[key].is_number(), "{name}.{key} in {report}");
        }
        assert_eq!(part["discordant"], 0, "{name}");
        assert_eq!(part["reference_top1"], part["candidate_top1"], "{name}");
        // The other tests need accuracy that a fault can reduce.
        assert!(
            part["reference_top1"].as_f64().unwrap() > 0.2,
            "{name} of the fixture: {part}"
        );
    }
    assert_eq!(report["groups"]["few"]["images"], 600);
}

#[test]
fn exchanged_classes_are_found() {
    let mut model = fixture().model.clone();
    // The two rarest classes: a fifth of the images, and all of the few-shot group.
    for name in ["head.weight", "head.bias"] {
        let (shape, mut values) = model.initializer_f32(name).unwrap();
        let row = values.len() / shape[0];
        let (rest, last) = values.split_at_mut(9 * row);
        rest[8 * row..].swap_with_slice(last);
        model.set_initializer_f32(name, &shape, &values);
    }
    let report = parity(&Scratch::new(), &model, TEST).ended_with(1).json();
    assert_eq!(
        (&report["verdict"], &report["decided_by"]),
        (&"fail".into(), &"few".into())
    );
    assert_eq!(report["groups"]["few"]["verdict"], "fail");
    let worst = report["worst_classes"].as_array().unwrap();
    let names: Vec<&str> = worst.iter().map(|w| w["name"].as_str().unwrap()).collect();
    assert!(
        names.contains(&"Bag") && names.contains(&"Ankle boot"),
        "{names:?}"
    );
}

#[test]
fn shift_toward_frequent_class_is_found() {
    // A lost offset has this effect: overall accuracy hardly changes, but rare classes lose.
    let mut model = fixture().model.clone();
    let (shape, mut bias) = model.initializer_f32("head.bias").unwrap();
    bias[8] -= 2.0;
    bias[9] -= 2.0;
    model.set_initializer_f32("head.bias", &shape, &bias);
    let report = parity(&Scratch::new(), &model, TEST).ended_with(1).json();
    assert_eq!(report["decided_by"], "few", "{report}");
    let toward = |key: &str| report[key].as_u64().unwrap();
    assert!(
        toward("flips_toward_frequent") > toward("flips_toward_rare"),
        "{report}"
    );
}

#[test]
fn nan_is_never_a_pass() {
    let mut model = fixture().model.clone();
    let (shape, mut bias) = model.initializer_f32("head.bias").unwrap();
    bias[9] = f32::NAN;
    model.set_initializer_f32("head.bias", &shape, &bias);
    let answer = parity(&Scratch::new(), &model, TEST).ended_with(2);
    assert!(
        answer.stderr.contains("`head.bias` has NaN at index 9"),
        "{}",
        answer.stderr
    );
    assert_eq!(answer.json()["verdict"], "error");
    // The weights are finite but their sums are not, which only the logits show.
    let mut model = fixture().model.clone();
    let (shape, weights) = model.initializer_f32("head.weight").unwrap();
    model.set_initializer_f32("head.weight", &shape, &vec![f32::MAX; weights.len()]);
    let report = parity(&Scratch::new(), &model, TEST).ended_with(1).json();
    assert_eq!(
        (&report["verdict"], &report["decided_by"]),
        (&"fail".into(), &"non_finite".into())
    );
    assert_eq!(report["max_abs_logit_diff"], Value::Null);
}

#[test]
fn too_few_images_are_inconclusive() {
    let data = "embedded?split=test&limit=60";
    let report = parity(&Scratch::new(), &fixture().model, data)
        .ended_with(3)
        .json();
    assert_eq!(
        (&report["verdict"], &report["images"]),
        (&"inconclusive".into(), &60.into())
    );
    assert!(
        report["groups"]["few"]["images_needed"].as_u64().unwrap() > 12,
        "{report}"
    );
}

#[test]
fn calibration_images_are_error() {
    let scratch = Scratch::new();
    let answer = parity(&scratch, int8(), "embedded?split=train").ended_with(2);
    let candidate = scratch.at("candidate.onnx");
    for text in [
        &candidate,
        "calibrated on 80 of the evaluation images",
        "train.png#",
    ] {
        assert!(
            answer.stderr.contains(text),
            "`{text}` is not in: {}",
            answer.stderr
        );
    }
    assert_eq!(answer.json()["verdict"], "error");
    // Control: on other images, the model has a verdict.
    let report = parity(&scratch, int8(), TEST);
    assert!(matches!(report.code, Some(0 | 1 | 3)), "{report:?}");
    assert_eq!(report.json()["images"], 3000);
}

#[test]
fn report_folder_has_all_formats() {
    let scratch = Scratch::new();
    let model = scratch.write("model.onnx", fixture().model.to_bytes());
    let folder = scratch.at("new/report");
    let args = [
        "parity",
        "--json",
        "--reference",
        &model,
        "--candidate",
        &model,
        "--data",
        TEST,
    ];
    let args = [&args[..], &["--report", &folder]].concat();
    let printed = run("tailfold", &args).ended_with(0).json();
    let written = fs::read(scratch.at("new/report/parity.json")).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&written).unwrap(), printed);
    let table = fs::read_to_string(scratch.at("new/report/parity.md")).unwrap();
    assert!(
        ["many", "medium", "few"]
            .iter()
            .all(|group| table.contains(group)),
        "{table}"
    );
    let run_as = &written_run(&printed);
    assert!(
        run_as.contains("--backend tract") && run_as.contains(TEST),
        "{run_as}"
    );
    assert_eq!(printed["run"]["sides"]["candidate"]["file"], model.as_str());
    assert!(printed["run"]["sides"]["candidate"]["latency"].is_null());
    let nodes = printed["run"]["sides"]["candidate"]["nodes"]
        .as_object()
        .unwrap();
    assert!(!nodes.is_empty(), "{printed}");
    // Another run writes the same bytes.
    let first = scratch.listing();
    run("tailfold", &args).ended_with(0);
    assert_eq!(scratch.listing(), first);
}

fn written_run(report: &Value) -> String {
    report["run"]["command"].as_str().unwrap().to_owned()
}

/// Files of a folder of reports.
const REPORTS: [&str; 4] = ["parity.json", "parity.md", "parity.xml", "parity.html"];

#[test]
fn error_replaces_reports_of_earlier_run() {
    let scratch = Scratch::new();
    let model = scratch.write("model.onnx", fixture().model.to_bytes());
    let folder = scratch.at("report");
    let data = "embedded?split=test&limit=60";
    let gate = |candidate: &str| {
        let models = ["parity", "--reference", &model, "--candidate", candidate];
        run(
            "tailfold",
            &[&models[..], &["--data", data, "--report", &folder]].concat(),
        )
    };
    let files =
        || REPORTS.map(|file| fs::read_to_string(scratch.at(&format!("report/{file}"))).unwrap());
    gate(&model).ended_with(3);
    for (file, text) in REPORTS.iter().zip(files()) {
        assert!(text.contains("inconclusive"), "{file}: {text}");
    }
    let missing = scratch.at("missing.onnx");
    gate(&missing).ended_with(2);
    for (file, text) in REPORTS.iter().zip(files()) {
        // The style sheet of the page names every verdict.
        let text = text.split("</style>").last().unwrap();
        assert!(!text.contains("inconclusive"), "{file}: {text}");
        assert!(text.to_lowercase().contains("error"), "{file}: {text}");
        assert!(text.contains("missing.onnx"), "{file}: {text}");
    }
}

#[test]
fn reports_have_pictures_and_times() {
    let scratch = Scratch::new();
    let model = scratch.write("model.onnx", fixture().model.to_bytes());
    let candidate = scratch.write("int8.onnx", int8().to_bytes());
    let folder = scratch.at("report");
    let models = [
        "parity",
        "--json",
        "--reference",
        &model,
        "--candidate",
        &candidate,
    ];
    let args = ["--data", TEST, "--latency", "--report", &folder];
    let report = run("tailfold", &[&models[..], &args].concat()).json();
    for side in ["reference", "candidate"] {
        let latency = &report["run"]["sides"][side]["latency"];
        assert_eq!(latency["images"], 100, "{report}");
        let ms = |key: &str| latency[key].as_f64().unwrap();
        assert!(
            ms("p50_ms") > 0.0 && ms("p95_ms") >= ms("p50_ms"),
            "{latency}"
        );
    }
    let flips = report["worst_flips"].as_array().unwrap().len();
    assert!(flips > 0, "{report}");
    let page = fs::read_to_string(scratch.at("report/parity.html")).unwrap();
    assert_eq!(page.matches("src=\"data:image/png;base64,").count(), flips);
}

#[test]
fn shipped_models_pass_their_policy() {
    let folder = root().join("models/fashion-lt");
    let file = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (float, int8) = (file("fashion-lt.onnx"), file("fashion-lt.int8.onnx"));
    let args = [
        "parity",
        "--json",
        "--reference",
        &float,
        "--candidate",
        &int8,
        "--data",
        TEST,
    ];
    let policy = file("parity.toml");
    let report = run("tailfold", &[&args[..], &["--policy", &policy]].concat())
        .ended_with(0)
        .json();
    assert_eq!(
        (&report["verdict"], &report["images"]),
        (&"pass".into(), &3000.into())
    );
}
