//! Commands that are programs of their own: built, then given the arguments as they are.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::Context as _;

use crate::process;

/// Arguments of the program; `--help` after `--` shows them.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Args {
    /// Handed on.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<String>,
}

/// Runs `bin` with `first` and the arguments; its exit code is ours.
pub(crate) fn run(bin: &str, first: &[&str], args: &Args) -> anyhow::Result<ExitCode> {
    start(&process::build(bin)?, first, args)
}

fn start(program: &Path, first: &[&str], args: &Args) -> anyhow::Result<ExitCode> {
    let status = process::status(Command::new(program).args(first).args(&args.args))?;
    let code = status
        .code()
        .with_context(|| format!("{} was ended by a signal", program.display()))?;
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(2)))
}

/// Runs the training program; without `--out` the run goes to `runs/NAME-seedN` beside the configuration's name.
pub(crate) fn train(args: &Args) -> anyhow::Result<ExitCode> {
    let mut args = Args {
        args: args.args.clone(),
    };
    let value = |flag: &str| {
        args.args
            .iter()
            .enumerate()
            .find_map(|(i, a)| match a.strip_prefix(flag)? {
                "" => args.args.get(i + 1).cloned(),
                rest => rest.strip_prefix('=').map(str::to_owned),
            })
    };
    let asks_help = args.args.iter().any(|a| a == "--help" || a == "-h");
    let (out, device, seed) = (value("--out"), value("--device"), value("--seed"));
    if !asks_help && out.is_none() {
        let config = value("--config").context("give --config FILE")?;
        let name = Path::new(&config)
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let seed = seed.map_or_else(String::new, |seed| format!("-seed{seed}"));
        args.args
            .extend(["--out".to_owned(), format!("runs/{name}{seed}")]);
    }
    let device = device.as_deref().unwrap_or("cpu");
    start(&process::build_for(device, "tailfold-train")?, &[], &args)
}
