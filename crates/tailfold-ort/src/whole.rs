//! Check that a shared library is complete.
//!
//! The system's loader maps a library without checking the length of its file. A truncated library is loaded,
//! and the process crashes when it touches a missing page. The check reads the library's own tables first.

use std::fs;
use std::path::Path;

use object::{Architecture, Object as _, ObjectSection as _, ObjectSegment as _};

use crate::{OrtError, OrtErrorKind};

/// Checks that the file at `path` is a shared library of this architecture and contains everything that its
/// tables refer to.
///
/// # Errors
/// [`OrtError`] when the file cannot be read, is for another architecture, or is truncated.
pub(crate) fn check(path: &Path) -> Result<(), OrtError> {
    let unread = |cause: std::io::Error| {
        OrtErrorKind::Library
            .error("it cannot be read")
            .caused_by(cause)
    };
    let file = fs::File::open(path).map_err(unread)?;
    let found = file.metadata().map_err(unread)?.len();
    // Only the tables are read, even if the file is large.
    let cache = object::ReadCache::new(file);
    let library = object::File::parse(&cache).map_err(|cause| {
        OrtErrorKind::Library
            .error("its tables cannot be read: it is damaged, or not a shared library")
            .caused_by(cause)
    })?;
    let here = match library.architecture() {
        Architecture::X86_64 => cfg!(target_arch = "x86_64"),
        Architecture::Aarch64 => cfg!(target_arch = "aarch64"),
        Architecture::Arm => cfg!(target_arch = "arm"),
        _ => false,
    };
    if !here {
        let found = format!("{:?}", library.architecture()).to_lowercase();
        return Err(OrtErrorKind::Library.error(format!(
            "it is for {found}, and this is {}",
            std::env::consts::ARCH
        )));
    }
    let segments = library.segments().map(|s| s.file_range());
    let sections = library.sections().filter_map(|s| s.file_range());
    let ends = segments
        .chain(sections)
        .map(|(at, size)| at.saturating_add(size));
    let expected = ends.max().unwrap_or(0);
    if expected > found {
        return Err(
            OrtErrorKind::Library.error(format!("it is truncated: {found} of {expected} bytes"))
        );
    }
    Ok(())
}
