//! `tailfold-lab`: tables and pictures of kept reports, and image files.

use std::fs;

use crate::programs::{finish, root, run, xtask};
use crate::scratch::Scratch;

#[test]
fn kept_report_of_suite_gives_kept_table_and_picture() {
    let folder = Scratch::new();
    let [chart, table] = ["nets.svg", "nets.md"].map(|name| folder.at(name));
    let mut bench = xtask();
    bench.args(["bench", "--from", "docs/bench/nets.json", "--chart"]);
    finish(bench.args([&chart, "--markdown", &table])).ended_with(0);
    for (made, kept) in [
        (chart, "docs/bench/nets.svg"),
        (table, "docs/bench/nets.md"),
    ] {
        let (made, kept) = (
            fs::read(made).unwrap(),
            fs::read(root().join(kept)).unwrap(),
        );
        assert!(made == kept, "the report gives another picture or table");
    }
}

#[test]
fn relay_hands_on_misuse_as_error() {
    let answer = finish(xtask().args(["ablate", "--config", "no-such-ladder.toml"])).ended_with(2);
    assert!(answer.stderr.contains("no-such-ladder.toml"), "{answer:?}");
    let answer = run("tailfold-lab", &["--root", "no-such-folder", "bench-train"]).ended_with(2);
    assert!(answer.stderr.contains("no-such-folder"), "{answer:?}");
}
