//! `tailfold` and `tailfold quantize` must not overwrite a file that they read.

use std::fs;

use tailfold_onnx::proto::{DataLocation, StringStringEntryProto};

use super::refused;
use crate::fixture::fixture;
use crate::programs::run;
use crate::scratch::Scratch;

const TRAIN: [&str; 2] = ["--calibration", "embedded?split=train&per-class=2"];

/// Checks that quantization with `args` is an error with the texts of `expect`, and that no file changes.
#[track_caller]
fn check(scratch: &Scratch, args: &[&str], expect: &[&str]) {
    let model = scratch.at("model.onnx");
    let args = [&["--model", &model], &TRAIN[..], args].concat();
    refused(scratch, "tailfold quantize", &args, expect);
}

#[test]
fn model_is_not_overwritten_under_any_path() {
    let scratch = Scratch::new();
    let model = scratch.write("model.onnx", fixture().model.to_bytes());
    let lost = "which would be lost: give another file to write";
    let other = scratch.at("folder/../model.onnx");
    scratch.folder("folder");
    for out in [&model, &other] {
        check(&scratch, &["--out", out], &["--out", &model, lost]);
    }
    let hard = scratch.at("hard.onnx");
    fs::hard_link(&model, &hard).unwrap();
    check(&scratch, &["--out", &hard], &[&hard, &model, lost]);
    #[cfg(unix)]
    {
        let link = scratch.at("link.onnx");
        std::os::unix::fs::symlink(&model, &link).unwrap();
        check(&scratch, &["--out", &link], &[&link, &model, lost]);
    }
    let out = scratch.at("out.onnx");
    check(
        &scratch,
        &["--out", &out, "--list", &model],
        &["--list", lost],
    );
    check(
        &scratch,
        &["--out", &out, "--list", &out],
        &["--list", "is also", "--out"],
    );
    // The model lies in the folder of the report, under the name of the report.
    let report = scratch.write("report/report.md", fixture().model.to_bytes());
    let folder = scratch.at("report");
    let args = ["--model", &report, "--out", &out, "--report", &folder];
    refused(
        &scratch,
        "tailfold quantize",
        &[&args[..], &TRAIN].concat(),
        &["report.md", lost],
    );
}

#[test]
fn external_data_is_not_overwritten() {
    let scratch = Scratch::new();
    let mut model = fixture().model.clone();
    let graph = model.graph_mut();
    let bias = graph
        .initializer
        .iter_mut()
        .find(|t| t.name() == "head.bias");
    let bias = bias.unwrap();
    let values = bias.raw_data.take().unwrap();
    bias.data_location = Some(DataLocation::External.into());
    bias.external_data = vec![StringStringEntryProto {
        key: Some("location".to_owned()),
        value: Some("int8.onnx".to_owned()),
    }];
    let beside = scratch.write("int8.onnx", values);
    scratch.write("model.onnx", model.to_bytes());
    check(
        &scratch,
        &["--out", &beside],
        &["--out", "values of --model", "which would be lost"],
    );
    // Control: the same command writes another file, in folders that do not exist yet.
    let (file, out) = (scratch.at("model.onnx"), scratch.at("new/folder/out.onnx"));
    let args = [&["--model", &file, "--out", &out], &TRAIN[..]].concat();
    run("tailfold quantize", &args).ended_with(0);
    assert!(fs::metadata(out).unwrap().len() > 0);
}

#[test]
fn calibration_and_label_files_are_not_overwritten() {
    let scratch = Scratch::new();
    scratch.write("model.onnx", fixture().model.to_bytes());
    let out = scratch.at("out.onnx");
    let list = scratch.write("list.csv", "file,label\n");
    let spec = format!("csv:{list}");
    let model = scratch.at("model.onnx");
    let args = [
        "--model",
        &model,
        "--out",
        &out,
        "--list",
        &list,
        "--calibration",
        &spec,
    ];
    let expect = ["--list", "file of --calibration", "which would be lost"];
    refused(&scratch, "tailfold quantize", &args, &expect);
    let labels = scratch.write("labels.txt", "bag\n");
    let args = ["--model", &model, "--out", &labels, "--labels", &labels];
    let expect = ["--out", "file of --labels", "which would be lost"];
    refused(&scratch, "tailfold quantize", &args, &expect);
    let raw = scratch.write("images.f32", [0; 3136]);
    let args = ["--model", &model, "--out", &raw, "--calibration-f32", &raw];
    let expect = ["--out", "file of --calibration-f32", "which would be lost"];
    refused(&scratch, "tailfold quantize", &args, &expect);
}

#[test]
fn inputs_of_tailfold_are_not_overwritten() {
    let scratch = Scratch::new();
    let model = scratch.write("model.onnx", fixture().model.to_bytes());
    let names = scratch.write("names.txt", fixture().card.classes.join("\n"));
    let check = |args: &[&str], role: &str| {
        let expect = [role, "which would be lost: give another file to write"];
        refused(&scratch, "tailfold", args, &expect);
    };
    let data = "embedded?split=test&limit=10";
    let run_on = ["--model", &model, "--data", data];
    let with = |command: &str, more: &[&str]| {
        let args = [&[command], &run_on[..], more].concat();
        check(&args, "is the file of --model");
    };
    with("logits", &["--out", &model]);
    with("logits", &["--shard", "0/2", "--partial", &model]);
    with("evaluate", &["--shard", "0/2", "--partial", &model]);
    with("bench", &["--markdown", &model]);
    check(
        &[
            "describe", "--model", &model, "--labels", &names, "--out", &names,
        ],
        "is the file of --labels",
    );
    // The model lies in the folder of the reports, under the name of a report.
    let report = scratch.write("report/parity.json", fixture().model.to_bytes());
    let folder = scratch.at("report");
    let pair = ["--reference", &model, "--candidate", &report];
    let args = [
        &["parity"],
        &pair[..],
        &["--data", data, "--report", &folder],
    ]
    .concat();
    check(&args, "is the file of --candidate");
    let chain = scratch.write("report/chain.md", fixture().model.to_bytes());
    let pair = ["--reference", &model, "--candidate", &chain];
    let args = [
        &["parity", "chain"],
        &pair[..],
        &["--data", data, "--report", &folder],
    ]
    .concat();
    check(&args, "is the file of --candidate");
    let part = scratch.write("a.part", "part");
    check(&["merge", &part, "--out", &part], "is the part");
}

#[test]
fn images_of_a_data_set_are_not_overwritten() {
    let scratch = Scratch::new();
    let model = scratch.write("model.onnx", fixture().model.to_bytes());
    let image = scratch.write("photos/ant/0.png", "image");
    let root = scratch.at("photos");
    let list = scratch.write("list.txt", "ant/0.png 0\n");
    for data in [format!("folder:{root}"), format!("list:{list}@{root}")] {
        for (program, command, option) in [
            ("tailfold", Some("logits"), "--data"),
            ("tailfold quantize", None, "--calibration"),
        ] {
            let mut args: Vec<&str> = command.into_iter().collect();
            args.extend([option, &data, "--model", &model, "--out", &image]);
            let expect = format!("is the file of {option}");
            refused(&scratch, program, &args, &["--out", &image, &expect]);
        }
    }
}
