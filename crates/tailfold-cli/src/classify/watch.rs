//! Images that arrive in a folder.

use std::collections::{HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use notify::event::{AccessKind, AccessMode, CreateKind, ModifyKind, RenameMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tailfold_data::is_named_image;

use super::item::Item;

/// Longest time until a signal is noticed.
const PATIENCE: Duration = Duration::from_millis(200);

/// A watched folder. An image arrives when its file is closed after writing, or renamed into the folder.
///
/// Only the paths of waiting files are kept in memory.
pub(super) struct Watched {
    folder: PathBuf,
    stop: Arc<AtomicBool>,
    events: Receiver<notify::Result<Event>>,
    waiting: VecDeque<PathBuf>,
    /// Files of the first listing. Their events may still arrive, and are then ignored.
    listed: HashSet<PathBuf>,
    _watcher: RecommendedWatcher,
}

impl Watched {
    /// Begins to watch `folder`. Files that are already there come first, sorted by name.
    pub(super) fn new(folder: &Path, stop: Arc<AtomicBool>) -> anyhow::Result<Self> {
        ensure!(
            folder.is_dir(),
            "--watch {}: there is no such folder",
            folder.display()
        );
        let failed = || format!("cannot watch {}", folder.display());
        let (sender, events) = mpsc::channel();
        let mut watcher = notify::recommended_watcher(sender).with_context(failed)?;
        // Watching starts before the listing: a file that arrives in between is seen twice, but no file is lost.
        watcher
            .watch(folder, RecursiveMode::NonRecursive)
            .with_context(failed)?;
        let mut watched = Self {
            folder: folder.to_owned(),
            stop,
            events,
            waiting: VecDeque::new(),
            listed: HashSet::new(),
            _watcher: watcher,
        };
        watched.list()?;
        Ok(watched)
    }

    fn list(&mut self) -> anyhow::Result<()> {
        let failed = || format!("cannot read {}", self.folder.display());
        let mut files = Vec::new();
        for entry in self.folder.read_dir().with_context(failed)? {
            let path = entry.with_context(failed)?.path();
            if is_named_image(&path) && path.is_file() {
                files.push(path);
            }
        }
        files.sort();
        self.listed = files.iter().cloned().collect();
        self.waiting = files.into();
        Ok(())
    }

    /// Waits for the next images and returns at most `most` of them; `None` after the stop signal.
    pub(super) fn next_batch(&mut self, most: usize) -> anyhow::Result<Option<Vec<Item>>> {
        loop {
            while let Ok(event) = self.events.try_recv() {
                self.take(event)?;
            }
            if self.stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            if !self.waiting.is_empty() {
                let some = self.waiting.len().min(most);
                return Ok(Some(self.waiting.drain(..some).map(Item::file).collect()));
            }
            match self.events.recv_timeout(PATIENCE) {
                Ok(event) => self.take(event)?,
                Err(RecvTimeoutError::Timeout) => {
                    ensure!(self.folder.is_dir(), "{} is gone", self.folder.display());
                    // All events from before the listing have arrived.
                    self.listed = HashSet::new();
                }
                Err(RecvTimeoutError::Disconnected) => {
                    anyhow::bail!("the system stopped watching {}", self.folder.display())
                }
            }
        }
    }

    fn take(&mut self, event: notify::Result<Event>) -> anyhow::Result<()> {
        let event = event.with_context(|| format!("cannot watch {}", self.folder.display()))?;
        ensure!(
            !event.need_rescan(),
            "{}: the system lost events, so files may have been missed",
            self.folder.display()
        );
        if !is_whole_file(&event.kind) {
            return Ok(());
        }
        for path in event.paths {
            if is_named_image(&path) && !self.listed.remove(&path) {
                self.waiting.push_back(path);
            }
        }
        Ok(())
    }
}

/// Whether the event means a complete file: closed after writing, or renamed. On systems other than Linux, a created
/// file counts too.
fn is_whole_file(kind: &EventKind) -> bool {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Modify(ModifyKind::Name(RenameMode::To)) => true,
        EventKind::Create(CreateKind::File) => !cfg!(target_os = "linux"),
        _ => false,
    }
}
