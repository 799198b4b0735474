//! Images that are put into a folder.

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

/// How long a signal may wait.
const PATIENCE: Duration = Duration::from_millis(200);

/// A folder whose images come as they are put there: when a file is closed after writing, or renamed into the folder.
///
/// What is held in memory are the files that wait.
pub(super) struct Watched {
    folder: PathBuf,
    stop: Arc<AtomicBool>,
    events: Receiver<notify::Result<Event>>,
    waiting: VecDeque<PathBuf>,
    /// Files of the first listing whose event may still be on its way.
    listed: HashSet<PathBuf>,
    _watcher: RecommendedWatcher,
}

impl Watched {
    /// Begins to watch `folder`; what is there already comes first, in order of the names.
    pub(super) fn new(folder: &Path, stop: Arc<AtomicBool>) -> anyhow::Result<Self> {
        ensure!(
            folder.is_dir(),
            "--watch {}: there is no such folder",
            folder.display()
        );
        let failed = || format!("cannot watch {}", folder.display());
        let (sender, events) = mpsc::channel();
        let mut watcher = notify::recommended_watcher(sender).with_context(failed)?;
        // Before the listing: a file in between comes twice, and none is lost.
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

    /// The next images, at most `most`, as soon as there is one; `None` when it is time to stop.
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
                    // No event of before the listing can be on its way any more.
                    self.listed = HashSet::new();
                }
                Err(RecvTimeoutError::Disconnected) => {
                    anyhow::bail!("{} is watched no longer", self.folder.display())
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

/// Whether a file is there to be read: closed after writing, renamed; elsewhere than on Linux, created.
fn is_whole_file(kind: &EventKind) -> bool {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Modify(ModifyKind::Name(RenameMode::To)) => true,
        EventKind::Create(CreateKind::File) => !cfg!(target_os = "linux"),
        _ => false,
    }
}
