//! The page in a browser without a window.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;

use super::server::Server;

/// Names under which Chromium is installed.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// A browser that starts for the first time on a busy machine.
const LIMIT: Duration = Duration::from_secs(90);

/// The browser of this machine, and its version.
pub(super) fn found() -> Option<(&'static str, String)> {
    NAMES.into_iter().find_map(|name| {
        let output = Command::new(name).arg("--version").output().ok()?;
        let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        output.status.success().then_some((name, version))
    })
}

/// What the page in `folder` reports of `images`.
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
    // It has said what it is there for, or never will.
    child.kill().context("cannot end the browser")?;
    child.wait().context("cannot end the browser")?;
    report
}
