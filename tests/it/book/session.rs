//! Runs the blocks of a page as a reader does: in one shell, in a copy of the repository, with the programs on PATH.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::programs::{programs, root};
use crate::repository;
use crate::scratch::Scratch;

use super::page::Page;
use super::preparations;
use super::script::{Line, lines};

/// Longest time that the commands of one page may take together.
const LIMIT: Duration = Duration::from_secs(900);

/// The result for the blocks of a page.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Number of blocks that were run.
    pub(super) run: usize,
    /// `PAGE:LINE: REASON` of each block that is marked as not run.
    pub(super) not_run: Vec<String>,
    /// The first command that ended with another exit code than expected, with its output.
    pub(super) fault: Option<String>,
}

/// Runs the blocks of the page `name`.
pub(super) fn run(name: &str, page: &Page) -> Outcome {
    let mut outcome = Outcome::default();
    let mut commands = Vec::new();
    for block in page.blocks.iter().filter(|block| block.language == "sh") {
        match &block.not_run {
            Some(reason) => outcome
                .not_run
                .push(format!("{name}:{}: {reason}", block.line)),
            None => {
                outcome.run += 1;
                let first = block.first.as_deref().and_then(preparations::script);
                commands.extend(first.map(|script| Line {
                    line: block.line,
                    text: script.to_owned(),
                    command: "the preparation of the block".to_owned(),
                    codes: vec![0],
                }));
                match lines(block) {
                    Ok(lines) => commands.extend(lines),
                    Err(why) => {
                        outcome.fault = Some(format!("{name}:{}: {why}", block.line));
                        return outcome;
                    }
                }
            }
        }
    }
    if !commands.is_empty() {
        let fault = Session::new().fault(&commands);
        outcome.fault = fault.map(|(line, fault)| format!("{name}:{line}: {fault}"));
    }
    outcome
}

/// A copy of the repository, and beside it a home folder and the outputs of the commands.
struct Session(Scratch);

impl Session {
    fn new() -> Self {
        let scratch = Scratch::new();
        for name in repository::names() {
            // A deleted file may still be listed.
            if let Ok(bytes) = fs::read(root().join(&name)) {
                scratch.write(&format!("tailfold/{name}"), bytes);
            }
        }
        scratch.folder("home");
        scratch.folder("output");
        Self(scratch)
    }

