//! `docs/cli.md`: the help of every command, as a page.

use std::fmt::Write as _;

use crate::generated;

use super::help::commands;

const BEGINNING: &str = "# Command line

This page has the help of every command of `tailfold`, `tailfold-train` and `tailfold-lab`, as `--help` prints it. A test writes
the page and compares it with the programs. `cargo xtask`, which runs the chores of the repository, is described in
[CONTRIBUTING.md](../CONTRIBUTING.md).

`tailfold train` starts `tailfold-train` with the same arguments.
";

#[test]
fn reference_of_command_line_is_help_of_programs() {
    let mut all = Vec::new();
    for program in ["tailfold", "tailfold-train", "tailfold-lab"] {
        all.extend(commands(program));
    }
    // The help of `tailfold train` is the help of `tailfold-train`.
    all.retain(|(words, _)| words != "tailfold train");
    let mut page = format!("{BEGINNING}\n");
    for (words, help) in &all {
        let indent = "  ".repeat(words.split(' ').count() - 1);
        let about = help.lines().next().unwrap_or_default();
        let anchor = words.replace(' ', "-");
        writeln!(page, "{indent}- [`{words}`](#{anchor}): {about}").unwrap();
    }
    for (words, help) in &all {
        write!(
            page,
            "\n## `{words}`\n\n```text\n{}\n```\n",
            help.trim_end()
        )
        .unwrap();
    }
    generated::check("docs/cli.md", &page);
}
