//! `tailfold-lab`: table and chart of a committed report, and errors of invalid arguments.

use std::fs;

use crate::programs::{command, finish, root, run, xtask};
use crate::scratch::Scratch;

#[test]
fn committed_report_of_suite_gives_committed_table_and_chart() {
    let folder = Scratch::new();
    let [chart, table] = ["nets.svg", "nets.md"].map(|name| folder.at(name));
    let mut bench = command("tailfold-lab");
    bench.args(["--root", ".", "bench", "--from", "docs/bench/nets.json"]);
    bench.arg("--chart");
    finish(bench.args([&chart, "--markdown", &table])).ended_with(0);
    for (made, name) in [
        (chart, "docs/bench/nets.svg"),
        (table, "docs/bench/nets.md"),
    ] {
        let (made, committed) = (
            fs::read(made).unwrap(),
            fs::read(root().join(name)).unwrap(),
        );
        assert!(
            made == committed,
            "{name} differs from the output for docs/bench/nets.json"
        );
    }
}

#[test]
fn relayed_command_returns_exit_code_of_program() {
    let answer = finish(xtask().args(["ablate", "--config", "no-such-ladder.toml"])).ended_with(2);
    assert!(answer.stderr.contains("no-such-ladder.toml"), "{answer:?}");
    let answer = run("tailfold-lab", &["--root", "no-such-folder", "bench-train"]).ended_with(2);
    assert!(answer.stderr.contains("no-such-folder"), "{answer:?}");
}
