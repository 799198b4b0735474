//! Downloads one file over HTTP, resumes a partial download, and checks size and SHA-256 before the rename.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use tailfold_spec::artifact;

use super::table::Remote;

/// Returns an HTTP client with a timeout of one minute for each answer and each read.
pub(super) fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_connect(Some(Duration::from_secs(30)))
        .timeout_recv_response(Some(Duration::from_secs(60)))
        .timeout_per_read(Some(Duration::from_secs(60)));
    config.build().into()
}

/// Downloads `url` to `target`. Until it has the size and the hash of `remote`, the file has the ending `.partial`.
///
/// The download continues a partial file of an earlier call. After a lost connection it is tried again, after each of
/// `waits`; the partial file stays even if the last attempt fails. `progress` is called with the number of bytes so
/// far.
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
                "{url}: the connection was cut after {there} of {} bytes; the next call continues there",
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
            "{url} has SHA-256 {found}, expected {}; the downloaded file was removed",
            remote.sha256
        );
    }
    fs::rename(&partial, target).with_context(|| format!("cannot write {}", target.display()))
}

fn length(path: &Path) -> u64 {
    path.metadata().map_or(0, |file| file.len())
}

/// Requests the missing bytes; returns the error of a lost connection.
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
    // A partial file larger than the whole is discarded.
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
    // A server without support for ranges sends the whole file. A server that answers with another range is an error.
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
