//! The footer of a table: the schema, the row groups, and the positions of their columns.
//!
//! The parquet crate parses the footer but trusts two properties of the schema: the number of a group's children, for
//! which it allocates, and the nesting depth, to which it recurses. A wrong value in either would abort the process,
//! so both are checked here first.

mod schema;

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataReader};
use tailfold_spec::artifact::at;

use crate::{LogitFileError, LogitFileErrorKind};

/// Bytes after the footer: its length and `PAR1`.
const TAIL: u64 = 8;

/// Reads the footer of `file`, which has `length` bytes, and checks that all columns lie inside the file.
pub(super) fn read(
    mut file: &File,
    length: u64,
    path: &Path,
) -> Result<ParquetMetaData, LogitFileError> {
    let damaged = |why: String| {
        LogitFileErrorKind::Damaged
            .error(format!("the footer cannot be read: {why}"))
            .at(path.display())
    };
    let footer = bytes(&mut file, length)
        .map_err(at("read", path))?
        .map_err(damaged)?;
    schema::check(&footer).map_err(damaged)?;
    let metadata =
        ParquetMetaDataReader::decode_metadata(&footer).map_err(|e| damaged(e.to_string()))?;
    for (group, row_group) in metadata.row_groups().iter().enumerate() {
        for chunk in row_group.columns() {
            let (start, end) = range(chunk).ok_or_else(|| {
                damaged(format!(
                    "column `{}` in row group {group} begins or ends before the file",
                    chunk.column_path()
                ))
            })?;
            if end > length - TAIL {
                return Err(damaged(format!(
                    "column `{}` in row group {group} lies in bytes {start} to {end}, but the file has {length}",
                    chunk.column_path()
                )));
            }
        }
    }
    Ok(metadata)
}

/// First byte of a column chunk, and the byte after its last.
fn range(chunk: &ColumnChunkMetaData) -> Option<(u64, u64)> {
    let start = chunk
        .dictionary_page_offset()
        .unwrap_or(chunk.data_page_offset());
    let start = u64::try_from(start).ok()?;
    let length = u64::try_from(chunk.compressed_size()).ok()?;
    Some((start, start.checked_add(length)?))
}

/// Reads the footer's bytes. The inner error describes an invalid footer.
fn bytes(file: &mut &File, length: u64) -> io::Result<Result<Vec<u8>, String>> {
    let Some(end) = length.checked_sub(TAIL).filter(|&end| end >= 4) else {
        return Ok(Err(format!("the file ends after {length} bytes")));
    };
    let mut tail = [0; 8];
    file.seek(SeekFrom::Start(end))?;
    file.read_exact(&mut tail)?;
    let [a, b, c, d, magic @ ..] = tail;
    if &magic != b"PAR1" {
        return Ok(Err(format!(
            "the file of {length} bytes ends with `{}`, expected `PAR1`: it was cut short, or is encrypted",
            magic.escape_ascii()
        )));
    }
    let size = u64::from(u32::from_le_bytes([a, b, c, d]));
    let Some(start) = end.checked_sub(size) else {
        return Ok(Err(format!(
            "it says that it has {size} bytes, but the file has {length}"
        )));
    };
    let mut footer = Vec::new();
    file.seek(SeekFrom::Start(start))?;
    file.take(size).read_to_end(&mut footer)?;
    Ok(Ok(footer))
}
