//! Commands that build another program of the repository and run it with the given arguments.

use std::path::Path;
use std::process::{Command, ExitCode};

use tailfold_console::process::exit_code;

use crate::process::{build, build_for, lab_for, lab_released};

/// Arguments for the program, unchanged. `--help` after `--` lists them.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Args {
    /// Arguments for the program.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<String>,
}

impl Args {
    /// The value of the option `flag`, as `--flag value` or `--flag=value`.
    fn value(&self, flag: &str) -> Option<&str> {
        let mut args = self.args.iter().enumerate();
        args.find_map(|(i, a)| match a.strip_prefix(flag)? {
            "" => self.args.get(i + 1).map(String::as_str),
            rest => rest.strip_prefix('='),
        })
    }

    /// The value of `--device`, by default `cpu`.
    fn device(&self) -> &str {
        self.value("--device").unwrap_or("cpu")
    }

    fn asks_help(&self) -> bool {
        self.args.iter().any(|a| a == "--help" || a == "-h")
    }
}

/// Runs `tailfold` with the subcommand `words` and the arguments, and returns its exit code.
pub(crate) fn tailfold(words: &[&str], args: &Args) -> anyhow::Result<ExitCode> {
    exit_code(
        Command::new(build("tailfold")?)
            .args(words)
            .args(&args.args),
    )
}

/// Runs the subcommand `word` of `tailfold-lab` with the arguments, and returns its exit code.
pub(crate) fn lab(word: &str, args: &Args) -> anyhow::Result<ExitCode> {
    exit_code(lab_for(args.device())?.arg(word).args(&args.args))
}

/// Runs the benchmark `word` of `tailfold-lab` with the arguments on programs in the profile `release`, and returns its exit
/// code.
pub(crate) fn benchmark(word: &str, args: &Args) -> anyhow::Result<ExitCode> {
    let lab = if args.asks_help() {
        lab_for("cpu")
    } else {
        lab_released()
    };
    exit_code(lab?.arg(word).args(&args.args))
}

/// Runs the training program, and returns its exit code.
///
/// The default of `--out` is `runs/NAME` or, with `--seed N`, `runs/NAME-seedN`, where NAME is the configuration's
/// name.
pub(crate) fn train(args: &Args) -> anyhow::Result<ExitCode> {
    let mut train = Command::new(build_for(args.device(), "tailfold-train")?);
    train.args(&args.args);
    // Without `--config`, the program prints its keys or completions, or reports the missing option.
    if !args.asks_help()
        && args.value("--out").is_none()
        && let Some(config) = args.value("--config")
    {
        let name = Path::new(config).file_stem().unwrap_or_default();
        let seed = args.value("--seed");
        let seed = seed.map_or_else(String::new, |seed| format!("-seed{seed}"));
        let out = format!("runs/{}{seed}", name.to_string_lossy());
        train.args(["--out", &out]);
    }
    exit_code(&mut train)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_found_in_both_forms() {
        let args = |words: &[&str]| Args {
            args: words.iter().map(|word| (*word).to_owned()).collect(),
        };
        assert_eq!(args(&["--seed", "3"]).value("--seed"), Some("3"));
        assert_eq!(args(&["--seed=3"]).value("--seed"), Some("3"));
        assert_eq!(args(&["--seeds", "3"]).value("--seed"), None);
        assert_eq!(args(&["--device=cuda"]).device(), "cuda");
        assert_eq!(args(&[]).device(), "cpu");
    }
}
