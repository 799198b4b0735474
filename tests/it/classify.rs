//! `tailfold classify` on streams, raw frames, watched folders and many images at a time.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tailfold_data::Pixels;

use crate::fixture::{embedded, fixture};
use crate::programs::{command, root, run};
use crate::scratch::Scratch;

const INT8: &str = "models/fashion-lt/fashion-lt.int8.onnx";

fn images(count: usize) -> Vec<Pixels> {
    let data = embedded(&format!("split=test&limit={count}"));
    (0..count).map(|i| data.image(i).unwrap()).collect()
}

/// Runs `tailfold classify --model INT8 --json ARGUMENTS` on `stdin`. Returns exit code, rows without times, and
/// stderr.
fn classified(arguments: &[&str], stdin: &[u8]) -> (Option<i32>, Vec<Value>, String) {
    let mut child = command("tailfold")
        .args(["classify", "--model", INT8, "--json"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The program may end before it has read everything.
    let _ = child.stdin.take().unwrap().write_all(stdin);
    let output = child.wait_with_output().unwrap();
    let mut answer: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {output:?}"));
    let mut rows: Vec<Value> = serde_json::from_value(answer["images"].take()).unwrap();
    for row in &mut rows {
        row.as_object_mut().unwrap().remove("latency_ms");
    }
    let stderr = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), rows, stderr)
}

fn tops(rows: &[Value]) -> Vec<&Value> {
    rows.iter().map(|row| &row["top"]).collect()
}

#[test]
fn stream_of_images_on_stdin_is_classified() {
    let scratch = Scratch::new();
    let pngs: Vec<Vec<u8>> = images(3)
        .iter()
        .map(|image| image.to_png().unwrap())
        .collect();
    let files: Vec<String> = pngs
        .iter()
        .enumerate()
        .map(|(i, png)| scratch.write(&format!("{i}.png"), png))
        .collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let (_, of_files, _) = classified(&files, b"");
    let (code, rows, _) = classified(&["-"], &pngs.concat());
    assert_eq!(code, Some(0));
    assert_eq!(tops(&rows), tops(&of_files));
    assert_eq!(rows[2]["file"], "-#2");
    // The length of a damaged image is known from its format, so the next image is found.
    let mut broken = pngs.clone();
    let middle = broken[1].len() / 2;
    broken[1][middle] ^= 0xff;
    let (code, rows, stderr) = classified(&["-"], &broken.concat());
    assert_eq!((code, rows.len()), (Some(1), 3), "{stderr}");
    assert!(
        rows[1]["error"].is_string() && rows[2]["top"] == of_files[2]["top"],
        "{rows:?}"
    );
    // Bytes that do not begin an image end the stream.
    let (code, rows, _) = classified(&["-"], &[&pngs[0][..], b"nothing"].concat());
    assert_eq!((code, rows.len()), (Some(1), 2));
    assert!(
        rows[1]["error"]
            .as_str()
            .unwrap()
            .contains("image 1, at byte"),
        "{rows:?}"
    );
}

#[test]
fn raw_frames_are_images() {
    let scratch = Scratch::new();
    let images = images(3);
    let frames: Vec<u8> = images
        .iter()
        .flat_map(|image| image.values.clone())
        .collect();
    let (_, of_images, _) = classified(
        &["-"],
        &images
            .iter()
            .flat_map(|i| i.to_png().unwrap())
            .collect::<Vec<_>>(),
    );
    let (code, rows, _) = classified(&["--raw", "28x28x1", "-"], &frames);
    assert_eq!((code, tops(&rows)), (Some(0), tops(&of_images)));
    let file = scratch.write("frames", &frames[..2000]);
    let (code, rows, _) = classified(&["--raw", "28x28x1", &file], b"");
    assert_eq!((code, rows.len()), (Some(1), 3));
    assert_eq!(
        rows[2]["error"],
        "the stream ends after 432 of the frame's 784 bytes"
    );
    let refused = run(
        "tailfold",
        &["classify", "--model", INT8, "--raw", "28x28", "-"],
    )
    .ended_with(2);
    assert!(
        refused.stderr.contains("WIDTHxHEIGHTxCHANNELS"),
        "{refused:?}"
    );
}

