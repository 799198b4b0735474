//! Recognises the format of a file by its first bytes.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use tailfold_spec::artifact::at;

use crate::LogitFileError;

/// The supported formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// NumPy's array format.
    Npy,
    /// A table in Apache Parquet.
    Parquet,
    /// Named tensors in one file.
    Safetensors,
}

/// Number of bytes that identify the format: the header length of a safetensors file, and the brace after it.
const MAGIC: usize = 9;

/// True when the first bytes of `path` are those that .npy, Parquet or safetensors files begin with. An ONNX file is
/// not a logit file.
///
/// # Errors
/// An I/O error when `path` is not a regular file, or when opening or reading it fails.
pub fn is_logit_file(path: &Path) -> io::Result<bool> {
    let (mut file, length) = open_regular(path)?;
    Ok(sniff(&first_bytes(&mut file)?, length).is_some())
}

/// Opens `path` and returns the file, its length, its format (`None` for an unknown format) and its first bytes.
pub(crate) fn open(path: &Path) -> Result<(File, u64, Option<Format>, Vec<u8>), LogitFileError> {
    let (mut file, length) = open_regular(path).map_err(at("read", path))?;
    let first = first_bytes(&mut file).map_err(at("read", path))?;
    let format = sniff(&first, length);
    Ok((file, length, format, first))
}

/// Opens a regular file. A pipe is refused: it has no length, cannot be read again for the labels, and can block on
/// opening.
fn open_regular(path: &Path) -> io::Result<(File, u64)> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    Ok((file, length))
}

fn first_bytes(file: &mut File) -> io::Result<Vec<u8>> {
    let mut first = Vec::with_capacity(MAGIC);
    file.take(MAGIC as u64).read_to_end(&mut first)?;
    Ok(first)
}

fn sniff(first: &[u8], length: u64) -> Option<Format> {
    if first.starts_with(b"\x93NUMPY") {
        return Some(Format::Npy);
    }
    if first.starts_with(b"PAR1") {
        return Some(Format::Parquet);
    }
    let (header, rest) = first.split_first_chunk::<8>()?;
    // A header longer than the file is invalid. This rejects text and ONNX files, whose first bytes read as a number
    // near 2^64.
    let fits = u64::from_le_bytes(*header) <= length.checked_sub(8)?;
    (fits && rest == b"{").then_some(Format::Safetensors)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_tell_formats_apart() {
        let check = |bytes: &[u8], expect| {
            let file = tempfile::NamedTempFile::new().unwrap();
            fs::write(file.path(), bytes).unwrap();
            assert_eq!(open(file.path()).unwrap().2, expect, "{bytes:?}");
            assert_eq!(is_logit_file(file.path()).unwrap(), expect.is_some());
        };
        check(b"\x93NUMPY\x01\x00", Some(Format::Npy));
        check(b"PAR1", Some(Format::Parquet));
        check(b"\x02\0\0\0\0\0\0\0{}", Some(Format::Safetensors));
        // An ONNX file begins with its IR version and the producer's name.
        check(b"\x08\x0a\x12\x08tailfold:", None);
        check(b"\x03\0\0\0\0\0\0\0{}", None);
        check(b"12345678{", None);
        check(b"0\n1\n", None);
        check(b"", None);
    }

    #[test]
    fn folder_is_refused_as_logit_file() {
        let folder = tempfile::tempdir().unwrap();
        let error = is_logit_file(folder.path()).unwrap_err();
        assert_eq!(error.to_string(), "it is not a regular file");
    }
}
