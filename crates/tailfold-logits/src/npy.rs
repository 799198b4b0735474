//! NumPy's array files: a header with a Python literal, then the numbers.

mod header;

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use tailfold_spec::artifact::at;

use crate::element::{Float, Integer};
use crate::payload::{self, Payload};
use crate::{LogitFileError, LogitFileErrorKind};

/// Largest supported header in bytes. NumPy writes 128 bytes for a plain array, and reads at most 10,000.
const MAX_HEADER: usize = 1 << 16;

/// An array whose numbers fill the file from byte `start` to the end.
pub(crate) struct Array {
    start: u64,
    /// NumPy's type name without the byte order, such as `f4`.
    kind: String,
    big_endian: bool,
    shape: Vec<usize>,
}

/// Reads the header of `file`, which has `length` bytes, and checks that the file has exactly the numbers that the
/// header describes.
pub(crate) fn open(file: &mut File, length: u64, path: &Path) -> Result<Array, LogitFileError> {
    let damaged = |why: String| {
        LogitFileErrorKind::Damaged
            .error(format!("the header of the array cannot be read: {why}"))
            .at(path.display())
    };
    let (text, start) = text(file, length)
        .map_err(at("read", path))?
        .map_err(damaged)?;
    let header = header::parse(&text).map_err(damaged)?;
    let unusable = |found: String, expected: &str| content(path, "the array", found, expected);
    let Some(descr) = header.descr else {
        return Err(unusable(
            "structured".to_owned(),
            "a plain array of numbers",
        ));
    };
    if descr.contains('O') {
        return Err(unusable(
            format!("of Python objects (`{descr}`, a pickle)"),
            "a plain array of numbers, such as `array.astype(np.float32)`",
        ));
    }
    if header.fortran_order {
        return Err(unusable(
            "in Fortran order".to_owned(),
            "C order: write np.ascontiguousarray(array)",
        ));
    }
    let kind = descr.trim_start_matches(['<', '>', '|', '=']).to_owned();
    let size: Option<u64> = kind.get(1..).and_then(|digits| digits.parse().ok());
    let Some(size) = size else {
        return Err(unusable(
            format!("of the type `{descr}`"),
            "an array of numbers",
        ));
    };
    let shape = &header.shape;
    let bytes = shape
        .iter()
        .try_fold(size, |bytes, &n| bytes.checked_mul(n));
    let expected = bytes.and_then(|bytes| bytes.checked_add(start));
    let expected = expected
        .ok_or_else(|| damaged(format!("an array of {shape:?} has more than 2^64 bytes")))?;
    if expected != length {
        return Err(LogitFileErrorKind::Damaged
            .error(format!(
                "the header describes a file of {expected} bytes, but it has {length}"
            ))
            .at(path.display()));
    }
    let shape = shape.iter().map(|&n| usize::try_from(n));
    Ok(Array {
        start,
        kind,
        big_endian: descr.starts_with('>'),
        shape: shape
            .collect::<Result<_, _>>()
            .map_err(|e| damaged(e.to_string()))?,
    })
}

/// Reads the header's text and the byte at which it ends. The inner error describes an invalid header.
fn text(file: &mut File, length: u64) -> io::Result<Result<(String, u64), String>> {
    let mut fixed = [0; 12];
    file.rewind()?;
    let read = file.take(12).read(&mut fixed)?;
    let (before, size) = match (read, fixed) {
        (10.., [.., 1, 0, a, b, _, _]) => (10, usize::from(u16::from_le_bytes([a, b]))),
        (12, [.., 2 | 3, 0, a, b, c, d]) => (12, u32::from_le_bytes([a, b, c, d]) as usize),
        (12, [_, _, _, _, _, _, major, minor, ..]) => {
            return Ok(Err(format!(
                "the version of the format is {major}.{minor}, expected 1.0, 2.0 or 3.0"
            )));
        }
        _ => return Ok(Err(format!("the file ends after {length} bytes"))),
    };
    let start = before + size as u64;
    if start > length {
        return Ok(Err(format!(
            "it ends at byte {start}, but the file has {length} bytes"
        )));
    }
    if size > MAX_HEADER {
        return Ok(Err(format!(
            "it has {size} bytes, expected at most {MAX_HEADER}"
        )));
    }
    let mut bytes = vec![0; size];
    file.seek(SeekFrom::Start(before))?;
    file.read_exact(&mut bytes)?;
    Ok(String::from_utf8(bytes)
        .map(|text| (text, start))
        .map_err(|e| e.to_string()))
}

impl Array {
    /// Interprets the array as logits.
    pub(crate) fn logits(&self, path: &Path) -> Result<Payload, LogitFileError> {
        const EXPECTED: &str = "f2, f4 or f8 [n, classes], neither of them 0";
        let element = match self.kind.as_str() {
            "f2" => Float::F16,
            "f4" => Float::F32,
            "f8" => Float::F64,
            _ => return Err(self.unusable(path, EXPECTED)),
        };
        let [rows @ (1..), classes @ (1..)] = self.shape[..] else {
            return Err(self.unusable(path, EXPECTED));
        };
        Ok(Payload {
            start: self.start,
            element,
            big_endian: self.big_endian,
            rows,
            classes,
            next: 0,
        })
    }

    /// Interprets the array as labels, and reads them.
    pub(crate) fn labels(
        &self,
        file: &mut File,
        path: &Path,
    ) -> Result<Vec<usize>, LogitFileError> {
        let element = match self.kind.as_bytes() {
            [sign @ (b'i' | b'u'), size @ (b'1' | b'2' | b'4' | b'8')] => Integer {
                size: usize::from(size - b'0'),
                signed: *sign == b'i',
            },
            _ => return Err(self.unusable(path, "integers [n]")),
        };
        let [count] = self.shape[..] else {
            return Err(self.unusable(path, "integers [n]"));
        };
        payload::labels(file, path, (element, self.big_endian), self.start, count)
    }

    fn unusable(&self, path: &Path, expected: &str) -> LogitFileError {
        let found = format!("{} {:?}", self.kind, self.shape);
        content(path, "the array", found, expected)
    }
}

fn content(path: &Path, place: &str, found: String, expected: &str) -> LogitFileError {
    LogitFileErrorKind::Content
        .error(format!("{place} is {found}, expected {expected}"))
        .at(path.display())
}
