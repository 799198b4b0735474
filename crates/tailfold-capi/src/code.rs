//! What came of a call, and which library answered.

use std::ffi::{CStr, c_char, c_int};

use tailfold::{RuntimeError, RuntimeErrorKind};

/// What came of a call. Later versions may add codes, so treat one that you do not know as a failure.
// C has one name space for all of them, so the type's name is theirs, too: TAILFOLD_OK.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TailfoldCode {
    /// Done.
    TailfoldOk = 0,
    /// An argument is NULL, is not UTF-8, is of the wrong size or contradicts another one.
    TailfoldArgument = 1,
    /// The model file cannot be read.
    TailfoldFile = 2,
    /// The file is no model that can be used: no ONNX, unsound, or without metadata.
    TailfoldModel = 3,
    /// This library was built without the back end.
    TailfoldBackend = 4,
    /// The back end cannot run this model.
    TailfoldUnsupported = 5,
    /// The image cannot be decoded, or is not of the model's size.
    TailfoldImage = 6,
    /// The network did not answer, or its answer is not a number.
    TailfoldRun = 7,
    /// A mistake of the library's own. The handle answers nothing else from now on; close it.
    TailfoldPanic = 8,
}

impl TailfoldCode {
    const ALL: [Self; 9] = [
        Self::TailfoldOk,
        Self::TailfoldArgument,
        Self::TailfoldFile,
        Self::TailfoldModel,
        Self::TailfoldBackend,
        Self::TailfoldUnsupported,
        Self::TailfoldImage,
        Self::TailfoldRun,
        Self::TailfoldPanic,
    ];

    /// As the header writes it.
    fn name(self) -> &'static CStr {
        match self {
            Self::TailfoldOk => c"TAILFOLD_OK",
            Self::TailfoldArgument => c"TAILFOLD_ARGUMENT",
            Self::TailfoldFile => c"TAILFOLD_FILE",
            Self::TailfoldModel => c"TAILFOLD_MODEL",
            Self::TailfoldBackend => c"TAILFOLD_BACKEND",
            Self::TailfoldUnsupported => c"TAILFOLD_UNSUPPORTED",
            Self::TailfoldImage => c"TAILFOLD_IMAGE",
            Self::TailfoldRun => c"TAILFOLD_RUN",
            Self::TailfoldPanic => c"TAILFOLD_PANIC",
        }
    }
}

impl From<&RuntimeError> for TailfoldCode {
    fn from(error: &RuntimeError) -> Self {
        match error.kind() {
            RuntimeErrorKind::File => Self::TailfoldFile,
            RuntimeErrorKind::Model => Self::TailfoldModel,
            RuntimeErrorKind::NotBuilt => Self::TailfoldBackend,
            RuntimeErrorKind::Unsupported => Self::TailfoldUnsupported,
            RuntimeErrorKind::Image => Self::TailfoldImage,
            _ => Self::TailfoldRun,
        }
    }
}

/// Name of `code`, such as `"TAILFOLD_IMAGE"`; `"unknown"` for a number that is no code of this version. Static.
#[unsafe(no_mangle)]
pub extern "C" fn tailfold_error_name(code: c_int) -> *const c_char {
    TailfoldCode::ALL
        .into_iter()
        .find(|known| *known as c_int == code)
        .map_or(c"unknown", TailfoldCode::name)
        .as_ptr()
}

/// Version of this library, such as `"0.1.0"`. Static.
#[unsafe(no_mangle)]
pub extern "C" fn tailfold_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    VERSION.as_ptr().cast()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_name_and_number() {
        for (number, code) in (0..).zip(TailfoldCode::ALL) {
            assert_eq!(code as c_int, number);
            // SAFETY: the names are static and end with a NUL.
            let name = unsafe { CStr::from_ptr(tailfold_error_name(number)) };
            assert_eq!(name, code.name());
        }
        for number in [-1, 9, c_int::MAX] {
            // SAFETY: as above.
            let name = unsafe { CStr::from_ptr(tailfold_error_name(number)) };
            assert_eq!(name, c"unknown");
        }
    }

    #[test]
    fn the_version_is_this_packages() {
        // SAFETY: the version is static and ends with a NUL.
        let version = unsafe { CStr::from_ptr(tailfold_version()) };
        assert_eq!(version.to_str(), Ok(env!("CARGO_PKG_VERSION")));
    }
}
