//! Memory that the other side writes to.

use std::alloc::{Layout, alloc, dealloc};
use std::{ptr, slice};

/// `len` bytes for the other side to fill; NULL where there are none to be had, or none are asked for.
pub(crate) fn reserve(len: usize) -> *mut u8 {
    match Layout::array::<u8>(len) {
        // SAFETY: the layout is not empty.
        Ok(layout) if len > 0 => unsafe { alloc(layout) },
        _ => ptr::null_mut(),
    }
}

/// Gives back what [`reserve`] gave.
///
/// # Safety
/// `bytes` is NULL or of [`reserve`] with the same `len`, and nobody uses it from now on.
pub(crate) unsafe fn release(bytes: *mut u8, len: usize) {
    if let (false, Ok(layout)) = (bytes.is_null(), Layout::array::<u8>(len)) {
        // SAFETY: the caller's promise, and the layout that it was reserved with.
        unsafe { dealloc(bytes, layout) }
    }
}

/// What the other side wrote; nothing at NULL.
///
/// # Safety
/// `bytes` is NULL, or `len` bytes are there that nobody changes for `'a`.
pub(crate) unsafe fn written<'a>(bytes: *const u8, len: usize) -> &'a [u8] {
    if bytes.is_null() {
        return &[];
    }
    // SAFETY: the caller's promise.
    unsafe { slice::from_raw_parts(bytes, len) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_given_back() {
        let bytes = reserve(3);
        // SAFETY: three bytes of `reserve`, which are given back once.
        unsafe {
            ptr::copy_nonoverlapping([1, 2, 3].as_ptr(), bytes, 3);
            assert_eq!(written(bytes, 3), [1, 2, 3]);
            release(bytes, 3);
        }
    }

    #[test]
    fn nothing_is_null() {
        assert!(reserve(0).is_null());
        assert!(reserve(usize::MAX).is_null());
        // SAFETY: NULL alone.
        unsafe {
            assert!(written(ptr::null(), 7).is_empty());
            release(ptr::null_mut(), 7);
        }
    }
}
