//! Atomic file writes (a temporary file is renamed to its target) and SHA-256 digests of files.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

/// A file that could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}", path.display())]
pub struct ArtifactError {
    /// The failed action, such as `read`, `write` or `create`.
    pub action: &'static str,
    /// The file.
    pub path: PathBuf,
    /// The underlying error.
    #[source]
    pub source: io::Error,
}

/// Attaches an action and a path to an I/O error.
pub fn at(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ArtifactError {
    let path = path.to_owned();
    move |source| ArtifactError {
        action,
        path,
        source,
    }
}

/// Writes `bytes` to a temporary file in the target's folder, then renames it into place.
///
/// A reader never sees a partial file, and a failure leaves an existing file unchanged. Missing folders are
/// created.
///
/// # Errors
/// [`ArtifactError`]; the target is untouched and nothing is left behind.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), ArtifactError> {
    write_checked(path, bytes, |_| Ok(()))
}

/// Like [`write()`], but `check` sees the finished temporary file first and can refuse it.
///
/// # Errors
/// The error of `check`, or an [`ArtifactError`]; in both cases the target is untouched and nothing is left behind.
pub fn write_checked<E: From<ArtifactError>>(
    path: &Path,
    bytes: &[u8],
    check: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<(), E> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder).map_err(at("create", folder))?;
    let suffix = path
        .extension()
        .map_or_else(String::new, |e| format!(".{}", e.to_string_lossy()));
    let mut file = tempfile::Builder::new()
        .prefix(".tailfold-")
        .suffix(&suffix)
        .tempfile_in(folder)
        .map_err(at("create a file in", folder))?;
    file.write_all(bytes)
        .and_then(|()| file.as_file().sync_all())
        .map_err(at("write", path))?;
    // A temporary file is readable only by its owner by default; an artifact gets the usual permissions.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        file.as_file()
            .set_permissions(fs::Permissions::from_mode(0o644))
            .map_err(at("write", path))?;
    }
    check(file.path())?;
    file.persist(path).map_err(|e| at("write", path)(e.error))?;
    Ok(())
}

/// Checks that files can be created in `folder`, even if it does not exist yet; leaves nothing behind.
///
/// # Errors
/// [`ArtifactError`] naming the folder, so that a command fails before hours of work and not after.
pub fn ensure_writable(folder: &Path) -> Result<(), ArtifactError> {
    let existing = folder
        .ancestors()
        .find(|a| a.as_os_str().is_empty() || a.exists());
    let existing = match existing {
        Some(a) if !a.as_os_str().is_empty() => a,
        _ => Path::new("."),
    };
    tempfile::tempfile_in(existing)
        .map(drop)
        .map_err(at("write into", folder))
}

/// Reads a whole file.
///
/// # Errors
/// [`ArtifactError`] naming the file.
pub fn read(path: &Path) -> Result<Vec<u8>, ArtifactError> {
    fs::read(path).map_err(at("read", path))
}

/// Reads a whole UTF-8 file.
///
/// # Errors
/// [`ArtifactError`] naming the file.
pub fn read_to_string(path: &Path) -> Result<String, ArtifactError> {
    fs::read_to_string(path).map_err(at("read", path))
}

/// SHA-256 of a file's contents in lower-case hexadecimal; the file is read in pieces.
///
/// # Errors
/// [`ArtifactError`] naming the file.
pub fn sha256_of(path: &Path) -> Result<String, ArtifactError> {
    let mut file = fs::File::open(path).map_err(at("read", path))?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        match file.read(&mut buffer).map_err(at("read", path))? {
            0 => return Ok(hex(&hash.finalize())),
            read => hash.update(&buffer[..read]),
        }
    }
}

/// SHA-256 in lower-case hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(digest: &[u8]) -> String {
    digest
        .iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            write!(hex, "{byte:02x}").expect("writing to a String cannot fail");
            hex
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_matches_published_value() {
        // FIPS 180-2, appendix B.1.
        assert_eq!(
            sha256(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("abc");
        fs::write(&path, b"abc").unwrap();
        assert_eq!(sha256_of(&path).unwrap(), sha256(b"abc"));
        let missing = sha256_of(&dir.path().join("missing")).unwrap_err();
        assert!(missing.to_string().contains("missing"), "{missing}");
    }

    #[test]
    fn refused_file_keeps_old_file_and_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/model.onnx");
        write(&path, b"old").unwrap();
        let refused = write_checked(&path, b"new", |tmp| {
            assert_eq!(fs::read(tmp).unwrap(), b"new");
            Err(at("check", tmp)(io::Error::other("no")))
        });
        assert!(refused.is_err());
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn unwritable_folder_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, b"").unwrap();
        let error = write(&file.join("x.onnx"), b"").unwrap_err();
        assert!(error.to_string().contains("file"), "{error}");
    }
}
