//! Outputs that cannot be written.

use std::fs;

use super::refused;
use crate::fixture::fixture;
use crate::programs::run;
use crate::scratch::Scratch;

/// A path below a regular file, which nobody can write, not even root.
fn below_a_file(scratch: &Scratch) -> String {
    scratch.write("file", "not a folder") + "/out"
}

#[test]
fn unwritable_model_is_error() {
    let scratch = Scratch::new();
    let model = scratch.write("model.onnx", fixture().model.to_bytes());
    let out = below_a_file(&scratch);
    let args = [
        "--model",
        &model,
        "--calibration",
        "embedded?split=train&per-class=2",
        "--out",
    ];
    refused(
        &scratch,
        "tailfold quantize",
        &[&args[..], &[&format!("{out}/a.onnx")]].concat(),
        &[&out],
    );
    // The output path is a folder.
    let folder = scratch.folder("folder");
    refused(
        &scratch,
        "tailfold quantize",
        &[&args[..], &[&folder]].concat(),
        &[&folder],
    );
}

#[test]
fn unwritable_logits_are_error() {
    let scratch = Scratch::new();
    let model = scratch.write("model.onnx", fixture().model.to_bytes());
    let out = below_a_file(&scratch);
    let args = [
        "logits",
        "--model",
        &model,
        "--data",
        "embedded?split=val&limit=5",
        "--out",
    ];
    let path = format!("{out}/logits.safetensors");
    refused(
        &scratch,
        "tailfold",
        &[&args[..], &[&path]].concat(),
        &[&out],
    );
    // Control: the same command writes to a valid path.
    let path = scratch.at("new/logits.safetensors");
    run("tailfold", &[&args[..], &[&path]].concat()).ended_with(0);
    assert!(fs::metadata(path).unwrap().len() > 0);
    let litter: Vec<String> = scratch
        .listing()
        .into_keys()
        .filter(|p| p.contains(".tailfold-"))
        .collect();
    assert!(litter.is_empty(), "{litter:?}");
}

#[test]
fn unwritable_report_is_error() {
    let scratch = Scratch::new();
    let model = scratch.write("model.onnx", fixture().model.to_bytes());
    let out = below_a_file(&scratch);
    let data = "embedded?split=val&limit=20";
    let args = [
        "parity",
        "--reference",
        &model,
        "--candidate",
        &model,
        "--data",
        data,
    ];
    refused(
        &scratch,
        "tailfold",
        &[&args[..], &["--report", &out]].concat(),
        &[&out],
    );
}

fn parity_with_itself<'a>(model: &'a str, policy: &'a str, data: &'a str) -> [&'a str; 9] {
    [
        "parity",
        "--reference",
        model,
        "--candidate",
        model,
        "--policy",
        policy,
        "--data",
        data,
    ]
}

#[test]
fn invalid_policy_is_error() {
    let scratch = Scratch::new();
    let model = scratch.write("model.onnx", fixture().model.to_bytes());
    let check = |text: &str, expect: &[&str]| {
        let policy = scratch.write("parity.toml", text);
        let args = parity_with_itself(&model, &policy, "embedded?split=test");
        let expect: Vec<&str> = [policy.as_str()]
            .into_iter()
            .chain(expect.iter().copied())
            .collect();
        refused(&scratch, "tailfold", &args, &expect);
    };
    check("margin = 1.0", &["unknown field `margin`"]);
    check("level = 0.7", &["policy.level is 0.7"]);
    check(
        "group_margin_pp = { few = 0.0 }",
        &["group_margin_pp.few is 0"],
    );
    check("min_retained = nan", &["policy.min_retained is NaN"]);
}

#[test]
fn policy_for_another_number_of_images_is_error() {
    let scratch = Scratch::new();
    let model = scratch.write("model.onnx", fixture().model.to_bytes());
    let policy = scratch.write("parity.toml", "expected_images = 3000");
    let args = parity_with_itself(&model, &policy, "embedded?split=test&limit=2999");
    refused(&scratch, "tailfold", &args, &["3000", "2999"]);
}
