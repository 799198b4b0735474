//! Is a shared library all there?
//!
//! The system's loader maps a library without asking how long its file is: one that was cut short is loaded, and ends the
//! process when a page of the missing part is touched. So its own tables are read first.

use std::fs;
use std::path::Path;

use object::{Architecture, Object as _, ObjectSection as _, ObjectSegment as _};

/// Why a file cannot be loaded as a library of this machine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DamageError {
    /// It cannot be read.
    #[error("it cannot be read")]
    Read(#[from] std::io::Error),
    /// It is no shared library.
    #[error("its tables cannot be read: damaged, or no shared library")]
    Format(#[from] object::Error),
    /// Its end is missing.
    #[error("{found} bytes of {expected}: it was cut short")]
    Cut {
        /// Bytes that its tables speak of.
        expected: u64,
        /// Bytes that are there.
        found: u64,
    },
    /// It is another machine's.
    #[error("it is for {found}, and this is {here}")]
    Foreign {
        /// Its architecture.
        found: String,
        /// This machine's.
        here: &'static str,
    },
}

/// Checks that the file at `path` is a shared library of this architecture and holds all that its tables speak of.
///
/// # Errors
/// [`DamageError`].
pub(crate) fn check(path: &Path) -> Result<(), DamageError> {
    let file = fs::File::open(path)?;
    let found = file.metadata()?.len();
    // Only the tables are read, whatever the size of the file.
    let cache = object::ReadCache::new(file);
    let library = object::File::parse(&cache)?;
    let here = match library.architecture() {
        Architecture::X86_64 => cfg!(target_arch = "x86_64"),
        Architecture::Aarch64 => cfg!(target_arch = "aarch64"),
        Architecture::Arm => cfg!(target_arch = "arm"),
        _ => false,
    };
    if !here {
        return Err(DamageError::Foreign {
            found: format!("{:?}", library.architecture()).to_lowercase(),
            here: std::env::consts::ARCH,
        });
    }
    let segments = library.segments().map(|s| s.file_range());
    let sections = library.sections().filter_map(|s| s.file_range());
    let ends = segments
        .chain(sections)
        .map(|(at, size)| at.saturating_add(size));
    let expected = ends.max().unwrap_or(0);
    if expected > found {
        return Err(DamageError::Cut { expected, found });
    }
    Ok(())
}
