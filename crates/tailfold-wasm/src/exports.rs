//! The exported functions of the module. They take and return numbers, and work on the session and the answer of the
//! calling thread.

use std::cell::RefCell;

use crate::{Session, memory};

thread_local! {
    static SESSION: RefCell<Session> = RefCell::default();
    static ANSWER: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Returns `len` bytes to write a model or an image to; NULL if there is not enough memory.
#[unsafe(no_mangle)]
pub extern "C" fn tailfold_alloc(len: usize) -> *mut u8 {
    memory::reserve(len)
}

/// Frees the bytes that [`tailfold_alloc`] returned for the same `len`.
///
/// # Safety
/// `bytes` is NULL, or [`tailfold_alloc`] returned it for this `len` and it was not freed before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tailfold_free(bytes: *mut u8, len: usize) {
    // SAFETY: the caller's promise.
    unsafe { memory::release(bytes, len) }
}

/// Calls [`Session::open`] with the `len` bytes at `bytes` and returns the length of the answer. The bytes may be freed
/// afterwards.
///
/// # Safety
/// `bytes` is NULL or has `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tailfold_open(bytes: *const u8, len: usize) -> usize {
    // SAFETY: the caller's promise.
    let bytes = unsafe { memory::written(bytes, len) };
    answer(|session| session.open(bytes))
}

/// Calls [`Session::classify`] with the `len` bytes at `bytes` and returns the length of the answer. The bytes may be
/// freed afterwards.
///
/// # Safety
/// `bytes` is NULL or has `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tailfold_classify(bytes: *const u8, len: usize, top: usize) -> usize {
    // SAFETY: the caller's promise.
    let bytes = unsafe { memory::written(bytes, len) };
    answer(|session| session.classify(bytes, top))
}

/// Returns the latest answer, in UTF-8; it is valid until the next call.
#[unsafe(no_mangle)]
pub extern "C" fn tailfold_answer() -> *const u8 {
    ANSWER.with_borrow(|text| text.as_ptr())
}

fn answer(work: impl FnOnce(&mut Session) -> String) -> usize {
    let text = SESSION.with_borrow_mut(work);
    let len = text.len();
    ANSWER.replace(text);
    len
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answer_has_returned_place_and_length() {
        // SAFETY: NULL stands for no bytes, and the answer has the length that the call returned.
        let text = unsafe {
            let len = tailfold_classify(std::ptr::null(), 0, 1);
            std::slice::from_raw_parts(tailfold_answer(), len)
        };
        let text = std::str::from_utf8(text).unwrap();
        assert!(text.starts_with(r#"{"error":"there is no model"#), "{text}");
    }
}
