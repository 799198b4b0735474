//! Bad input to the programs: exit code 2, a message that names the file and the place, and no partial output.

mod comparing;
mod data;
mod graphs;
mod images;
mod overwriting;
mod quantizing;
mod runs;
mod training;
mod writing;

use crate::programs::{Answer, run};
use crate::scratch::Scratch;

/// Runs a program that must fail with exit code 2 and without a panic. Every text of `expect` must be on stderr, and
/// the files in `scratch` must not change.
#[track_caller]
fn refused(scratch: &Scratch, program: &str, args: &[&str], expect: &[&str]) -> Answer {
    let before = scratch.listing();
    let answer = run(program, args).ended_with(2);
    no_panic(&answer);
    for text in expect {
        assert!(
            answer.stderr.contains(text),
            "`{text}` is not in: {}",
            answer.stderr
        );
    }
    assert_eq!(scratch.listing(), before, "files before and after");
    answer
}

/// Fails if the log output has the text of a panic.
#[track_caller]
fn no_panic(answer: &Answer) {
    assert!(!answer.stderr.contains("panicked"), "{}", answer.stderr);
}
