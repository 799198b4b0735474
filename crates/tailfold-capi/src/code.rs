//! The result code of a call, and the version of the library.

use std::ffi::{CStr, c_char, c_int};

use tailfold::{RuntimeError, RuntimeErrorKind};

/// The result of a call. Later versions may add codes: treat an unknown code as a failure.
// C has one name space for all constants, so every name has the prefix of the library: TAILFOLD_OK.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TailfoldCode {
    /// The call succeeded.
    TailfoldOk = 0,
    /// An argument is NULL, is not UTF-8, is of the wrong size or contradicts another one.
    TailfoldArgument = 1,
    /// The model file cannot be read.
    TailfoldFile = 2,
    /// The file is not a usable model: it is not ONNX, is invalid, or lacks metadata.
    TailfoldModel = 3,
    /// This library was built without the back end.
    TailfoldBackend = 4,
    /// The back end cannot run this model.
    TailfoldUnsupported = 5,
    /// The image cannot be decoded, or does not have the model's size.
    TailfoldImage = 6,
    /// The network failed, or a logit is NaN or infinite.
    TailfoldRun = 7,
    /// An internal error of the library. The handle is unusable from now on; close it.
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

    /// Returns the name of the code in the header.
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

/// Returns the name of `code`, such as `"TAILFOLD_IMAGE"`, or `"unknown"` for a number that is not a code of this
/// version. The text is static.
#[unsafe(no_mangle)]
pub extern "C" fn tailfold_error_name(code: c_int) -> *const c_char {
    TailfoldCode::ALL
        .into_iter()
        .find(|known| *known as c_int == code)
        .map_or(c"unknown", TailfoldCode::name)
        .as_ptr()
}

/// Returns the version of this library, such as `"0.1.0"`. The text is static.
#[unsafe(no_mangle)]
pub extern "C" fn tailfold_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    VERSION.as_ptr().cast()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_keeps_name_and_number() {
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
    fn version_is_package_version() {
        // SAFETY: the version is static and ends with a NUL.
        let version = unsafe { CStr::from_ptr(tailfold_version()) };
        assert_eq!(version.to_str(), Ok(env!("CARGO_PKG_VERSION")));
    }
}
