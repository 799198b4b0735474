//! Parts of different runs: exit code 2, and a message that names the file and both values.

use std::fs;
use std::slice::from_ref;

use super::{DATA, Run, merge};
use crate::fixture::fixture;
use crate::programs::run;
use crate::scratch::Scratch;

#[track_caller]
fn refused(parts: &[String], more: &[&str], expect: &[&str]) {
    let answer = merge(parts, more).ended_with(2);
    for text in expect {
        assert!(
            answer.stderr.contains(text),
            "`{text}` is not in: {}",
            answer.stderr
        );
    }
    assert!(!answer.stderr.contains("panicked"), "{}", answer.stderr);
}

#[test]
fn missing_and_repeated_shards_are_named() {
    let evaluate = Run::new("evaluate", DATA);
    let parts = evaluate.parts(3, &[]);
    let [last, middle, first] = &parts[..] else {
        panic!("{parts:?}")
    };
    let lost = "1 of 3 shards are missing (1/3)";
    refused(&[last.clone(), first.clone()], &[], &[lost, last, first]);
    let copy = evaluate
        .scratch
        .write("copy.part", fs::read(middle).unwrap());
    let doubled = [&parts[..], from_ref(&copy)].concat();
    let both = format!("{middle} and {copy} are both shard 1/3");
    refused(&doubled, &[], &[&both]);
    let other = evaluate.part("0/2", &[]);
    let counts = [last.clone(), other.clone()];
    refused(
        &counts,
        &[],
        &[&other, "is shard 0/2", last, "is shard 2/3"],
    );
}

#[test]
fn parts_of_different_runs_are_named() {
    let parity = Run::new("parity", DATA);
    let mine = parity.part("0/2", &[]);
    let check = |theirs: &str, expect: &[&str]| {
        let both = format!("{theirs} and {mine} are not of the same run");
        refused(
            &[mine.clone(), theirs.to_owned()],
            &[],
            &[&[&both[..]], expect].concat(),
        );
    };
    // One part has another policy.
    let policy = parity.scratch.write("policy.toml", "level = 0.1\n");
    check(
        &parity.part("1/2", &["--policy", &policy]),
        &["`policy`", "\"level\":0.1,", "\"level\":0.05,"],
    );
    // One part has other data with the same number of images.
    let other = Run::new("parity", "embedded?split=val&per-class=13");
    check(
        &other.part("1/2", &[]),
        &["`data`", "split=val", "split=test"],
    );
    // One part has another model.
    let other = Run::new("parity", DATA);
    let bytes = fixture().unfolded.to_bytes();
    other.scratch.write("float.onnx", &bytes);
    let (a, b) = (fixture().model.to_bytes(), bytes);
    let [a, b] = [a, b].map(|bytes| tailfold_spec::artifact::sha256(&bytes));
    // The quantized model was made from another float model, which would be an earlier error.
    let theirs = other.part("1/2", &["--allow-other-float"]);
    check(&theirs, &["`model_sha256`", &a, &b]);
    // One part belongs to another command.
    let other = Run::new("evaluate", DATA).scratch;
    let args = ["evaluate", "--data", DATA, "--shard", "1/2", "--partial"];
    let (theirs, model) = (other.at("e.part"), parity.scratch.at("float.onnx"));
    run(
        "tailfold",
        &[&args[..], &[&theirs, "--model", &model]].concat(),
    )
    .ended_with(0);
    let message = format!("{theirs} is a part of `evaluate`, but {mine} is a part of `parity`");
    refused(&[mine.clone(), theirs], &[], &[&message]);
}

#[test]
fn parts_with_other_preprocessing_are_named() {
    let scratch = Scratch::new();
    let mut proto = fixture().model.proto().clone();
    proto.metadata_props.clear();
    let bare = tailfold_onnx::Model::from_proto(proto, "bare").unwrap();
    let model = scratch.write("bare.onnx", bare.to_bytes());
    let part = |shard: &str, mean: &str| {
        let file = scratch.at(&format!("{}.part", &shard[..1]));
        let args = ["evaluate", "--model", &model, "--data", DATA];
        let share = ["--shard", shard, "--partial", &file];
        let images = ["--mean", mean, "--std", "0.5"];
        run("tailfold", &[&args[..], &share, &images].concat()).ended_with(0);
        file
    };
    let parts = [part("0/2", "0.25"), part("1/2", "0.5")];
    let expect = ["are not of the same run: `preprocess`", "0.25", "0.5"];
    refused(&parts, &[], &expect);
}

