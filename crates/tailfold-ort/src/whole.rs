//! Is a shared library all there?
//!
//! The system's loader maps a library without asking how long its file is: one that was cut short is loaded, and ends the
//! process when a page of the missing part is touched. So its own tables are read first.

use std::fs;
use std::path::Path;

use object::{Architecture, Object as _, ObjectSection as _, ObjectSegment as _};

use crate::{OrtError, OrtErrorKind};

/// Checks that the file at `path` is a shared library of this architecture and holds all that its tables speak of.
///
/// # Errors
/// [`OrtError`].
pub(crate) fn check(path: &Path) -> Result<(), OrtError> {
    let unread = |cause: std::io::Error| {
        OrtErrorKind::Library
            .error("it cannot be read")
            .caused_by(cause)
    };
    let file = fs::File::open(path).map_err(unread)?;
    let found = file.metadata().map_err(unread)?.len();
    // Only the tables are read, whatever the size of the file.
    let cache = object::ReadCache::new(file);
    let library = object::File::parse(&cache).map_err(|cause| {
        OrtErrorKind::Library
            .error("its tables cannot be read: damaged, or no shared library")
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
            OrtErrorKind::Library.error(format!("{found} bytes of {expected}: it was cut short"))
        );
    }
    Ok(())
}
