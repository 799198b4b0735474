//! Bounded reading of a plain file, or of the `.zst` next to it when the plain file is missing.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use ruzstd::decoding::StreamingDecoder;
use tailfold_spec::artifact::at;

use crate::{DataError, DataErrorKind};

/// Largest number of bytes of one file in memory: several times the largest data set that is read whole (CIFAR, 184
/// MB).
pub(crate) const MAX_BYTES: u64 = 1 << 30;

/// Appends `suffix` to the whole name of `path`.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Returns whether [`read`] would find `path` or its `.zst`.
pub(crate) fn exists(path: &Path) -> bool {
    path.exists() || with_suffix(path, ".zst").exists()
}

/// Reads `path`, or decompresses `path.zst` when `path` does not exist.
///
/// # Errors
/// [`DataError`] naming the file; no more than [`MAX_BYTES`] are ever allocated.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, DataError> {
    if path.exists() {
        return read_plain(path, MAX_BYTES);
    }
    let compressed = with_suffix(path, ".zst");
    if compressed.exists() {
        return read_zst(&compressed, MAX_BYTES);
    }
    let path = path.to_owned();
    if with_suffix(&path, ".gz").exists() {
        return Err(DataErrorKind::Missing.error(format!(
            "{} exists only as .gz, which is not supported: decompress it with gunzip",
            path.display()
        )));
    }
    Err(DataErrorKind::Missing.error(format!(
        "there is neither {} nor {}.zst",
        path.display(),
        path.display()
    )))
}

/// Like [`read`], for text: removes a UTF-8 byte order mark.
///
/// # Errors
/// [`DataErrorKind::Damaged`] for a UTF-16 byte order mark, otherwise as [`read`].
pub(crate) fn read_unmarked(path: &Path) -> Result<Vec<u8>, DataError> {
    let mut bytes = read(path)?;
    let encoding = match bytes[..] {
        [0xef, 0xbb, 0xbf, ..] => {
            bytes.drain(..3);
            return Ok(bytes);
        }
        [0xff, 0xfe, ..] => "UTF-16 (little-endian)",
        [0xfe, 0xff, ..] => "UTF-16 (big-endian)",
        _ => return Ok(bytes),
    };
    Err(DataErrorKind::Damaged.error(format!(
        "{} begins with the byte order mark of {encoding}: save it as UTF-8",
        path.display()
    )))
}

/// Like [`read_unmarked`], as UTF-8 text.
pub(crate) fn read_text(path: &Path) -> Result<String, DataError> {
    String::from_utf8(read_unmarked(path)?)
        .map_err(|_| DataErrorKind::Damaged.error(format!("{} is not UTF-8 text", path.display())))
}

/// Reads a file of at most `limit` bytes.
pub(crate) fn read_plain(path: &Path, limit: u64) -> Result<Vec<u8>, DataError> {
    // Reading a pipe without a writer would block forever.
    let kind = path.metadata().map_err(at("read", path))?.file_type();
    if !kind.is_file() && !kind.is_dir() {
        return Err(DataErrorKind::File.error(format!(
            "{} is not a regular file: pass a pipe as standard input",
            path.display()
        )));
    }
    let file = File::open(path).map_err(at("read", path))?;
    read_bounded(file, limit)
        .map_err(at("read", path))?
        .ok_or_else(|| {
            DataErrorKind::Limit.error(format!("{} holds more than {limit} bytes", path.display()))
        })
}

/// Decompresses a file with any number of frames to at most `limit` bytes.
fn read_zst(path: &Path, limit: u64) -> Result<Vec<u8>, DataError> {
    let mut source = BufReader::new(File::open(path).map_err(at("read", path))?);
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| {
        DataErrorKind::Damaged
            .error(format!("cannot decompress {}", path.display()))
            .caused_by(source)
    };
    let mut bytes = Vec::new();
    loop {
        let left = limit - bytes.len() as u64;
        let frame = StreamingDecoder::new(&mut source).map_err(|e| failed(e.into()))?;
        let more = read_bounded(frame, left)
            .map_err(|e| failed(e.into()))?
            .ok_or_else(|| {
                DataErrorKind::Limit
                    .error(format!("{} holds more than {limit} bytes", path.display()))
            })?;
        bytes.extend(more);
        if io::BufRead::fill_buf(&mut source)
            .map_err(at("read", path))?
            .is_empty()
        {
            return Ok(bytes);
        }
    }
}

/// Reads `source` to its end; `None` if it has more than `limit` bytes.
fn read_bounded(source: impl Read, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    source
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= limit).then_some(bytes))
}

#[cfg(test)]
mod tests;
