//! `tailfold data fetch`: downloads a public data set, checks it, and unpacks it in the layout that the readers expect.

mod download;
mod table;
mod unpack;

use std::cell::Cell;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use tailfold_console::say;

pub(crate) use table::Name;
use table::Published;

/// Fetches the data set `name` into the folder `out`, from the address `base` if it is given.
pub(super) fn run(name: Name, out: &Path, base: Option<&str>) -> anyhow::Result<()> {
    let published = name.published();
    let word = name.folder();
    if published.is_unpacked(out) {
        say(&format!("{word} is in {} already", out.display()));
        return Ok(());
    }
    let agent = download::agent();
    let waits = [1, 5, 15].map(Duration::from_secs);
    fetch(&agent, published, out, base, &waits)
        .with_context(|| format!("cannot fetch {word} into {}", out.display()))?;
    say(&format!("{word} is in {}", out.display()));
    Ok(())
}

/// Downloads and unpacks every file; `waits` are the pauses before each further attempt.
fn fetch(
    agent: &ureq::Agent,
    published: &Published,
    out: &Path,
    base: Option<&str>,
    waits: &[Duration],
) -> anyhow::Result<()> {
    let base = base.unwrap_or(published.base).trim_end_matches('/');
    for remote in published.files {
        if remote
            .members
            .iter()
            .all(|member| out.join(member).is_file())
        {
            continue;
        }
        let url = format!("{base}/{}", remote.name);
        let archive = out.join(remote.name);
        let bar = bar(remote.name, remote.bytes);
        say(&format!("{url}: {} bytes", remote.bytes));
        let tenths = Cell::new(0);
        download::download(agent, &url, &archive, remote, waits, &|bytes| {
            bar.set_position(bytes);
            let done = 10 * bytes / remote.bytes.max(1);
            if bar.is_hidden() && done > tenths.replace(done) {
                say(&format!("{}: {} %", remote.name, 10 * done));
            }
        })?;
        bar.finish_and_clear();
        unpack::unpack(&archive, remote.members, out)?;
        std::fs::remove_file(&archive)
            .with_context(|| format!("cannot remove {}", archive.display()))?;
    }
    Ok(())
}

/// Returns a progress bar; it is hidden unless stderr is a terminal.
fn bar(name: &str, bytes: u64) -> ProgressBar {
    let style = ProgressStyle::with_template(
        "{prefix} {bar:32} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left",
    );
    let bar = ProgressBar::new(bytes).with_prefix(name.to_owned());
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

#[cfg(test)]
mod tests;
