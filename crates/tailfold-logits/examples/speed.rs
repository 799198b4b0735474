//! Reads two logits files side by side, and prints the time and the peak memory.
//!
//! cargo run --release --package tailfold-logits --example speed -- a.npy b.npy

use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::Instant;

use tailfold_logits::LogitFile;

/// Rows of each file in memory at once.
const ROWS: usize = 512;

#[expect(clippy::print_stdout, reason = "the result goes to stdout")]
fn main() -> Result<(), Box<dyn Error>> {
    let paths: Vec<_> = std::env::args_os().skip(1).collect();
    let [a, b] = &paths[..] else {
        return Err("give two files of logits".into());
    };
    let start = Instant::now();
    let (mut a, mut b) = (
        LogitFile::open(Path::new(a))?,
        LogitFile::open(Path::new(b))?,
    );
    let (mut left, mut right) = (Vec::new(), Vec::new());
    let mut furthest = 0.0_f32;
    while a.read(ROWS, &mut left)? > 0 && b.read(ROWS, &mut right)? > 0 {
        for (left, right) in left.iter().zip(&right) {
            furthest = furthest.max((left - right).abs());
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|line| line.starts_with("VmHWM:"));
    let (images, classes) = (a.images(), a.num_classes());
    println!("{images} x {classes}: {seconds:.3} s, at most {furthest} apart");
    println!("{}", peak.unwrap_or("VmHWM: unknown"));
    Ok(())
}
