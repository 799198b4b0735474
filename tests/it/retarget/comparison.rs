//! `tailfold priors`: consistency of the comparison on the validation images.

use std::fs;

use serde_json::Value;

use super::{RUN, VAL, column, export, numbers};
use crate::programs::{Answer, finish, xtask};
use crate::scratch::Scratch;

fn priors(options: &[&str]) -> Answer {
    let mut priors = xtask();
    priors.args(["priors", "--run", RUN, "--evaluate", VAL, "--seeds", "3"]);
    finish(priors.args(options))
}

#[track_caller]
fn arm<'a>(prior: &'a Value, name: &str) -> &'a Value {
    let arms = prior["arms"].as_array().unwrap();
    let found = arms.iter().find(|arm| arm["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {prior:#}"))
}

#[test]
fn comparison_agrees_with_exports() {
    let scratch = Scratch::new();
    let (json, markdown) = (scratch.at("priors.json"), scratch.at("priors.md"));
    let options = ["--json", "--report", &json, "--markdown", &markdown];
    let answer = priors(&options).ended_with(0);
    assert_eq!(fs::read_to_string(&json).unwrap(), answer.stdout);
    let report = answer.json();
    assert_eq!(report["schema"], "tailfold.priors/1");
    // There are 30 images per class. One class with a share of 40.36 % limits the sample to 74 images.
    assert_eq!(
        (&report["test_images"], &report["images"]),
        (&300.into(), &75.into())
    );
    let names: Vec<&str> = report["priors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|prior| prior["prior"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["uniform", "train", "reversed"]);
    for prior in report["priors"].as_array().unwrap() {
        let drawn: f64 = numbers(&prior["drawn_counts"]).iter().sum();
        assert!((drawn - 75.0).abs() < 1e-9, "{drawn}");
        let name = prior["prior"].as_str().unwrap();
        let out = scratch.at("model.onnx");
        let options = ["--prior", name, "--evaluate", VAL, "--json"];
        let exported = export(RUN, &out, &options).ended_with(0).json();
        let expected = &exported["retarget"]["expected"];
        for (of_arm, of_export) in [("plain", "before"), ("features", "after")] {
            let shares = expected[of_export]["mean"].as_f64().unwrap();
            let percent = arm(prior, of_arm)["expected"]["mean"].as_f64().unwrap();
            assert!((percent - 100.0 * shares).abs() < 1e-9, "{name}: {percent}");
        }
        assert_eq!(
            numbers(&arm(prior, "features")["offsets"]),
            column(&exported["retarget"]["classes"], "offset_after"),
            "{name}"
        );
    }
    // The plain export is solved for the uniform prior, so three arms are equal for it.
    let uniform = &report["priors"][0];
    for name in ["features-cells", "features-balanced", "adjusted"] {
        assert_eq!(
            numbers(&arm(uniform, name)["offsets"]),
            numbers(&arm(uniform, "plain")["offsets"]),
            "{name}"
        );
    }
    let text = fs::read_to_string(&markdown).unwrap();
    assert!(text.contains("## Prior reversed"), "{text}");
}

#[test]
fn overlapping_or_too_many_images_are_errors() {
    let answer = priors(&["--calibration", VAL]).ended_with(2);
    assert!(
        answer.stderr.contains("images that offsets are solved on"),
        "{}",
        answer.stderr
    );
    let answer = priors(&["--images", "76"]).ended_with(2);
    let expect =
        "allows sets of 1 to 75 images under every prior without repeats, 76 were asked for";
    assert!(answer.stderr.contains(expect), "{}", answer.stderr);
}
