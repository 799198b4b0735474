//! Memory that the host writes to.

use std::alloc::{Layout, alloc, dealloc};
use std::{ptr, slice};

/// Returns `len` bytes for the host to fill; NULL if `len` is 0 or there is not enough memory.
pub(crate) fn reserve(len: usize) -> *mut u8 {
    match Layout::array::<u8>(len) {
        // SAFETY: the layout is not empty.
        Ok(layout) if len > 0 => unsafe { alloc(layout) },
        _ => ptr::null_mut(),
    }
}

/// Frees the bytes that [`reserve`] returned.
///
/// # Safety
/// `bytes` is NULL, or [`reserve`] returned it for the same `len` and nobody uses it from now on.
pub(crate) unsafe fn release(bytes: *mut u8, len: usize) {
    if let (false, Ok(layout)) = (bytes.is_null(), Layout::array::<u8>(len)) {
        // SAFETY: the caller's promise; the layout is the one of the reservation.
        unsafe { dealloc(bytes, layout) }
    }
}

/// Returns the bytes that the host wrote; no bytes for NULL.
///
/// # Safety
/// `bytes` is NULL, or points to `len` bytes that nobody changes for `'a`.
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
    fn written_bytes_are_read_and_freed() {
        let bytes = reserve(3);
        // SAFETY: the three bytes come from `reserve` and are freed once.
        unsafe {
            ptr::copy_nonoverlapping([1, 2, 3].as_ptr(), bytes, 3);
            assert_eq!(written(bytes, 3), [1, 2, 3]);
            release(bytes, 3);
        }
    }

    #[test]
    fn empty_and_impossible_sizes_are_null() {
        assert!(reserve(0).is_null());
        assert!(reserve(usize::MAX).is_null());
        // SAFETY: both pointers are NULL.
        unsafe {
            assert!(written(ptr::null(), 7).is_empty());
            release(ptr::null_mut(), 7);
        }
    }
}
