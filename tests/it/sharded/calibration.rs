//! Calibration in shards: the quantized file equals the file of a single run, for any number of passes in shards.

use std::fs;

use crate::fixture::{embedded, fixture};
use crate::programs::{Answer, run};
use crate::scratch::Scratch;

const DATA: &str = "embedded?split=train";

/// A quantization command with its model.
struct Quantization {
    scratch: Scratch,
    model: String,
    args: Vec<String>,
}

impl Quantization {
    fn new(args: &[&str]) -> Self {
        let scratch = Scratch::new();
        Self {
            model: scratch.write("model.onnx", fixture().model.to_bytes()),
            args: args.iter().map(|&a| a.to_owned()).collect(),
            scratch,
        }
    }

    fn run(&self, more: &[&str]) -> Answer {
        let args: Vec<&str> = self.args.iter().map(String::as_str).collect();
        let model = ["--model", &self.model];
        run("tailfold quantize", &[&model, &args[..], more].concat())
    }

    /// Quantizes from the parts `parts`. Returns the output, the model file, and the list of images.
    fn outcome(&self, parts: &[String]) -> (String, Vec<u8>, Vec<u8>) {
        let [out, list] = ["out.onnx", "list.csv"].map(|name| self.scratch.at(name));
        let mut more = vec!["--json", "--out", &out, "--list", &list];
        if !parts.is_empty() {
            more.push("--partials");
            more.extend(parts.iter().map(String::as_str));
        }
        let answer = self.run(&more).ended_with(0);
        (
            answer.stdout + &answer.stderr,
            fs::read(out).unwrap(),
            fs::read(list).unwrap(),
        )
    }

    /// Runs the shard `shard` of the next pass after `parts`, and returns the path of its file.
    fn part(&self, shard: &str, parts: &[String]) -> String {
        let file = format!("{}-{}.part", shard.replace('/', "-of-"), parts.len());
        let file = self.scratch.at(&file);
        let mut more = vec!["--shard", shard, "--partial", &file];
        if !parts.is_empty() {
            more.push("--partials");
            more.extend(parts.iter().map(String::as_str));
        }
        let answer = self.run(&more).ended_with(0);
        assert_eq!(answer.stdout, "", "a share has no result");
        file
    }

    /// Runs all `of` shards of the next pass, and returns `parts` with their files.
    fn pass(&self, of: usize, parts: &[String]) -> Vec<String> {
        let shares = (0..of).map(|index| self.part(&format!("{index}/{of}"), parts));
        parts.iter().cloned().chain(shares).collect()
    }
}

/// Checks that every number of passes in shards gives the same outcome as a single run.
fn check(args: &[&str], numbers: &[usize], passes: usize) {
    let data = ["--calibration", DATA, "--per-class", "5"];
    let quantization = Quantization::new(&[&data, args].concat());
    let single = quantization.outcome(&[]);
    for &of in numbers {
        let mut parts = Vec::new();
        for pass in 1..=passes {
            parts = quantization.pass(of, &parts);
            let merged = quantization.outcome(&parts);
            assert!(merged == single, "{of} shards, {pass} passes, {args:?}");
        }
        let none = quantization.scratch.at("none.part");
        let more = ["--shard", "0/1", "--partial", &none, "--partials"];
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let answer = quantization
            .run(&[&more, &parts[..]].concat())
            .ended_with(2);
        assert!(
            answer
                .stderr
                .contains("all passes of the calibration are done already"),
            "{}",
            answer.stderr
        );
    }
}

#[test]
fn merged_quantization_equals_single_run() {
    check(&[], &[1, 2, 3, 7], 3);
}

#[test]
fn merged_quantization_equals_single_run_with_other_options() {
    let average = ["--observer", "moving-average", "--target", "ort-x86"];
    check(&average, &[3], 3);
    let tensorrt = [
        "--target",
        "tensorrt",
        "--observer",
        "entropy",
        "--weight-bits",
        "4",
    ];
    check(
        &[&tensorrt[..], &["--correct", "equalize,bias"]].concat(),
        &[2],
        2,
    );
    let plain = ["--rounding", "nearest", "--observer", "minmax"];
    check(&[&plain[..], &["--correct", "rebalance"]].concat(), &[3], 2);
    check(&[&plain[..], &["--correct", "none"]].concat(), &[7], 1);
}

