//! The completion scripts and the manual page of this program.

use std::path::Path;

use clap::Command;
use clap_complete::Shell;
use clap_mangen::Man;
use tailfold_spec::artifact;

/// The completion script of `command` for `shell`.
pub(crate) fn completions(mut command: Command, shell: Shell) -> Vec<u8> {
    let (name, mut script) = (command.get_name().to_owned(), Vec::new());
    clap_complete::generate(shell, &mut command, name, &mut script);
    script
}

/// Writes the manual page of `command` into `folder`.
pub(crate) fn write_manual(command: Command, folder: &Path) -> anyhow::Result<()> {
    let (manual, mut page) = (Man::new(command), Vec::new());
    manual.render(&mut page)?;
    artifact::write(&folder.join(manual.get_filename()), &page)?;
    Ok(())
}
