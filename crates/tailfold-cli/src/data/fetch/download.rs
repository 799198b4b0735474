//! One file over HTTP: resumed where it was cut off, whole and checked before it gets its name.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use tailfold_spec::artifact;

use super::table::Remote;

/// A client whose silence ends: no answer is waited for longer than a minute.
pub(super) fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_connect(Some(Duration::from_secs(30)))
        .timeout_recv_response(Some(Duration::from_secs(60)))
        .timeout_per_read(Some(Duration::from_secs(60)));
    config.build().into()
}

/// Downloads `url` to `target`, beside it as `.partial` until it is whole and has the size and the hash of `remote`.
///
/// A part from before is continued. A connection that is cut is tried again after each of `waits`; what came is kept for
/// the next call even when the last attempt fails. `progress` hears of the bytes that are there.
pub(super) fn download(
    agent: &ureq::Agent,
    url: &str,
    target: &Path,
    remote: &Remote,
    waits: &[Duration],
    progress: &dyn Fn(u64),
) -> anyhow::Result<()> {
    let mut partial = target.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
    }
    let mut waits = waits.iter();
    while let Some(cut) = attempt(agent, url, &partial, remote, progress)? {
        let Some(wait) = waits.next() else {
            let there = length(&partial);
            return Err(cut).context(format!(
                "{url}: the connection was cut after {there} of {} bytes; the next call goes on there",
                remote.bytes
            ));
        };
        thread::sleep(*wait);
    }
    let found = artifact::sha256(&artifact::read(&partial)?);
    if found != remote.sha256 {
        fs::remove_file(&partial)
            .with_context(|| format!("cannot remove {}", partial.display()))?;
        bail!(
            "{url} has SHA-256 {found}, expected {}; what came was removed",
            remote.sha256
        );
    }
    fs::rename(&partial, target).with_context(|| format!("cannot write {}", target.display()))
}

fn length(path: &Path) -> u64 {
    path.metadata().map_or(0, |file| file.len())
}

/// One request for what is missing; `Some` when the connection was cut.
fn attempt(
    agent: &ureq::Agent,
    url: &str,
    partial: &Path,
    remote: &Remote,
    progress: &dyn Fn(u64),
) -> anyhow::Result<Option<anyhow::Error>> {
    let there = length(partial);
    if there == remote.bytes {
        return Ok(None);
    }
    // A part larger than the whole is none.
    let there = if there < remote.bytes { there } else { 0 };
    let mut request = agent.get(url);
    if there > 0 {
        request = request.header("Range", format!("bytes={there}-"));
    }
    let response = match request.call() {
        Ok(response) => response,
        Err(error) => return Ok(Some(error.into())),
    };
    let range = response.headers().get("content-range");
    let range = range.and_then(|range| range.to_str().ok()).unwrap_or("");
    // A server that knows no ranges sends the whole; one that answers another range than asked for is not trusted.
    let from = match response.status().as_u16() {
        200 => 0,
        206 if range.starts_with(&format!("bytes {there}-")) => there,
        206 => bail!("{url} answered the range `{range}` when asked from byte {there} on"),
        416 => bail!(
            "{url} has less than {there} bytes, expected {}; remove {}",
            remote.bytes,
            partial.display()
        ),
        status => bail!("{url} answered with status {status}"),
    };
    let cannot = || format!("cannot write {}", partial.display());
    let mut options = File::options();
    let options = options.create(true).write(true).truncate(false);
    let mut file = options.open(partial).with_context(cannot)?;
    file.set_len(from).with_context(cannot)?;
    io::Seek::seek(&mut file, io::SeekFrom::End(0)).with_context(cannot)?;
    let mut body = response.into_body().into_reader();
    let (mut bytes, mut buffer) = (from, vec![0; 1 << 16]);
    loop {
        progress(bytes);
        match body.read(&mut buffer) {
            Ok(0) if bytes < remote.bytes => {
                return Ok(Some(anyhow::anyhow!("the answer ended early")));
            }
            Ok(0) => return Ok(None),
            Ok(n) => {
                bytes += n as u64;
                ensure!(
                    bytes <= remote.bytes,
                    "{url} sends more than {} bytes",
                    remote.bytes
                );
                file.write_all(&buffer[..n]).with_context(cannot)?;
            }
            Err(error) => return Ok(Some(error.into())),
        }
    }
}
