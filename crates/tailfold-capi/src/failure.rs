//! How a call fails: a code for the program, a message for its reader, and never a panic.

use std::cell::RefCell;
use std::error::Error;
use std::ffi::{CString, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};

use tailfold::RuntimeError;

use crate::TailfoldCode;

thread_local! {
    static LAST: RefCell<CString> = RefCell::default();
}

/// A code other than [`TailfoldCode::TailfoldOk`], and why.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: TailfoldCode,
    pub(crate) message: String,
}

impl Failure {
    /// The caller's mistake.
    pub(crate) fn argument(message: impl Into<String>) -> Self {
        Self {
            code: TailfoldCode::TailfoldArgument,
            message: message.into(),
        }
    }
}

impl From<RuntimeError> for Failure {
    /// With all that lies below the error, outermost first.
    fn from(error: RuntimeError) -> Self {
        let mut message = error.to_string();
        let mut below = error.source();
        while let Some(source) = below {
            message.push_str(": ");
            message.push_str(&source.to_string());
            below = source.source();
        }
        Self {
            code: (&error).into(),
            message,
        }
    }
}

/// Runs an entry point's work. A failure and a panic end here, as a code and as the thread's message.
pub(crate) fn guarded(work: impl FnOnce() -> Result<(), Failure>) -> TailfoldCode {
    // What a panic leaves half done is a handle, which is marked while it works, and the caller's numbers.
    let outcome = catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        let said = said.or_else(|| panic.downcast_ref::<&str>().copied());
        let failure = Failure {
            code: TailfoldCode::TailfoldPanic,
            message: format!("the library panicked: {}", said.unwrap_or("no message")),
        };
        // A payload whose own drop panics would unwind into C.
        std::mem::forget(panic);
        Err(failure)
    });
    match outcome {
        Ok(()) => TailfoldCode::TailfoldOk,
        Err(failure) => {
            keep(failure.message);
            failure.code
        }
    }
}

/// Makes `message` the thread's.
fn keep(message: String) {
    let text = CString::new(message.replace('\0', "\u{fffd}")).unwrap_or_default();
    // A thread that is ending has none any more.
    let _ = LAST.try_with(|last| last.replace(text));
}

/// Why the latest call of this thread that failed did so, with all that lies below it, in UTF-8; `""` before one has.
///
/// The text is the library's and valid until the next call of this thread.
#[unsafe(no_mangle)]
pub extern "C" fn tailfold_last_error() -> *const c_char {
    LAST.try_with(|last| last.borrow().as_ptr())
        .unwrap_or(c"".as_ptr())
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;

    fn last() -> String {
        // SAFETY: the pointer is this thread's message, and nothing replaces it before the copy is made.
        let text = unsafe { CStr::from_ptr(tailfold_last_error()) };
        text.to_str().unwrap().to_owned()
    }

    #[test]
    fn a_panic_is_a_code_and_a_message() {
        assert_eq!(last(), "");
        assert_eq!(guarded(|| panic!("at {}", 7)), TailfoldCode::TailfoldPanic);
        assert_eq!(last(), "the library panicked: at 7");
        assert_eq!(guarded(|| panic!("plain")), TailfoldCode::TailfoldPanic);
        assert_eq!(last(), "the library panicked: plain");
        let other = guarded(|| std::panic::panic_any(7));
        assert_eq!(
            (other, last().as_str()),
            (
                TailfoldCode::TailfoldPanic,
                "the library panicked: no message"
            )
        );
    }

    #[test]
    fn a_message_stays_until_the_threads_next_failure() {
        let code = guarded(|| Err(Failure::argument("one\0two")));
        assert_eq!(
            (code, last().as_str()),
            (TailfoldCode::TailfoldArgument, "one\u{fffd}two")
        );
        assert_eq!(guarded(|| Ok(())), TailfoldCode::TailfoldOk);
        assert_eq!(last(), "one\u{fffd}two");
        std::thread::spawn(|| assert_eq!(last(), ""))
            .join()
            .unwrap();
    }
}
