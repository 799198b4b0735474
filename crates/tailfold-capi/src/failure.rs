//! Failures of calls: a code for the program and a message for its user. No panic leaves the library.

use std::cell::RefCell;
use std::error::Error;
use std::ffi::{CString, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};

use tailfold::RuntimeError;

use crate::TailfoldCode;

thread_local! {
    static LAST: RefCell<CString> = RefCell::default();
}

/// A code other than [`TailfoldCode::TailfoldOk`], with a message.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: TailfoldCode,
    pub(crate) message: String,
}

impl Failure {
    /// Returns the failure of an invalid argument.
    pub(crate) fn argument(message: impl Into<String>) -> Self {
        Self {
            code: TailfoldCode::TailfoldArgument,
            message: message.into(),
        }
    }
}

impl From<RuntimeError> for Failure {
    /// Joins the messages of the error and of its causes, outermost first.
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

/// Runs the work of an entry point. A failure or a panic becomes a code and the thread's message.
pub(crate) fn guarded(work: impl FnOnce() -> Result<(), Failure>) -> TailfoldCode {
    // A panic can leave only two things half changed: a handle, which is marked as broken while it runs, and the
    // caller's output values.
    let outcome = catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        let said = said.or_else(|| panic.downcast_ref::<&str>().copied());
        let failure = Failure {
            code: TailfoldCode::TailfoldPanic,
            message: format!("the library panicked: {}", said.unwrap_or("no message")),
        };
        // The payload is leaked: if its drop panicked, the panic would unwind into C.
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

/// Stores `message` as the thread's message.
fn keep(message: String) {
    let text = CString::new(message.replace('\0', "\u{fffd}")).unwrap_or_default();
    // A thread that is ending has already dropped its message.
    let _ = LAST.try_with(|last| last.replace(text));
}

/// Returns the message of the latest failed call of this thread, with its causes, in UTF-8; `""` if no call has failed.
///
/// The text belongs to the library and is valid until the next call of this thread.
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
    fn panic_becomes_code_and_message() {
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
    fn message_stays_until_next_failure_of_thread() {
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
