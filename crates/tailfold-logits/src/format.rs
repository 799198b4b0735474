//! What a file is, by its first bytes.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use tailfold_spec::artifact::at;

use crate::LogitFileError;

/// The formats that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// NumPy's array file.
    Npy,
    /// A table in Apache Parquet.
    Parquet,
    /// Named tensors.
    Safetensors,
}

/// Bytes that tell formats apart: the length of safetensors' header and the brace that opens it.
const MAGIC: usize = 9;

/// True when `path` begins as .npy, Parquet or safetensors. An ONNX file begins as none of them.
///
/// # Errors
/// Those of opening and reading the file.
pub fn is_logit_file(path: &Path) -> io::Result<bool> {
    let (mut file, length) = open_regular(path)?;
    Ok(sniff(&first_bytes(&mut file)?, length).is_some())
}

/// Opens `path` and says its format, `None` for a stranger, its first bytes and its length.
pub(crate) fn open(path: &Path) -> Result<(File, u64, Option<Format>, Vec<u8>), LogitFileError> {
    let (mut file, length) = open_regular(path).map_err(at("read", path))?;
    let first = first_bytes(&mut file).map_err(at("read", path))?;
    let format = sniff(&first, length);
    Ok((file, length, format, first))
}

/// A pipe has neither a length to check against nor a second reading for the labels, and opening one can wait forever.
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
    // A header longer than its file is no header: so text and ONNX, whose first bytes make a number near 2^64, are strangers.
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
        // An ONNX file: the version of its IR, then the name of its producer.
        check(b"\x08\x0a\x12\x08tailfold:", None);
        check(b"\x03\0\0\0\0\0\0\0{}", None);
        check(b"12345678{", None);
        check(b"0\n1\n", None);
        check(b"", None);
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let error = is_logit_file(folder.path()).unwrap_err();
        assert_eq!(error.to_string(), "it is not a regular file");
    }
}
