//! Bad input, through the programs themselves: exit code 2, a message that names the file and the place, and nothing
//! half-written.

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

/// Runs a program that must refuse: exit code 2, every text of `expect` on stderr, no panic, and not a file in `scratch`
/// more or less than before.
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

/// A panic has the exit code 101, and its text must not show either.
#[track_caller]
fn no_panic(answer: &Answer) {
    assert!(!answer.stderr.contains("panicked"), "{}", answer.stderr);
}
