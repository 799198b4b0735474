//! `tailfold completions` and `tailfold man`: the files that shells and `man` take.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Command;
use clap_complete::Shell;
use clap_mangen::Man;
use tailfold_spec::artifact;

/// Print the completion script of a shell.
///
/// Example: tailfold completions bash > ~/.local/share/bash-completion/completions/tailfold
#[derive(Debug, clap::Args)]
pub(crate) struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// Write the manual pages of this program and of each command into a folder.
///
/// `tailfold-train --man DIR` writes the page of the training program.
///
/// Example: tailfold man --out ~/.local/share/man/man1
#[derive(Debug, clap::Args)]
pub(crate) struct ManArgs {
    /// Folder to write.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(crate) fn completions(args: &CompletionsArgs, command: &Command) -> ExitCode {
    // The generator would complete hidden commands too.
    let visible = command
        .get_subcommands()
        .filter(|below| !below.is_hide_set());
    let mut command = Command::new("tailfold")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommands(visible.cloned());
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "tailfold", &mut script);
    // A closed pipe is not an error.
    let _ = std::io::stdout().write_all(&script);
    ExitCode::SUCCESS
}

pub(crate) fn manual(args: &ManArgs, command: Command) -> anyhow::Result<ExitCode> {
    let mut command = command.disable_help_subcommand(true);
    command.build();
    write_pages(command, &args.out)?;
    Ok(ExitCode::SUCCESS)
}

/// Writes the page of `command` and the pages of its visible subcommands.
fn write_pages(command: Command, folder: &Path) -> anyhow::Result<()> {
    for below in command.get_subcommands() {
        // Another program has the page `tailfold-train.1`.
        if !below.is_hide_set() && below.get_name() != "train" {
            write_pages(below.clone(), folder)?;
        }
    }
    let manual = Man::new(command).source(concat!("tailfold ", env!("CARGO_PKG_VERSION")));
    let mut page = Vec::new();
    manual.render(&mut page)?;
    artifact::write(&folder.join(manual.get_filename()), &page)?;
    Ok(())
}