#[test]
fn changed_images_under_same_spec_are_error() {
    let scratch = Scratch::new();
    let model = scratch.write("float.onnx", fixture().model.to_bytes());
    let classes = fixture().card.classes.clone();
    scratch.write("images/classes.txt", classes.join("\n"));
    for class in 0..classes.len() {
        let pixels = [&b"P5 28 28 255\n"[..], &[u8::try_from(class).unwrap(); 784]].concat();
        scratch.write(&format!("images/{class}.pgm"), &pixels);
        scratch.write(&format!("images/other-{class}.pgm"), &pixels);
    }
    let list = |prefix: &str| {
        let lines = classes.iter().enumerate();
        let lines = lines.map(|(class, name)| format!("{prefix}{class}.pgm,{name}\n"));
        let text = "file,label\n".to_owned() + &lines.collect::<String>();
        scratch.write("images/list.csv", text)
    };
    // Only the second shard would decode this damaged image.
    scratch.write("images/1.pgm", b"P5 28 28 255\n");
    let part = |shard: &str, code: i32| {
        let out = scratch.at(&format!("{}.part", &shard[..1]));
        let data = format!("csv:{}", scratch.at("images/list.csv"));
        let args = ["evaluate", "--model", &model, "--data", &data];
        let share = ["--shard", shard, "--partial", &out];
        let answer = run("tailfold", &[&args[..], &share].concat());
        let answer = answer.ended_with(code);
        assert!(code == 0 || answer.stderr.contains("1.pgm"), "{answer:?}");
        assert_eq!(fs::exists(&out).unwrap(), code == 0);
        out
    };
    list("");
    let first = part("0/2", 0);
    part("1/2", 2);
    list("other-");
    let second = part("1/2", 0);
    refused(
        &[first, second],
        &[],
        &["are not of the same run: `names_sha256`"],
    );
}

#[test]
fn truncated_and_damaged_parts_are_named() {
    let evaluate = Run::new("evaluate", DATA);
    let parts = evaluate.parts(2, &[]);
    let whole = fs::read(&parts[0]).unwrap();
    let damaged = format!("{}: the part is cut short or damaged", parts[0]);
    for end in [0, 5, 100, whole.len() - 1] {
        fs::write(&parts[0], &whole[..end]).unwrap();
        refused(&parts, &["--json"], &[&damaged]);
    }
    let mut changed = whole.clone();
    let last = changed.len() - 1;
    changed[last] ^= 0x40;
    fs::write(&parts[0], changed).unwrap();
    refused(&parts, &[], &[&damaged, "has not the hash"]);
    let model = evaluate.scratch.at("float.onnx");
    refused(from_ref(&model), &[], &[&model]);
    let none = evaluate.scratch.at("none.part");
    refused(from_ref(&none), &[], &["cannot read", &none]);
}

#[test]
fn incompatible_options_are_errors() {
    let evaluate = Run::new("evaluate", DATA);
    let parts = evaluate.parts(1, &[]);
    let out = evaluate.scratch.at("out");
    refused(
        &parts,
        &["--out", &out],
        &["--out does not go with parts of `evaluate`"],
    );
    refused(&parts, &["--report", &out], &["--report does not go with"]);
    let logits = Run::new("logits", DATA);
    refused(
        &logits.parts(1, &[]),
        &[],
        &["parts of `logits` need --out"],
    );
    for shard in ["0/0", "3/2", "-1/2", "one"] {
        let answer = evaluate.single(&["--partial", &out, &format!("--shard={shard}")]);
        assert!(answer.ended_with(2).stderr.contains(shard), "{shard}");
    }
    evaluate.single(&["--shard", "0/2"]).ended_with(2);
    evaluate.single(&["--partial", &out]).ended_with(2);
    let both = ["--json", "--shard", "0/2", "--partial", &out];
    evaluate.single(&both).ended_with(2);
    assert!(!fs::exists(&out).unwrap());
}

#[test]
fn failed_merge_of_verdict_is_json_error() {
    let parity = Run::new("parity", DATA);
    let parts = [parity.part("0/2", &[])];
    let folder = parity.scratch.at("report");
    let page = parity.scratch.write("report/parity.html", "pass");
    let answer = merge(&parts, &["--json", "--report", &folder])
        .ended_with(2)
        .json();
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains("Nothing was compared"), "{page}");
    assert_eq!(answer["verdict"], "error");
    let reason = answer["reasons"][0].as_str().unwrap();
    assert!(
        reason.contains("1 of 2 shards are missing (1/2)"),
        "{reason}"
    );
}
