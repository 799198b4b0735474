//! Blocks of commands: known programs and options, and nothing that a test cannot run.

use std::collections::BTreeMap;

use crate::contract::help::{help, subcommands};

use super::page::{Block, Page};
use super::preparations;
use super::script::{lines, words};

/// The programs of this workspace.
const OURS: [&str; 3] = ["tailfold", "tailfold-train", "tailfold-lab"];

/// Other programs in executed blocks, which every POSIX system has.
const SYSTEM: [&str; 31] = [
    "awk", "cat", "cd", "chmod", "cmp", "cp", "cut", "diff", "echo", "export", "find", "grep",
    "head", "ls", "mkdir", "mv", "printf", "pwd", "rm", "sed", "seq", "set", "sh", "sleep", "sort",
    "tail", "test", "touch", "true", "wait", "wc",
];

/// Further programs in blocks that are not run.
const ELSEWHERE: [&str; 22] = [
    ".venv/bin/python",
    "adb",
    "bash",
    "brew",
    "cargo",
    "cc",
    "curl",
    "docker",
    "g++",
    "gcc",
    "gh",
    "git",
    "kubectl",
    "mdbook",
    "node",
    "pip",
    "python3",
    "rustup",
    "scp",
    "ssh",
    "sudo",
    "tar",
];

/// Info strings that stand for `sh`.
const OTHER_NAMES: [&str; 5] = ["bash", "console", "shell", "shell-session", "zsh"];

/// The checks of blocks, and the help of every command that occurred so far, by name.
#[derive(Debug, Default)]
pub(super) struct Checks(BTreeMap<String, String>);

impl Checks {
    /// The faults in the blocks of the page `name`.
    pub(super) fn faults(&mut self, name: &str, page: &Page) -> Vec<String> {
        let faults = page.blocks.iter().flat_map(|block| {
            let faults = self.block(block).into_iter();
            faults.map(move |(line, fault)| format!("{name}:{line}: {fault}"))
        });
        faults.collect()
    }

    fn block(&mut self, block: &Block) -> Vec<(usize, String)> {
        let alone = |fault: String| vec![(block.line, fault)];
        if block.language.is_empty() {
            return alone("the block has no info string: `sh`, `text` or a language".to_owned());
        }
        if OTHER_NAMES.contains(&block.language.as_str()) {
            return alone(format!(
                "commands have the info string `sh`, not `{}`",
                block.language
            ));
        }
        if block.language != "sh" {
            return match block.not_run {
                Some(_) => alone("only a block of commands can be `not run`".to_owned()),
                None => Vec::new(),
            };
        }
        if block.not_run.as_ref().is_some_and(String::is_empty) {
            return alone("`not run` without a reason".to_owned());
        }
        if let Some(name) = &block.first
            && preparations::script(name).is_none()
        {
            return alone(format!("there is no preparation `{name}`"));
        }
        let lines = match lines(block) {
            Ok(lines) if lines.is_empty() => return alone("the block has no command".to_owned()),
            Ok(lines) => lines,
            Err(why) => return alone(why),
        };
        let mut faults = Vec::new();
        for line in lines {
            for words in words(&line.command) {
                let fault = self.command(&words, block.not_run.is_none());
                faults.extend(fault.map(|fault| (line.line, fault)));
            }
        }
        faults
    }

    /// The fault of one simple command, if it has one.
    fn command(&mut self, words: &[String], runs: bool) -> Option<String> {
        let (first, rest) = words.split_first()?;
        let first = first.as_str();
        if first == "cargo" && runs {
            return Some("a test cannot run cargo: mark the block as `not run`".to_owned());
        }
        if first == "cargo" && rest.first().is_some_and(|word| word == "xtask") {
            return self.options("xtask", &rest[1..]);
        }
        if OURS.contains(&first) {
            return self.options(first, rest);
        }
        let known = SYSTEM.contains(&first) || (!runs && ELSEWHERE.contains(&first));
        // A program that the page made, or the value of a variable.
        let is_path = first.starts_with("./") || first.starts_with('$');
        (!known && !is_path).then(|| format!("`{first}` is not a program that the test knows"))
    }

