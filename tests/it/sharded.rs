//! Runs in shards: what is merged is what one run prints, to the last byte, and what is not the parts of one run is refused.

mod calibration;
mod equal;
mod misuse;

use crate::fixture::{fixture, int8};
use crate::programs::{Answer, run};
use crate::scratch::Scratch;

/// 13 images a class, so that no number of shards here divides them.
const DATA: &str = "embedded?split=test&per-class=13";

/// A command that shards, with the models that it needs, and what it is asked for.
struct Run {
    scratch: Scratch,
    args: Vec<String>,
}

impl Run {
    fn new(command: &str, data: &str) -> Self {
        let scratch = Scratch::new();
        let float = scratch.write("float.onnx", fixture().model.to_bytes());
        let quantized = scratch.write("int8.onnx", int8().to_bytes());
        let models = match command {
            "parity" => vec!["--reference", &float, "--candidate", &quantized],
            _ => vec!["--model", &float],
        };
        let args = [&[command], &models[..], &["--data", data]].concat();
        let args = args.into_iter().map(str::to_owned).collect();
        Self { scratch, args }
    }

    /// The command as it is, with `more`.
    fn single(&self, more: &[&str]) -> Answer {
        let args: Vec<&str> = self.args.iter().map(String::as_str).collect();
        run("tailfold", &[&args[..], more].concat())
    }

    /// The file of shard `shard`, made now.
    fn part(&self, shard: &str, more: &[&str]) -> String {
        let file = format!("parts/{}.part", shard.replace('/', "-of-"));
        let file = self.scratch.at(&file);
        let args = [more, &["--shard", shard, "--partial", &file]].concat();
        let answer = self.single(&args).ended_with(0);
        assert_eq!(answer.stdout, "", "a share has no result");
        file
    }

    /// The files of all `of` shards, the last one first.
    fn parts(&self, of: usize, more: &[&str]) -> Vec<String> {
        let shards = (0..of).rev().map(|index| format!("{index}/{of}"));
        shards.map(|shard| self.part(&shard, more)).collect()
    }
}

/// `tailfold merge` of `parts` with `more`.
fn merge(parts: &[String], more: &[&str]) -> Answer {
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    run("tailfold", &[&["merge"], &parts[..], more].concat())
}
