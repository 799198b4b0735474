//! Runs in shards: the merged output equals the output of a single run byte for byte, and parts of different runs are
//! an error.

mod calibration;
mod equal;
mod misuse;

use crate::fixture::{fixture, int8};
use crate::programs::{Answer, run};
use crate::scratch::Scratch;

/// 130 images, 13 per class, which no number of shards in these tests divides.
const DATA: &str = "embedded?split=test&per-class=13";

/// A command that can run in shards, with its models and arguments.
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

    /// Runs the command without shards, with the arguments `more`.
    fn single(&self, more: &[&str]) -> Answer {
        let args: Vec<&str> = self.args.iter().map(String::as_str).collect();
        run("tailfold", &[&args[..], more].concat())
    }

    /// Runs the shard `shard`, and returns the path of its file.
    fn part(&self, shard: &str, more: &[&str]) -> String {
        let file = format!("parts/{}.part", shard.replace('/', "-of-"));
        let file = self.scratch.at(&file);
        let args = [more, &["--shard", shard, "--partial", &file]].concat();
        let answer = self.single(&args).ended_with(0);
        assert_eq!(answer.stdout, "", "a share has no result");
        file
    }

    /// Runs all `of` shards, the last one first, and returns the paths of their files.
    fn parts(&self, of: usize, more: &[&str]) -> Vec<String> {
        let shards = (0..of).rev().map(|index| format!("{index}/{of}"));
        shards.map(|shard| self.part(&shard, more)).collect()
    }
}

/// Runs `tailfold merge` on `parts` with the arguments `more`.
fn merge(parts: &[String], more: &[&str]) -> Answer {
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    run("tailfold", &[&["merge"], &parts[..], more].concat())
}
