//! `tailfold-lab`: table and chart of a kept report, and errors of invalid arguments.

use std::fs;

use crate::programs::{finish, root, run, xtask};
use crate::scratch::Scratch;

#[test]
fn committed_report_of_suite_gives_committed_table_and_chart() {
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
fn relayed_command_returns_exit_code_of_program() {
    let answer = finish(xtask().args(["ablate", "--config", "no-such-ladder.toml"])).ended_with(2);
    assert!(answer.stderr.contains("no-such-ladder.toml"), "{answer:?}");
    let answer = run("tailfold-lab", &["--root", "no-such-folder", "bench-train"]).ended_with(2);
    assert!(answer.stderr.contains("no-such-folder"), "{answer:?}");
}