    /// Runs `commands`; returns the line of the first one with another exit code than expected, and its output.
    fn fault(&self, commands: &[Line]) -> Option<(usize, String)> {
        let script = self.0.write("script.sh", self.script(commands));
        let path = std::env::var("PATH").unwrap_or_default();
        let mut shell = Command::new("sh");
        shell
            .arg(script)
            .current_dir(self.0.path().join("tailfold"))
            .env("PATH", format!("{}:{path}", programs().display()))
            .env("HOME", self.0.at("home"))
            .env_remove("TAILFOLD_DATA")
            .env_remove("TAILFOLD_RENEW")
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(self.0.at("shell")).unwrap());
        let mut shell = shell.spawn().unwrap();
        let start = Instant::now();
        while shell.try_wait().unwrap().is_none() {
            if start.elapsed() > LIMIT {
                // The group has the programs that the shell started.
                let group = format!("-{}", shell.id());
                Command::new("kill")
                    .args(["-KILL", "--", &group])
                    .status()
                    .unwrap();
                shell.wait().unwrap();
                break;
            }
            sleep(Duration::from_millis(20));
        }
        let codes = fs::read_to_string(self.0.at("codes")).unwrap_or_default();
        let mut codes = codes.lines().map(|code| code.parse::<i32>().unwrap());
        for (number, line) in commands.iter().enumerate() {
            let code = codes.next();
            if code.is_some_and(|code| line.codes.contains(&code)) {
                continue;
            }
            let end = match code {
                Some(code) => format!("ended with {code}, expected {:?}", line.codes),
                None if start.elapsed() > LIMIT => {
                    format!("ran longer than {LIMIT:?} with the commands before it")
                }
                None => "did not end: the shell stopped there".to_owned(),
            };
            let output = |name: &str| fs::read_to_string(self.0.at(name)).unwrap_or_default();
            let output = output(&format!("output/{number}")) + &output("shell");
            return Some((line.line, format!("`{}` {end}\n{output}", line.command)));
        }
        None
    }

    /// The script of `commands`. It writes the output of each command to a separate file, and the exit codes to the file `codes`.
    /// It ends at the first unexpected exit code.
    fn script(&self, commands: &[Line]) -> String {
        let mut script = String::new();
        for (number, line) in commands.iter().enumerate() {
            let output = self.0.at(&format!("output/{number}"));
            let codes = self.0.at("codes");
            let accepted: Vec<String> = line.codes.iter().map(i32::to_string).collect();
            script += &format!(
                "exec >'{output}' 2>&1\n{}\ntailfold_code=$?\necho $tailfold_code >>'{codes}'\n\
                 case $tailfold_code in {}) ;; *) exit 1 ;; esac\n",
                line.text,
                accepted.join("|"),
            );
        }
        script
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> Option<String> {
        run("p.md", &Page::read(text)).fault
    }

    #[test]
    fn state_goes_on_from_block_to_block() {
        let text = "```sh\nmkdir made\ncd made\nNAME=x\n```\n\ntext\n\n```sh\ncat > $NAME <<'EOF'\n$NAME\nEOF\ncd ..\n\
                    test \"$(cat made/x)\" = '$NAME'\ntest -f models/fashion-lt/sdot.toml \\\n  && test -d examples\n```\n\n\
                    <!-- not run: no such program -->\n```sh\nno-such-program\n```\n";
        let outcome = run("p.md", &Page::read(text));
        assert_eq!(outcome.fault, None);
        assert_eq!(
            (outcome.run, outcome.not_run),
            (2, vec!["p.md:20: no such program".to_owned()])
        );
    }

    #[test]
    fn preparation_runs_before_its_block() {
        let text = "```sh\ntest ! -e photos\n```\n\n<!-- run first: photos -->\n```sh\ntest -f 'photos/val/Ankle boot/00007.png'\n```\n";
        assert_eq!(fault(text), None);
    }

    #[test]
    fn checkout_and_home_are_not_written_to() {
        let text = "```sh\necho changed > README.md\nrm -r models\necho > $HOME/a\n```\n";
        let before = fs::read(root().join("README.md")).unwrap();
        assert_eq!(fault(text), None);
        assert_eq!(fs::read(root().join("README.md")).unwrap(), before);
        assert!(root().join("models").is_dir());
    }

    #[test]
    fn first_command_with_wrong_exit_code_is_named_with_its_output() {
        let fault = fault("```sh\ntrue\nsh -c 'echo why; exit 4'\nfalse\n```\n").unwrap();
        assert!(
            fault.starts_with("p.md:3: ") && fault.contains("ended with 4, expected [0]\nwhy"),
            "{fault}"
        );
    }

    #[test]
    fn expected_exit_codes_are_accepted_and_others_are_not() {
        assert_eq!(
            fault(
                "```sh\nsh -c 'exit 3'  # exit 3\nfalse # exit 0 or 1\ntrue # exit 0 or 1\n```\n"
            ),
            None
        );
        let fault = fault("```sh\ntrue # exit 3\n```\n").unwrap();
        assert!(fault.contains("ended with 0, expected [3]"), "{fault}");
    }

    #[test]
    fn programs_of_the_workspace_are_on_the_path() {
        assert_eq!(
            fault(
                "```sh\ntailfold --version\ntailfold-train --version\ntailfold-lab --help\n```\n"
            ),
            None
        );
    }

    #[test]
    fn syntax_error_and_early_end_are_named() {
        for (text, line) in [
            ("```sh\ntrue\nif\n```\n", "p.md:3: "),
            ("```sh\nexit 0\n```\n", "p.md:2: "),
        ] {
            let fault = fault(text).unwrap();
            assert!(
                fault.starts_with(line) && fault.contains("did not end"),
                "{fault}"
            );
        }
    }
}