#[test]
fn parallel_images_are_answered_in_order() {
    let scratch = Scratch::new();
    let pngs: Vec<Vec<u8>> = images(7)
        .iter()
        .map(|image| image.to_png().unwrap())
        .collect();
    // Every tenth image is damaged.
    for i in 0..101 {
        let png = &pngs[i % 7];
        let whole = i % 10 != 3;
        scratch.write(&format!("{i:03}.png"), if whole { png } else { &png[..40] });
    }
    let folder = scratch.at("");
    let (code, one, stderr) = classified(&[&folder], b"");
    assert_eq!((code, one.len()), (Some(1), 101));
    assert!(
        stderr.contains("10 of 101 images could not be classified"),
        "{stderr}"
    );
    for jobs in ["0", "2", "5"] {
        let (_, rows, _) = classified(&["--jobs", jobs, &folder], b"");
        assert_eq!(rows, one, "{jobs} at a time");
    }
    for (i, row) in one.iter().enumerate() {
        assert!(
            row["file"]
                .as_str()
                .unwrap()
                .ends_with(&format!("{i:03}.png")),
            "{row}"
        );
        assert_eq!(row.get("error").is_some(), i % 10 == 3, "{row}");
    }
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill")
        .args([name, &child.id().to_string()])
        .status();
    assert!(status.unwrap().success());
}

/// Writes `bytes` to the file `name` of `scratch` from another process.
///
/// Programs that other tests start at the same time inherit the open files of this process until they are executed. A file that
/// is written here can therefore be closed, for the system, some time after this process has closed it.
fn write_elsewhere(scratch: &Scratch, name: &str, bytes: &[u8]) -> String {
    let source = scratch.write("source", bytes);
    let to = scratch.at(name);
    let copied = Command::new("cp").args([&source, &to]).status().unwrap();
    assert!(copied.success(), "cp {source} {to}");
    to
}

