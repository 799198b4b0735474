//! Search for ONNX Runtime's library, and checks that the library can be used.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use ort::environment::Environment;

use crate::{OrtError, OrtErrorKind, whole};

/// Minor version of ONNX Runtime that this crate was built for; later versions are compatible.
const OLDEST: u32 = ort::MINOR_VERSION;

/// Environment variable with the path of the library.
const VARIABLE: &str = "ORT_DYLIB_PATH";

/// ONNX Runtime's library, loaded.
#[derive(Clone)]
pub struct Library {
    path: PathBuf,
    environment: Environment,
}

/// A place that was searched for the library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Kind of place: `named file`, `ORT_DYLIB_PATH`, `beside the program` or `installed`.
    pub(crate) what: &'static str,
    /// File or folder; `None` if it was not given.
    pub(crate) path: Option<PathBuf>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => write!(f, "{}: {}", self.what, path.display()),
            None => write!(f, "{}: not given", self.what),
        }
    }
}

/// The library that this process has loaded.
static LOADED: Mutex<Option<Library>> = Mutex::new(None);

/// Plug-in providers that this process has registered.
static REGISTERED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

impl Library {
    /// Loads the first library found: the file `named`, the file in the variable `ORT_DYLIB_PATH`, a library
    /// beside this program, a library in the folder `ort` beside this program's folder, or a library in
    /// [`install_folder`]. If that library cannot be used, no other one is tried. The library stays loaded
    /// until the process ends.
    ///
    /// # Errors
    /// [`OrtError`], which lists the places searched, or the defect of the library.
    pub fn load(named: Option<&Path>) -> Result<Self, OrtError> {
        let (place, path) = find(named)?;
        let mut loaded = LOADED.lock().unwrap_or_else(|broken| broken.into_inner());
        if let Some(library) = loaded.as_ref() {
            if library.path == path {
                return Ok(library.clone());
            }
            return Err(OrtErrorKind::Library.error(format!(
                "this process has loaded {loaded}, and cannot load {wanted} too",
                loaded = library.path.display(),
                wanted = path.display()
            )));
        }
        whole::check(&path).map_err(|source| {
            OrtErrorKind::Library
                .error("this library cannot be used")
                .at(&place)
                .caused_by(source)
        })?;
        let environment = start(&path, &place)?;
        Ok(loaded.insert(Self { path, environment }).clone())
    }

    /// Returns the path of the library.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Registers the plug-in provider `name` of the library `file`, unless this process has registered it
    /// already.
    pub(crate) fn register(&self, name: &str, file: &Path) -> ort::Result<()> {
        let mut registered = REGISTERED
            .lock()
            .unwrap_or_else(|broken| broken.into_inner());
        if !registered.iter().any(|known| known == file) {
            self.environment.register_ep_library(name, file)?;
            registered.push(file.to_owned());
        }
        Ok(())
    }

    pub(crate) fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Returns the path of the file `name` in the library's folder.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.path.with_file_name(name)
    }
}

fn start(path: &Path, place: &Place) -> Result<Environment, OrtError> {
    use ort::LoadDynamicError::BadVersion;
    let builder = ort::init_from(path).map_err(|error| match error {
        BadVersion { version_str, .. } => OrtErrorKind::TooOld
            .error(format!(
                "this is ONNX Runtime {version_str}, and at least 1.{OLDEST} is needed"
            ))
            .at(place),
        other => OrtErrorKind::Library
            .error(format!("this library cannot be loaded: {other}"))
            .at(place),
    })?;
    let environment = builder
        .with_name("tailfold")
        .with_telemetry(false)
        .build()
        .map_err(|error| {
            OrtErrorKind::Library
                .error(format!("this library cannot be loaded: {error}"))
                .at(place)
        })?;
    // Failures are returned as errors; other log output, about providers, is suppressed.
    environment.set_log_level(ort::logging::LogLevel::Fatal);
    Ok(environment)
}

/// Finds the first library in the places of [`Library::load`].
fn find(named: Option<&Path>) -> Result<(Place, PathBuf), OrtError> {
    let variable = std::env::var_os(VARIABLE).filter(|value| !value.is_empty());
    let program = std::env::current_exe().ok();
    let folder = program.as_deref().and_then(Path::parent);
    let user = install_folder();
    look(
        named,
        variable.map(PathBuf::from).as_deref(),
        folder,
        user.as_deref(),
    )
}

/// Returns the user's folder for ONNX Runtime: `tailfold/onnxruntime` in `XDG_DATA_HOME`, or in
/// `.local/share` of `HOME`.
pub fn install_folder() -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let data = match (variable("XDG_DATA_HOME"), variable("HOME")) {
        (Some(data), _) => PathBuf::from(data),
        (None, Some(home)) => PathBuf::from(home).join(".local/share"),
        (None, None) => return None,
    };
    Some(data.join("tailfold/onnxruntime"))
}

/// Does the same as [`find`] for the value `variable` of `ORT_DYLIB_PATH`, the program's folder `folder`, and
/// the [`install_folder`] `user`.
fn look(
    named: Option<&Path>,
    variable: Option<&Path>,
    folder: Option<&Path>,
    user: Option<&Path>,
) -> Result<(Place, PathBuf), OrtError> {
    let mut looked = Vec::new();
    for (what, path) in [("named file", named), (VARIABLE, variable)] {
        let place = Place {
            what,
            path: path.map(Path::to_owned),
        };
        if let Some(path) = path {
            // An explicitly named file is used, or it is an error.
            return match path.is_file() {
                true => Ok((place, absolute(path))),
                false => Err(OrtErrorKind::Library
                    .error("there is no such file")
                    .at(place)),
            };
        }
        looked.push(place);
    }
    let beside = folder.map(|folder| folder.parent().unwrap_or(folder).join("ort"));
    let mut places: Vec<(&str, PathBuf)> = Vec::new();
    places.extend(folder.map(|folder| ("beside the program", folder.to_owned())));
    for installed in beside.into_iter().chain(user.map(Path::to_owned)) {
        let mut found: Vec<PathBuf> = packages(&installed).collect();
        if found.is_empty() {
            found.push(installed);
        }
        places.extend(found.into_iter().map(|path| ("installed", path)));
    }
    for (what, path) in places {
        let library = in_folder(&path);
        let place = Place {
            what,
            path: Some(library.clone().unwrap_or(path)),
        };
        if let Some(library) = library {
            return Ok((place, library));
        }
        looked.push(place);
    }
    Err(OrtErrorKind::NoLibrary.error(format!(
        "ONNX Runtime's library was not found. Looked at:{}",
        looked
            .iter()
            .map(|place| format!("\n  {place}"))
            .collect::<String>()
    )))
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Returns the folders of ONNX Runtime's libraries in a virtual environment of Python.
fn packages(environment: &Path) -> impl Iterator<Item = PathBuf> {
    let versions = std::fs::read_dir(environment.join("lib")).into_iter();
    versions.flatten().flatten().filter_map(|python| {
        let folder = python.path().join("site-packages/onnxruntime/capi");
        folder.is_dir().then_some(folder)
    })
}

/// Returns ONNX Runtime's library in `folder`: `libonnxruntime.so`, or else a name with a version, the last
/// in order.
fn in_folder(folder: &Path) -> Option<PathBuf> {
    let plain = folder.join("libonnxruntime.so");
    if plain.is_file() {
        return Some(plain);
    }
    let files = std::fs::read_dir(folder).ok()?.flatten();
    files
        .map(|file| file.path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("libonnxruntime.so.") && path.is_file()
        })
        .max()
}

#[cfg(test)]
mod tests;
