//! Quantizing into a file that the run reads.

use std::fs;

use tailfold_onnx::proto::{DataLocation, StringStringEntryProto};

use super::refused;
use crate::fixture::fixture;
use crate::programs::run;
use crate::scratch::Scratch;

const TRAIN: [&str; 2] = ["--calibration", "embedded?split=train&per-class=2"];

/// Fails unless `args` beside `--model` are refused in words that hold `expect`, with every file as it was.
#[track_caller]
fn check(scratch: &Scratch, args: &[&str], expect: &[&str]) {
    let model = scratch.at("model.onnx");
    let args = [&["--model", &model], &TRAIN[..], args].concat();
    refused(scratch, "tailfold-quant", &args, expect);
}

#[test]
fn the_model_is_not_written_over_under_any_name() {
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
    // A report with the model in its folder, under the report's name.
    let report = scratch.write("report/report.md", fixture().model.to_bytes());
    let folder = scratch.at("report");
    let args = ["--model", &report, "--out", &out, "--report", &folder];
    refused(
        &scratch,
        "tailfold-quant",
        &[&args[..], &TRAIN].concat(),
        &["report.md", lost],
    );
}

#[test]
fn values_beside_the_model_are_not_written_over() {
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
    // The control: another file, in folders that are not there yet.
    let (file, out) = (scratch.at("model.onnx"), scratch.at("new/folder/out.onnx"));
    let args = [&["--model", &file, "--out", &out], &TRAIN[..]].concat();
    run("tailfold-quant", &args).ended_with(0);
    assert!(fs::metadata(out).unwrap().len() > 0);
}

#[test]
fn other_files_of_the_run_are_not_written_over() {
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
    refused(&scratch, "tailfold-quant", &args, &expect);
    let raw = scratch.write("images.f32", [0; 3136]);
    let args = ["--model", &model, "--out", &raw, "--calibration-f32", &raw];
    let expect = ["--out", "file of --calibration-f32", "which would be lost"];
    refused(&scratch, "tailfold-quant", &args, &expect);
}