#[test]
fn undecodable_images_are_left_out_as_in_single_run() {
    let scratch = Scratch::new();
    let images = embedded("split=train&per-class=11");
    let mut lines = "file,label\n".to_owned();
    for index in 0..images.len() {
        let pixels = [&b"P5 28 28 255\n"[..], &images.image(index).unwrap().values].concat();
        scratch.write(&format!("{index}.pgm"), pixels);
        lines += &format!("{index}.pgm,{}\n", images.classes()[images.labels()[index]]);
    }
    scratch.write("classes.txt", images.classes().join("\n"));
    let data = format!("csv:{}", scratch.write("list.csv", lines));
    scratch.write("40.pgm", b"P5 28 28 255\n");
    let quantization = Quantization::new(&["--calibration", &data]);
    let single = quantization.outcome(&[]);
    assert!(
        single.0.contains("40.pgm cannot be decoded"),
        "{}",
        single.0
    );
    let mut parts = Vec::new();
    for _ in 0..3 {
        parts = quantization.pass(3, &parts);
        assert!(quantization.outcome(&parts) == single, "{}", parts.len());
    }
    // The image decodes now, but its shard recorded that it does not.
    fs::copy(scratch.at("41.pgm"), scratch.at("40.pgm")).unwrap();
    let out = quantization.scratch.at("x.onnx");
    let more = ["--out", &out, "--partials"];
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let answer = quantization
        .run(&[&more, &parts[..]].concat())
        .ended_with(2);
    for text in ["40.pgm, although it can be decoded here", parts[1]] {
        assert!(answer.stderr.contains(text), "{}", answer.stderr);
    }
}

#[test]
fn mismatched_parts_are_errors() {
    let base = ["--calibration", DATA, "--per-class", "2"];
    let quantization = Quantization::new(&base);
    let ranges = quantization.pass(2, &[]);
    let refused = |args: &[&str], parts: &[&str], expect: &[&str]| {
        let other = Quantization::new(args);
        let out = other.scratch.at("x.onnx");
        let answer = other.run(&[&["--out", &out, "--partials"], parts].concat());
        let answer = answer.ended_with(2);
        for text in expect {
            assert!(answer.stderr.contains(text), "`{text}`: {}", answer.stderr);
        }
        assert!(!fs::exists(out).unwrap());
    };
    let [first, second] = [&ranges[0][..], &ranges[1]];
    refused(&base, &[first], &["1 of 2 shards are missing (1/2)", first]);
    refused(
        &base,
        &[first, second, second],
        &["are both shard 1/2", second],
    );
    let with = |more: [&'static str; 2]| [&base[..], &more].concat();
    let minmax = with(["--observer", "minmax"]);
    refused(
        &minmax,
        &[first, second],
        &["`observer` is \"mse\"", first, "\"minmax\""],
    );
    let seed = with(["--seed", "3"]);
    refused(
        &seed,
        &[first, second],
        &["`seed` is 0 in the one and 3 in the other", first],
    );
    // A part records the ranges of the previous passes, here from another run.
    let other = Quantization::new(&minmax);
    let windows = other.pass(2, &other.pass(2, &[]));
    refused(
        &base,
        &[first, second, &windows[2], &windows[3]],
        &["`observer`", &windows[2]],
    );
    refused(
        &base,
        &[first, second, &windows[2]],
        &["1 of 2 shards are missing", &windows[2]],
    );
    let whole = fs::read(first).unwrap();
    fs::write(first, &whole[..whole.len() - 9]).unwrap();
    refused(&base, &[first, second], &[first, "cut short or damaged"]);
    fs::write(first, whole).unwrap();
    // The parts belong to another model with the same shapes.
    let changed = Quantization::new(&base);
    let mut model = fixture().model.clone();
    let (shape, mut bias) = model.initializer_f32("head.bias").unwrap();
    bias[0] += 0.5;
    model.set_initializer_f32("head.bias", &shape, &bias);
    changed.scratch.write("model.onnx", model.to_bytes());
    let theirs = changed.part("1/2", &[]);
    refused(
        &base,
        &[first, &theirs],
        &["are not of the same run: `model_sha256`", &theirs],
    );
    // The parts belong to another command.
    let float = quantization.scratch.at("model.onnx");
    let part = quantization.scratch.at("logits.part");
    let logits = [
        "logits",
        "--model",
        &float,
        "--data",
        DATA,
        "--shard",
        "0/1",
        "--partial",
        &part,
    ];
    run("tailfold", &logits).ended_with(0);
    refused(
        &base,
        &[&part],
        &[
            "is a part of `logits`, which is not a calibration pass",
            &part,
        ],
    );
    let answer = run("tailfold", &["merge", first, second]).ended_with(2);
    assert!(
        answer
            .stderr
            .contains("give it to `tailfold quantize --partials`")
    );
}
