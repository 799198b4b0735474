//! Configurations that must not be trained.

use super::refused;
use crate::fixture::TINY_TRAINING;
use crate::scratch::Scratch;

/// Checks that training with an edited `TINY_TRAINING` is an error with the file and the texts of `expect`.
#[track_caller]
fn check_config(from: &str, to: &str, expect: &[&str]) {
    let scratch = Scratch::new();
    assert!(TINY_TRAINING.contains(from), "{from}");
    let config = scratch.write("config.toml", TINY_TRAINING.replacen(from, to, 1));
    let args = ["--config", &config, "--out", &scratch.at("run")];
    let expect: Vec<&str> = [config.as_str()]
        .into_iter()
        .chain(expect.iter().copied())
        .collect();
    refused(&scratch, "tailfold-train", &args, &expect);
}

#[test]
fn invalid_configuration_is_error() {
    check_config(
        "epochs = 1",
        "epoch = 1",
        &["unknown field `epoch`", "did you mean `epochs`?"],
    );
    check_config(
        "width = 1",
        "widht = 1",
        &["unknown field `widht`", "did you mean `width`?"],
    );
    check_config(
        "learning_rate",
        "learnin_rate",
        &["unknown field `learnin_rate`"],
    );
    check_config(
        "\"ce\"",
        "\"se\"",
        &["unknown variant `se`", "did you mean `ce`?"],
    );
    check_config(
        "depth = 8",
        "kind = \"vgg16\"",
        &["unknown variant `vgg16`", "mobilenet-v2"],
    );
    check_config(
        "depth = 8",
        "kind = \"resnet50\"",
        &["the network `resnet50` takes no `width`"],
    );
    check_config(
        "depth = 8\nwidth = 1\nstem_stride = 2",
        "kind = \"resnet50\"",
        &["architecture.input is [1, 28, 28]", "32 to 4096 pixels"],
    );
    check_config(
        "depth = 8",
        "depth = 8\npretrained = \"absent.safetensors\"",
        &["absent.safetensors"],
    );
    check_config("batch = 4", "batch = 0", &["batch is 0"]);
    check_config(
        "learning_rate = 0.01",
        "learning_rate = nan",
        &["learning_rate is NaN"],
    );
    check_config(
        "per-class=2",
        "per-klass=2",
        &["data is not a data spec", "per-klass"],
    );
    check_config(TINY_TRAINING, "", &["missing field"]);
}

#[test]
fn invalid_override_is_error() {
    let scratch = Scratch::new();
    let config = scratch.write("config.toml", TINY_TRAINING);
    let out = scratch.at("run");
    let check = |given: [&str; 2], expect: &[&str]| {
        let args = ["--config", &config, "--out", &out, given[0], given[1]];
        refused(&scratch, "tailfold-train", &args, expect);
    };
    check(
        ["--set", "optimizer.rate=1"],
        &[&config, "optimizer.rate=1", "unknown field `rate`"],
    );
    check(["--set", "epochs"], &["`epochs`: expected key=value"]);
    check(["--set", "batch=0"], &["batch is 0"]);
    check(
        ["--validation", "embedded?split=none"],
        &["validation is not a data spec"],
    );
    check(["--max-minutes=-1", "--json"], &["--max-minutes"]);
    check(["--max-minutes=soon", "--json"], &["'soon'"]);
}

#[test]
fn standard_deviation_of_zero_is_error() {
    let config = format!("{TINY_TRAINING}\n[normalisation]\nmean = [0.5]\nstd = [0.0]\n");
    check_config(TINY_TRAINING, &config, &["preprocess.std[0] is 0"]);
    let config = format!("{TINY_TRAINING}\n[normalisation]\nmean = [0.5, 0.5, 0.5]\nstd = [1.0]\n");
    check_config(
        TINY_TRAINING,
        &config,
        &["preprocess.mean has 3 values for 1 channels"],
    );
}

#[test]
fn impossible_network_is_error() {
    check_config("depth = 8", "depth = 10", &["depth 10 does not exist"]);
}

#[test]
fn missing_device_is_error() {
    let scratch = Scratch::new();
    let config = scratch.write("config.toml", TINY_TRAINING);
    let args = ["--config", &config, "--out", &scratch.at("run"), "--device"];
    let check = |device: &str, expect: &[&str]| {
        refused(
            &scratch,
            "tailfold-train",
            &[&args[..], &[device]].concat(),
            expect,
        );
    };
    check("cuda", &["no `cuda` back end", "--device cpu"]);
    check("vulkan", &["no `vulkan` back end"]);
    check("gpu", &["invalid value 'gpu'"]);
}

#[test]
fn unwritable_run_folder_is_error_before_training() {
    let scratch = Scratch::new();
    let config = scratch.write("config.toml", TINY_TRAINING);
    let out = format!("{}/run", scratch.write("file", ""));
    let args = ["--config", &config, "--out", &out];
    let answer = refused(&scratch, "tailfold-train", &args, &[&out]);
    assert!(
        !answer.stderr.contains("epoch 1/1"),
        "trained first: {}",
        answer.stderr
    );
}
