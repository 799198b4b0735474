//! What the module exports: plain functions of numbers, on a session and an answer of the calling thread.

use std::cell::RefCell;

use crate::{Session, memory};

thread_local! {
    static SESSION: RefCell<Session> = RefCell::default();
    static ANSWER: RefCell<String> = const { RefCell::new(String::new()) };
}

/// `len` bytes to write a model or an image to; NULL where there is no memory for them.
#[unsafe(no_mangle)]
pub extern "C" fn tailfold_alloc(len: usize) -> *mut u8 {
    memory::reserve(len)
}

/// Gives back what [`tailfold_alloc`] gave, with the same `len`.
///
/// # Safety
/// `bytes` is NULL or of [`tailfold_alloc`] with this `len`, and was not given back before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tailfold_free(bytes: *mut u8, len: usize) {
    // SAFETY: the caller's promise.
    unsafe { memory::release(bytes, len) }
}

/// [`Session::open`] of the `len` bytes at `bytes`, which may be given back afterwards; the answer's length.
///
/// # Safety
/// `bytes` is NULL or has `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tailfold_open(bytes: *const u8, len: usize) -> usize {
    // SAFETY: the caller's promise.
    let bytes = unsafe { memory::written(bytes, len) };
    answer(|session| session.open(bytes))
}

/// [`Session::classify`] of the `len` bytes at `bytes`, which may be given back afterwards; the answer's length.
///
/// # Safety
/// `bytes` is NULL or has `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tailfold_classify(bytes: *const u8, len: usize, top: usize) -> usize {
    // SAFETY: the caller's promise.
    let bytes = unsafe { memory::written(bytes, len) };
    answer(|session| session.classify(bytes, top))
}

/// The latest answer, in UTF-8, valid until the next call.
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
    fn an_answer_lies_where_it_says() {
        // SAFETY: nothing at NULL, and the answer is as long as the call said.
        let text = unsafe {
            let len = tailfold_classify(std::ptr::null(), 0, 1);
            std::slice::from_raw_parts(tailfold_answer(), len)
        };
        let text = std::str::from_utf8(text).unwrap();
        assert!(text.starts_with(r#"{"error":"there is no model"#), "{text}");
    }
}
