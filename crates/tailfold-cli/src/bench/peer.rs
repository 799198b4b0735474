//! The process of a contender, on the driver's side.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context as _, ensure};
use serde::de::DeserializeOwned;

use super::contender::{Done, Ready, Turn};

/// A running contender. Dropping it stops the process.
pub(super) struct Peer {
    pub(super) name: String,
    pub(super) ready: Ready,
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
}

impl Peer {
    /// Starts `command` and waits for its first answer.
    pub(super) fn start(name: &str, command: &mut Command) -> anyhow::Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start the contender `{name}`"))?;
        let to = child.stdin.take();
        let from = child.stdout.take().context("the contender has no stdout")?;
        let mut from = BufReader::new(from);
        let ready = line(&mut from, name).inspect_err(|_| {
            let _ = child.kill();
            let _ = child.wait();
        })?;
        Ok(Self {
            name: name.to_owned(),
            ready,
            child,
            to,
            from,
        })
    }

    /// Runs one turn of `count` images.
    pub(super) fn turn(&mut self, count: usize) -> anyhow::Result<Turn> {
        let to = self.to.as_mut().context("the contender has ended")?;
        writeln!(to, "{count}").with_context(|| format!("contender `{}`", self.name))?;
        to.flush()?;
        let turn: Turn = line(&mut self.from, &self.name)?;
        ensure!(
            turn.wall_ms.len() == count && turn.cpu_ms.len() == count,
            "contender `{}` timed {} images, not {count}",
            self.name,
            turn.wall_ms.len()
        );
        Ok(turn)
    }

    /// Ends the process and returns its last message.
    pub(super) fn end(&mut self) -> anyhow::Result<Done> {
        self.to = None;
        let done = line(&mut self.from, &self.name)?;
        self.child.wait()?;
        Ok(done)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn line<T: DeserializeOwned>(from: &mut BufReader<ChildStdout>, name: &str) -> anyhow::Result<T> {
    let mut text = String::new();
    from.read_line(&mut text)?;
    serde_json::from_str(&text).with_context(|| format!("contender `{name}` answered {text:?}"))
}
