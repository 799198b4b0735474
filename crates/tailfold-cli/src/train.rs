//! `tailfold train`: starts the program `tailfold-train`, which links burn and is a separate package.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, bail};
use tailfold_console::process;

/// Train a classifier: starts `tailfold-train` with these arguments.
///
/// The program must be in the folder of `tailfold` or on PATH. `tailfold train --help` prints its options.
///
/// Example: tailfold train --config sdot.toml --out runs/sdot
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Args {
    /// Arguments of `tailfold-train`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let program = process::beside("tailfold-train");
    let status = match Command::new(&program).args(&args.arguments).status() {
        Ok(status) => status,
        Err(error) if error.kind() == ErrorKind::NotFound => bail!(
            "the program `tailfold-train` is neither in the folder of `tailfold` nor on PATH; in the repository, `cargo build --release \
             --package tailfold-train` builds it"
        ),
        Err(error) => {
            return Err(error).with_context(|| format!("cannot start {}", program.display()));
        }
    };
    let code = status.code();
    let code = code.with_context(|| format!("{} was ended by a signal", program.display()))?;
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(2)))
}
