//! The page in a headless browser.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;

use super::server::Server;

/// Program names of Chromium.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Time limit, which suffices for a browser that starts for the first time on a busy machine.
const LIMIT: Duration = Duration::from_secs(90);

/// The program and the version of this machine's browser.
pub(super) fn found() -> Option<(&'static str, String)> {
    NAMES.into_iter().find_map(|name| {
        let output = Command::new(name).arg("--version").output().ok()?;
        let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        output.status.success().then_some((name, version))
    })
}

/// Opens the page in `folder`, and returns its report about `images`.
pub(super) fn report(browser: &str, folder: &Path, images: &[String]) -> anyhow::Result<String> {
    let server = Server::new(0)?;
    let profile = tempfile::tempdir().context("cannot create a folder for a profile")?;
    let mut child = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!(
            "http://{}/?test={}",
            server.address()?,
            images.join(",")
        ))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot run {browser}"))?;
    let report = server.report(folder, LIMIT);
    // The browser has posted its report or timed out.
    child.kill().context("cannot end the browser")?;
    child.wait().context("cannot end the browser")?;
    report
}
