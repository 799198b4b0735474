//! Training that is stopped, killed or out of disk space resumes to the same bytes.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;
use tailfold_spec::{Manifest, artifact};

use crate::programs::{Answer, command, finish};
use crate::scratch::Scratch;

/// 5 epochs of 12 steps.
const CONFIG: &str = r#"
name = "interrupted"
data = "embedded?split=train&per-class=20"
validation = "embedded?split=val&per-class=2"
epochs = 5
batch = 16
loss = "sdot"
network = { depth = 8, width = 2, stem_stride = 2, head = { kind = "linear" } }
optimizer = { learning_rate = 0.05, weight_decay = 1e-4 }
views = { classifier = 1, augment = { crop_padding = 2, flip = true } }
offsets = { source = "features", update_every = 5, samples = 256 }
"#;

/// The training program on [`CONFIG`], writing to `run`.
fn training(scratch: &Scratch, run: &str, more: &[&str]) -> Command {
    let config = scratch.write("config.toml", CONFIG);
    let mut command = command("tailfold-train");
    command.args(["--config", &config, "--out", &scratch.at(run), "--json"]);
    command.args(more);
    command
}

/// Options that save a state after each step, so that a kill probably interrupts a save.
const SAVING: [&str; 3] = ["--resume", "--set", "checkpoint_minutes=0"];

/// Starts a training and waits for its first line.
fn start(mut command: Command) -> (Child, BufReader<impl std::io::Read>) {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut talk = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    talk.read_line(&mut line).unwrap();
    assert!(line.contains("images in 10 classes"), "{line}");
    (child, talk)
}

fn send(signal: &str, child: &Child) {
    let id = child.id().to_string();
    let status = Command::new("kill").args(["-s", signal, &id]).status();
    assert!(status.unwrap().success());
}

/// The files of an uninterrupted run.
fn straight(scratch: &Scratch) -> Vec<Vec<u8>> {
    let answer = finish(&mut training(scratch, "straight", &[])).ended_with(0);
    let json = answer.json();
    assert_eq!(json["schema"], "tailfold.train/1");
    assert_eq!(json["finished"], true);
    let epochs = json["epochs"].as_array().unwrap();
    assert_eq!(epochs.len(), 5);
    let top1 = |row: &Value| row["val_top1"].as_f64().unwrap();
    let best = epochs.iter().map(top1).fold(0.0, f64::max);
    assert_eq!(json["best_val_top1"].as_f64(), Some(best));
    let number = json["best_epoch"].as_u64().unwrap();
    let of_number = epochs.iter().find(|row| row["epoch"] == number).unwrap();
    assert_eq!(of_number["val_top1"], json["best_val_top1"]);
    assert_eq!(json["last_val_top1"], epochs[4]["val_top1"]);
    let files = files(scratch, "straight");
    assert_eq!(json["checkpoint_sha256"], artifact::sha256(&files[0]));
    files
}

/// The checkpoint, the manifest with the hashes of the other files, and the recall table of a run.
fn files(scratch: &Scratch, run: &str) -> Vec<Vec<u8>> {
    [Manifest::CHECKPOINT, Manifest::FILE, "recall.csv"]
        .map(|file| fs::read(scratch.at(&format!("{run}/{file}"))).unwrap())
        .to_vec()
}

/// Resumes `run` until it is finished.
fn resume(scratch: &Scratch, run: &str) -> Answer {
    let answer = finish(&mut training(scratch, run, &["--resume"])).ended_with(0);
    assert!(answer.stderr.contains("continuing after"), "{answer:?}");
    answer
}

#[test]
fn signal_saves_state() {
    let scratch = Scratch::new();
    let expect = straight(&scratch);
    for signal in ["TERM", "INT"] {
        let (mut child, mut talk) = start(training(&scratch, signal, &SAVING));
        sleep(Duration::from_millis(30));
        send(signal, &child);
        let mut stderr = String::new();
        talk.read_to_string(&mut stderr).unwrap();
        let mut stdout = String::new();
        child
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut stdout)
            .unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(2), "{stderr}");
        for text in [
            "interrupted: stopped after step",
            "with --resume to continue",
        ] {
            assert!(stderr.contains(text), "`{text}` is not in: {stderr}");
        }
        let json: Value = serde_json::from_str(&stdout).unwrap();
        assert_eq!(json["finished"], false);
        assert_eq!(json["checkpoint_sha256"], Value::Null);
        resume(&scratch, signal);
        assert!(files(&scratch, signal) == expect, "{signal}");
    }
}

#[test]
fn second_signal_ends_run_at_once() {
    let scratch = Scratch::new();
    // A step takes seconds, so that both signals arrive during the first step.
    let wide = ["--set", "network.width=64", "--set", "batch=200"];
    let (mut child, _talk) = start(training(&scratch, "run", &wide));
    for _ in 0..2 {
        sleep(Duration::from_millis(60));
        send("TERM", &child);
    }
    let status = child.wait().unwrap();
    assert_eq!(status.signal(), Some(15), "{status}");
    assert!(!fs::exists(scratch.at("run")).unwrap());
}

#[test]
fn killed_run_resumes_to_same_bytes() {
    let scratch = Scratch::new();
    let expect = straight(&scratch);
    let (mut kills, mut finished) = (0, false);
    for milliseconds in [0, 10, 25, 45, 70, 100] {
        let (mut child, _talk) = start(training(&scratch, "killed", &SAVING));
        // A slow machine needs time to save the first state, without which the run cannot be resumed.
        while !fs::exists(scratch.at("killed/resume")).unwrap()
            && child.try_wait().unwrap().is_none()
        {
            sleep(Duration::from_millis(1));
        }
        sleep(Duration::from_millis(milliseconds));
        child.kill().unwrap();
        // On a fast machine, the run may finish before the kill.
        finished = child.wait().unwrap().success();
        if finished {
            break;
        }
        kills += 1;
    }
    assert!(kills >= 3);
    if !finished {
        resume(&scratch, "killed");
    }
    assert!(files(&scratch, "killed") == expect);
    assert!(!fs::exists(scratch.at("killed/resume")).unwrap());
}

#[test]
fn full_disk_keeps_last_state() {
    let scratch = Scratch::new();
    let expect = straight(&scratch);
    let stop = ["--resume", "--max-minutes", "0"];
    let answer = finish(&mut training(&scratch, "full", &stop)).ended_with(0);
    assert_eq!(answer.json()["finished"], false);
    let said = "stopped after step 1 of epoch 1";
    assert!(answer.stderr.contains(said), "{answer:?}");

    // Files are limited to at most 1 KiB. The signal for the limit is ignored, so that writes fail as on a full disk.
    let before = scratch.listing();
    let training_program = training(&scratch, "full", &stop);
    let mut limited = Command::new("sh");
    limited
        .current_dir(crate::programs::root())
        .args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$0\" \"$@\""])
        .arg(training_program.get_program())
        .args(training_program.get_args());
    let answer = finish(&mut limited).ended_with(2);
    assert!(answer.stderr.contains("cannot write"), "{answer:?}");
    assert!(answer.stderr.contains("network.bpk"), "{answer:?}");
    assert_eq!(scratch.listing(), before);

    resume(&scratch, "full");
    assert!(files(&scratch, "full") == expect);
}