#[test]
fn watched_folder_is_classified_until_signal() {
    let scratch = Scratch::new();
    let folder = scratch.folder("in");
    let pngs: Vec<Vec<u8>> = images(4)
        .iter()
        .map(|image| image.to_png().unwrap())
        .collect();
    write_elsewhere(&scratch, "in/0.png", &pngs[0]);
    let mut child = command("tailfold")
        .args([
            "classify",
            "--model",
            INT8,
            "--json-lines",
            "--watch",
            &folder,
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    let row = next();
    assert_eq!(row["schema"], "tailfold.classify-image/1");
    assert!(row["file"].as_str().unwrap().ends_with("0.png"), "{row}");
    // A file that is written in two halves is answered once, when it is complete.
    let mut file = fs::File::create(format!("{folder}/1.png")).unwrap();
    file.write_all(&pngs[1][..50]).unwrap();
    file.flush().unwrap();
    fs::write(format!("{folder}/note.txt"), "no image").unwrap();
    file.write_all(&pngs[1][50..]).unwrap();
    drop(file);
    let row = next();
    assert!(
        row["file"].as_str().unwrap().ends_with("1.png") && row["top"].is_array(),
        "{row}"
    );
    // A file that is renamed into the folder is answered.
    let outside = write_elsewhere(&scratch, "2.png", &pngs[2]);
    fs::rename(outside, format!("{folder}/2.png")).unwrap();
    assert!(next()["file"].as_str().unwrap().ends_with("2.png"));
    fs::write(format!("{folder}/3.png"), &pngs[3][..50]).unwrap();
    assert!(next()["error"].is_string());
    signal(&child, "-TERM");
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(
        stderr.contains("1 of 4 images could not be classified"),
        "{stderr}"
    );
    assert!(lines.next().is_none());
    let refused = run(
        "tailfold",
        &["classify", "--model", INT8, "--watch", &scratch.at("gone")],
    );
    assert!(
        refused
            .ended_with(2)
            .stderr
            .contains("there is no such folder")
    );
}

#[test]
fn signal_lets_current_image_finish() {
    let mut child = command("tailfold")
        .args(["classify", "--model", INT8, "--json", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let png = images(1)[0].to_png().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    stdin.write_all(&png).unwrap();
    let (mut text, mut line) = (String::new(), String::new());
    while !line.contains("\"file\"") {
        line.clear();
        assert!(out.read_line(&mut line).unwrap() > 0, "{text}");
        text.push_str(&line);
    }
    signal(&child, "-TERM");
    // The program waits for the rest of the current image.
    stdin.write_all(&png).unwrap();
    std::io::Read::read_to_string(&mut out, &mut text).unwrap();
    let answer: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
    assert_eq!(answer["images"].as_array().unwrap().len(), 2, "{text}");
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(
        stderr.contains("stopped by a signal after 2 images"),
        "{stderr}"
    );
}

#[cfg(unix)]
#[test]
fn named_pipe_is_error_without_waiting() {
    let scratch = Scratch::new();
    let pipe = scratch.at("pipe.png");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let (code, rows, _) = classified(&[&pipe], b"");
    assert_eq!(code, Some(1));
    assert!(
        rows[0]["error"]
            .as_str()
            .unwrap()
            .contains("not a regular file"),
        "{rows:?}"
    );
    let raw = ["classify", "--model", INT8, "--raw", "28x28x1", &pipe];
    assert!(
        run("tailfold", &raw)
            .ended_with(2)
            .stderr
            .contains("is not a regular file")
    );
}

#[test]
fn model_without_metadata_names_the_missing_flags() {
    let scratch = Scratch::new();
    let mut proto = fixture().model.proto().clone();
    proto.metadata_props.clear();
    let third_party = tailfold_onnx::Model::from_proto(proto, "third party").unwrap();
    let third_party = scratch.write("third_party.onnx", third_party.to_bytes());
    let own = scratch.write("own.onnx", fixture().model.to_bytes());
    let image = scratch.write("image.png", images(1)[0].to_png().unwrap());
    let labels = scratch.write("labels.txt", fixture().card.classes.join("\n"));
    let p = &fixture().card.preprocess;
    let (mean, std) = (p.mean[0].to_string(), p.std[0].to_string());
    let check = |arguments: &[&str], message: &str| {
        let all = [&["classify", "--model"], arguments, &[&image]].concat();
        let answer = run("tailfold", &all).ended_with(2);
        assert!(answer.stderr.contains(message), "{message:?}: {answer:?}");
    };
    check(
        &[&third_party],
        "no metadata `tailfold.classes`: give --labels",
    );
    check(
        &[&third_party, "--labels", &labels],
        "no metadata `tailfold.preprocess`",
    );
    let short = scratch.write("short.txt", "a\nb");
    let told = ["--mean", &mean, "--std", &std];
    check(
        &[&[&third_party[..], "--labels", &short], &told[..]].concat(),
        "2 classes are named but the network has",
    );
    let info = ["info", "--model", &third_party, "--labels", &short];
    let answer = run("tailfold", &info).ended_with(2);
    let expect = "2 class names for 10 classes";
    assert!(answer.stderr.contains(expect), "{answer:?}");
    check(
        &[&own, "--labels", &short],
        "the model's metadata says classes",
    );
    let wrong = ["--labels", &labels, "--mean", "0.1,0.2", "--std", "1,1"];
    check(
        &[&[&third_party[..]], &wrong[..]].concat(),
        "third_party.onnx: preprocess.mean has 2 values for 1 channels",
    );
    let json = |arguments: &[&str]| {
        let all = [&["classify", "--json", "--model"], arguments, &[&image]].concat();
        run("tailfold", &all).ended_with(0).json()["images"][0]["top"].clone()
    };
    let said = json(&[&[&third_party[..], "--labels", &labels], &told[..]].concat());
    assert_eq!(said, json(&[&own]));
}

#[test]
fn logits_equal_golden_logits() {
    let scratch = Scratch::new();
    let out = scratch.at("logits.safetensors");
    let data = "embedded?split=test&per-class=2";
    run(
        "tailfold",
        &[
            "logits",
            "--backend",
            "integer",
            "--model",
            INT8,
            "--data",
            data,
            "--out",
            &out,
        ],
    )
    .ended_with(0);
    // `cargo xtask cross` compares the logits on ARM with the same file.
    let golden = root().join("tests/golden/fashion-lt.int8.logits.safetensors");
    assert_eq!(fs::read(out).unwrap(), fs::read(golden).unwrap());
}
