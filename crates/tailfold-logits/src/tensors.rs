//! Safetensors files, such as those from `tailfold logits --out`.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};
use tailfold_spec::artifact::at;

use crate::element::{Float, Integer};
use crate::payload::{self, Payload};
use crate::{LogitFileError, LogitFileErrorKind};

/// Metadata key of a part of a sharded run (`tailfold_part::Part`), which has rows for only some of the images.
const PART: &str = "tailfold.part";

/// Largest supported header in bytes; this is the format's own limit.
const MAX_HEADER: u64 = 100_000_000;

/// The tensor `labels`.
pub(crate) struct Labels {
    element: Integer,
    start: u64,
    /// Number of labels.
    pub(crate) count: usize,
}

impl Labels {
    /// Reads the labels, whose number must be `images`.
    pub(crate) fn read(
        &self,
        file: &mut File,
        path: &Path,
        images: usize,
    ) -> Result<Vec<usize>, LogitFileError> {
        if self.count != images {
            let found = format!("of {} images", self.count);
            return Err(unusable(
                path,
                "labels",
                found,
                &format!("{images}, as the logits"),
            ));
        }
        payload::labels(file, path, (self.element, false), self.start, self.count)
    }
}

/// Finds the tensors `logits` and `labels` in `file`, which has `length` bytes.
pub(crate) fn open(
    file: &mut File,
    length: u64,
    path: &Path,
) -> Result<(Payload, Option<Labels>), LogitFileError> {
    const EXPECTED: &str = "F16, BF16, F32 or F64 [n, classes], neither of them 0";
    let (header, start) = header(file, length, path)?;
    let whole = header.metadata().as_ref();
    if whole.is_some_and(|metadata| metadata.contains_key(PART)) {
        return Err(LogitFileErrorKind::Content
            .error(
                "the file is a part of a sharded run, expected the logits of all images: \
             merge the parts (`tailfold merge`)",
            )
            .at(path.display()));
    }
    let Some(info) = header.info("logits") else {
        let found = format!("missing (there are {:?})", header.offset_keys());
        return Err(unusable(path, "logits", found, EXPECTED));
    };
    let element = match info.dtype {
        Dtype::F16 => Float::F16,
        Dtype::BF16 => Float::BF16,
        Dtype::F32 => Float::F32,
        Dtype::F64 => Float::F64,
        _ => return Err(unusable(path, "logits", form(info), EXPECTED)),
    };
    let [rows @ (1..), classes @ (1..)] = info.shape[..] else {
        return Err(unusable(path, "logits", form(info), EXPECTED));
    };
    let payload = Payload {
        start: start + info.data_offsets.0 as u64,
        element,
        big_endian: false,
        rows,
        classes,
        next: 0,
    };
    Ok((payload, find_labels(&header, start, path)?))
}

/// Finds the tensor `labels` in `file`, which has `length` bytes; the file need not have logits.
pub(crate) fn labels(
    file: &mut File,
    length: u64,
    path: &Path,
) -> Result<Option<Labels>, LogitFileError> {
    let (header, start) = header(file, length, path)?;
    find_labels(&header, start, path)
}

fn find_labels(
    header: &Metadata,
    start: u64,
    path: &Path,
) -> Result<Option<Labels>, LogitFileError> {
    let Some(info) = header.info("labels") else {
        return Ok(None);
    };
    let signed = match info.dtype {
        Dtype::I8 | Dtype::I16 | Dtype::I32 | Dtype::I64 => true,
        Dtype::U8 | Dtype::U16 | Dtype::U32 | Dtype::U64 => false,
        _ => return Err(unusable(path, "labels", form(info), "integers [n]")),
    };
    let [count] = info.shape[..] else {
        return Err(unusable(path, "labels", form(info), "integers [n]"));
    };
    Ok(Some(Labels {
        element: Integer {
            size: info.dtype.bitsize() / 8,
            signed,
        },
        start: start + info.data_offsets.0 as u64,
        count,
    }))
}

/// Reads the header and the byte at which the tensors begin. The safetensors crate checks that the header describes
/// tensors without gaps.
fn header(file: &mut File, length: u64, path: &Path) -> Result<(Metadata, u64), LogitFileError> {
    let damaged = |why: String| {
        LogitFileErrorKind::Damaged
            .error(format!("the header cannot be read: {why}"))
            .at(path.display())
    };
    let mut size = [0; 8];
    file.rewind().map_err(at("read", path))?;
    file.read_exact(&mut size).map_err(at("read", path))?;
    let size = u64::from_le_bytes(size);
    // The header fits in the file, because this is how the format was recognised.
    if size > MAX_HEADER {
        return Err(damaged(format!(
            "it has {size} bytes, expected at most {MAX_HEADER}"
        )));
    }
    let mut text = Vec::new();
    file.take(size)
        .read_to_end(&mut text)
        .map_err(at("read", path))?;
    let header: Metadata = serde_json::from_slice(&text).map_err(|e| damaged(e.to_string()))?;
    let start = 8 + size;
    let expected = start.saturating_add(header.data_len() as u64);
    if expected == length {
        Ok((header, start))
    } else {
        Err(LogitFileErrorKind::Damaged
            .error(format!(
                "the header describes a file of {expected} bytes, but it has {length}"
            ))
            .at(path.display()))
    }
}

fn form(info: &TensorInfo) -> String {
    format!("{} {:?}", info.dtype, info.shape)
}

fn unusable(path: &Path, tensor: &str, found: String, expected: &str) -> LogitFileError {
    LogitFileErrorKind::Content
        .error(format!("tensor `{tensor}` is {found}, expected {expected}"))
        .at(path.display())
}
