//! TensorRT engines, which are built for one GPU, cached between runs, and used only if their hashes match.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tailfold_spec::artifact;

use crate::{OrtError, OrtErrorKind};

/// Everything that an engine depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EngineKey {
    /// Name of the back end.
    pub provider: String,
    /// SHA-256 of the ONNX file.
    pub model_sha256: String,
    /// Name of TensorRT's library, which contains its version, and hash of the provider's library.
    pub builder: String,
    /// Version of the driver.
    pub driver: String,
    /// Name of the GPU.
    pub gpu: String,
    /// Compute capability of the GPU, such as `9.0`.
    pub compute_capability: String,
}

/// Contents of the file that records the key and the hashes of an engine.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seal {
    schema: String,
    key: EngineKey,
    /// SHA-256 of each file, by name.
    files: BTreeMap<String, String>,
}

const SCHEMA: &str = "tailfold.engine/1";
const SEAL: &str = "engine.json";

/// Interval between progress messages of a build.
const TICK: Duration = Duration::from_secs(10);

/// Returns the default folder of engines: `tailfold/engines` in the user's cache.
///
/// # Errors
/// [`OrtErrorKind::NoEngineFolder`] when neither `XDG_CACHE_HOME` nor `HOME` is set.
pub fn default_folder() -> Result<PathBuf, OrtError> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let cache = match (variable("XDG_CACHE_HOME"), variable("HOME")) {
        (Some(cache), _) => PathBuf::from(cache),
        (None, Some(home)) => Path::new(&home).join(".cache"),
        (None, None) => {
            return Err(OrtErrorKind::NoEngineFolder
                .error("no folder for engines was given, and HOME is not set"));
        }
    };
    Ok(cache.join("tailfold/engines"))
}

impl EngineKey {
    /// Returns the name of the engine's folder.
    pub fn folder_name(&self) -> String {
        let text = serde_json::to_vec(self).unwrap_or_default();
        format!("{}-{}", self.provider, &artifact::sha256(&text)[..16])
    }
}

/// Returns the result of `open` for a folder in `base`: a folder with a complete engine of this `key`, or an
/// empty folder in which `open` builds the engine. `tell` receives messages about waiting and building.
///
/// One process builds while the others wait. An engine is built again if the key or a hash does not match, or
/// if the provider refuses it.
pub(crate) fn with_engine<T, E: From<OrtError>>(
    base: &Path,
    key: &EngineKey,
    tell: fn(&str),
    mut open: impl FnMut(&Path) -> Result<T, E>,
) -> Result<T, E> {
    let folder = base.join(key.folder_name());
    let _lock = locked(&folder.with_extension("lock"), tell)?;
    if folder.exists() {
        let flaw = match flaw(&folder, key) {
            None => match open(&folder) {
                Ok(opened) => {
                    // The provider may have added timings.
                    seal(&folder, key)?;
                    return Ok(opened);
                }
                Err(_) => "the provider refuses it".to_owned(),
            },
            Some(flaw) => flaw,
        };
        tell(&format!("{}: {flaw}: building it again", folder.display()));
        remove(&folder)?;
    }
    let part = folder.with_extension("part");
    if part.exists() {
        remove(&part)?;
    }
    fs::create_dir_all(&part).map_err(at("create", &part))?;
    tell(&format!(
        "building an engine for {} ({}), which takes minutes for a large network; the engine is cached in {}",
        key.gpu,
        key.builder,
        folder.display()
    ));
    let built = ticking(tell, || open(&part))?;
    seal(&part, key)?;
    fs::rename(&part, &folder).map_err(at("name", &folder))?;
    Ok(built)
}

fn at(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> OrtError {
    let at = artifact::at(action, path);
    move |error| at(error).into()
}

fn remove(folder: &Path) -> Result<(), OrtError> {
    fs::remove_dir_all(folder).map_err(at("remove", folder))
}

/// Opens the file `path` with an exclusive lock, which is released when the file is dropped.
fn locked(path: &Path, tell: fn(&str)) -> Result<File, OrtError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(at("create", folder))?;
    }
    let file = File::create(path).map_err(at("create", path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            tell("another process builds this engine: waiting for it");
            file.lock().map_err(at("lock", path))?;
        }
        Err(TryLockError::Error(error)) => return Err(at("lock", path)(error)),
    }
    Ok(file)
}

/// Runs `work`, and reports the elapsed time at intervals.
fn ticking<T>(tell: fn(&str), work: impl FnOnce() -> T) -> T {
    let begin = Instant::now();
    let (done, over) = mpsc::channel::<()>();
    let answer = thread::scope(|scope| {
        scope.spawn(move || {
            while over.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                tell(&format!(
                    "building the engine: {} s so far",
                    begin.elapsed().as_secs()
                ));
            }
        });
        let answer = work();
        drop(done);
        answer
    });
    tell(&format!(
        "the engine took {:.1} s",
        begin.elapsed().as_secs_f64()
    ));
    answer
}

/// Returns the hash of each file in `folder`, by name.
fn hashes(folder: &Path) -> Result<BTreeMap<String, String>, OrtError> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(at("read", folder))? {
        let entry = entry.map_err(at("read", folder))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name != SEAL {
            let bytes = artifact::read(&entry.path())?;
            files.insert(name, artifact::sha256(&bytes));
        }
    }
    Ok(files)
}

fn seal(folder: &Path, key: &EngineKey) -> Result<(), OrtError> {
    let seal = Seal {
        schema: SCHEMA.to_owned(),
        key: key.clone(),
        files: hashes(folder)?,
    };
    let text = serde_json::to_vec_pretty(&seal).unwrap_or_default();
    Ok(artifact::write(&folder.join(SEAL), &text)?)
}

/// Returns the reason why `folder` does not hold a complete engine of `key`; `None` when it does.
fn flaw(folder: &Path, key: &EngineKey) -> Option<String> {
    let Ok(text) = fs::read(folder.join(SEAL)) else {
        return Some(format!("it has no {SEAL}"));
    };
    let seal: Seal = match serde_json::from_slice(&text) {
        Ok(seal) => seal,
        Err(error) => return Some(format!("{SEAL} is damaged ({error})")),
    };
    if seal.schema != SCHEMA || seal.key != *key {
        return Some("it was built for another model, GPU, driver or version".to_owned());
    }
    let found = match hashes(folder) {
        Ok(found) => found,
        Err(error) => return Some(error.to_string()),
    };
    let differs = |name: &&String| found.get(*name) != seal.files.get(*name);
    let name = seal.files.keys().chain(found.keys()).find(differs)?;
    Some(format!("the hash of {name} is not the recorded one"))
}

#[cfg(test)]
mod tests;