    /// The first command or option among `words` that the program `name` does not have, as a fault.
    fn options(&mut self, name: &str, words: &[String]) -> Option<String> {
        let mut name = name.to_owned();
        let mut words = words.iter().take_while(|word| *word != "--").peekable();
        loop {
            let below = subcommands(self.help(&name));
            match words.peek() {
                Some(word) if below.contains(&word.as_str()) => {
                    name = format!("{name} {word}");
                    words.next();
                }
                Some(word) if !below.is_empty() && !word.starts_with(['-', '_', '$']) => {
                    return Some(format!("`{name}` has no command `{word}`"));
                }
                _ => break,
            }
        }
        let help = self.help(&name);
        let option = |word: &&String| word.starts_with("--");
        let name_of = |word: &'_ String| word.split('=').next().unwrap_or_default().to_owned();
        let unknown = words
            .filter(option)
            .map(name_of)
            .find(|option| !has(help, option));
        unknown.map(|option| format!("`{name}` has no option `{option}`"))
    }

    fn help(&mut self, name: &str) -> &str {
        self.0.entry(name.to_owned()).or_insert_with(|| help(name))
    }
}

/// Whether the text `help` has `option` as a whole word.
fn has(help: &str, option: &str) -> bool {
    help.match_indices(option).any(|(at, found)| {
        let next = help[at + found.len()..].chars().next();
        !next.is_some_and(|c| c.is_ascii_alphanumeric() || c == '-')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<String> {
        Checks::default().faults("p.md", &Page::read(text))
    }

    #[test]
    fn good_blocks_have_no_faults() {
        let text = "```sh\n# a comment\nA=1 tailfold info --model m.onnx | head -n 2   # exit 3\ncat > x.toml <<'EOF'\nnot a program\nEOF\n```\n\n\
                    <!-- not run: needs a build -->\n```sh\ncargo xtask parity --reference a --candidate b\ncargo xtask bench --rten -- --rounds 3\n\
                    tailfold train --config a.toml --max-minutes 3\ntailfold parity chain --help\n```\n\n```toml\nx = 1\n```\n";
        assert_eq!(faults(text), Vec::<String>::new());
    }

    #[test]
    fn each_fault_is_named_with_its_line() {
        let check = |text: &str, line: usize, part: &str| {
            let faults = faults(text);
            let expected = format!("p.md:{line}: ");
            assert_eq!(faults.len(), 1, "{text}: {faults:?}");
            assert!(
                faults[0].starts_with(&expected) && faults[0].contains(part),
                "{text}: {faults:?}"
            );
        };
        let not_run = "<!-- not run: slow -->";
        check("```\nls\n```\n", 1, "no info string");
        check("a\n\n    indented\n", 3, "no info string");
        check("```bash\nls\n```\n", 1, "not `bash`");
        check(
            &format!("{not_run}\n```text\nx\n```\n"),
            2,
            "only a block of commands",
        );
        check("<!-- not run: -->\n```sh\nls\n```\n", 2, "without a reason");
        check(
            "<!-- run first: fotos -->\n```sh\nls\n```\n",
            2,
            "no preparation `fotos`",
        );
        check("```sh\n# nothing\n```\n", 1, "no command");
        check("```sh\nls \\\n```\n", 1, "ends inside the command");
        check("```sh\nls\ncargo xtask tidy\n```\n", 3, "cannot run cargo");
        check(
            "```sh\ntailfodl info\n```\n",
            2,
            "`tailfodl` is not a program",
        );
        check("```sh\nls | srot\n```\n", 2, "`srot` is not a program");
        check(
            &format!("{not_run}\n```sh\nls\ntialfold info\n```\n"),
            4,
            "`tialfold`",
        );
        check(
            &format!("{not_run}\n```sh\ntailfold inof\n```\n"),
            3,
            "no command `inof`",
        );
        check(
            &format!("{not_run}\n```sh\ntailfold info --modle m\n```\n"),
            3,
            "`--modle`",
        );
        check(
            &format!("{not_run}\n```sh\ntailfold info --model=m \\\n  --require\n```\n"),
            3,
            "`--require`",
        );
        check(
            &format!("{not_run}\n```sh\ncargo xtask dist --tarket x\n```\n"),
            3,
            "`--tarket`",
        );
    }
}
