//! Checks of the arguments that C passes: required pointers are not NULL, text is UTF-8, sizes fit.

use std::ffi::{CStr, c_char};
use std::mem::MaybeUninit;
use std::slice;

use crate::failure::Failure;

/// Returns the value at `pointer`; `name` is the argument in messages.
///
/// # Safety
/// `pointer` is NULL, or points to a `T` that nobody changes for `'a`.
pub(crate) unsafe fn shared<'a, T>(pointer: *const T, name: &str) -> Result<&'a T, Failure> {
    // SAFETY: the caller makes the same promise.
    unsafe { pointer.as_ref() }.ok_or_else(|| null(name))
}

/// Returns the value at `pointer`, to be changed; `name` is the argument in messages.
///
/// # Safety
/// `pointer` is NULL, or points to a `T` that nobody else uses for `'a`.
pub(crate) unsafe fn own<'a, T>(pointer: *mut T, name: &str) -> Result<&'a mut T, Failure> {
    // SAFETY: the caller makes the same promise.
    unsafe { pointer.as_mut() }.ok_or_else(|| null(name))
}

/// Returns the memory at `pointer`, to be written to; it may be uninitialised. `name` is the argument in messages.
///
/// # Safety
/// `pointer` is NULL, or points to room for a `T` that nobody else uses for `'a`.
pub(crate) unsafe fn place<'a, T>(
    pointer: *mut T,
    name: &str,
) -> Result<&'a mut MaybeUninit<T>, Failure> {
    // SAFETY: the caller's promise; `MaybeUninit<T>` needs only room for a `T`.
    unsafe { own(pointer.cast(), name) }
}

/// Returns the text at `pointer`, which ends with a NUL; `name` is the argument in messages.
///
/// # Safety
/// `pointer` is NULL, or points to bytes up to a NUL that nobody changes for `'a`.
pub(crate) unsafe fn text<'a>(pointer: *const c_char, name: &str) -> Result<&'a str, Failure> {
    if pointer.is_null() {
        return Err(null(name));
    }
    // SAFETY: not NULL, and the rest is the caller's promise.
    let text = unsafe { CStr::from_ptr(pointer) };
    text.to_str()
        .map_err(|error| Failure::argument(format!("`{name}` is not UTF-8: {error}")))
}

/// Returns the `count` values at `pointer`, which may be NULL for a count of 0.
///
/// # Safety
/// `pointer` is NULL, or points to `count` values that nobody changes for `'a`.
pub(crate) unsafe fn values<'a, T>(
    pointer: *const T,
    count: usize,
    name: &str,
) -> Result<&'a [T], Failure> {
    fits::<T>(count, name)?;
    match (pointer.is_null(), count) {
        (_, 0) => Ok(&[]),
        (true, _) => Err(null(name)),
        // SAFETY: not NULL and at most `isize::MAX` bytes; the rest is the caller's promise.
        (false, _) => Ok(unsafe { slice::from_raw_parts(pointer, count) }),
    }
}

/// Returns `count` places to write to, as [`place`]; `pointer` may be NULL for a count of 0.
///
/// # Safety
/// `pointer` is NULL, or points to room for `count` values that nobody else uses for `'a`.
pub(crate) unsafe fn places<'a, T>(
    pointer: *mut T,
    count: usize,
    name: &str,
) -> Result<&'a mut [MaybeUninit<T>], Failure> {
    fits::<T>(count, name)?;
    match (pointer.is_null(), count) {
        (_, 0) => Ok(&mut []),
        (true, _) => Err(null(name)),
        // SAFETY: not NULL and at most `isize::MAX` bytes; the rest is the caller's promise.
        (false, _) => Ok(unsafe { slice::from_raw_parts_mut(pointer.cast(), count) }),
    }
}

fn null(name: &str) -> Failure {
    Failure::argument(format!("`{name}` is NULL"))
}

/// Refuses more than `isize::MAX` bytes: no object in memory is larger.
fn fits<T>(count: usize, name: &str) -> Result<(), Failure> {
    let bytes = count.checked_mul(size_of::<T>());
    match bytes.map(isize::try_from) {
        Some(Ok(_)) => Ok(()),
        _ => Err(Failure::argument(format!(
            "`{name}` cannot have {count} values"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use std::ptr;

    use super::*;

    #[test]
    fn null_pointer_is_argument_error() {
        // SAFETY: every pointer is NULL.
        unsafe {
            assert!(shared(ptr::null::<u8>(), "a").is_err());
            assert!(own(ptr::null_mut::<u8>(), "a").is_err());
            assert!(place(ptr::null_mut::<u8>(), "a").is_err());
            assert!(values(ptr::null::<u8>(), 1, "a").is_err());
            assert!(places(ptr::null_mut::<u8>(), 1, "a").is_err());
            assert!(values(ptr::null::<u8>(), 0, "a").unwrap().is_empty());
            assert!(places(ptr::null_mut::<u8>(), 0, "a").unwrap().is_empty());
            let error = text(ptr::null(), "path").unwrap_err();
            assert_eq!(error.message, "`path` is NULL");
        }
    }

    #[test]
    fn text_must_be_utf8() {
        // SAFETY: the literals end with a NUL.
        unsafe {
            assert_eq!(
                text(c"Kleid, gr\u{fc}n".as_ptr(), "a").unwrap(),
                "Kleid, grün"
            );
            let error = text(c"\xff".as_ptr(), "path").unwrap_err();
            assert!(
                error.message.starts_with("`path` is not UTF-8"),
                "{error:?}"
            );
        }
    }

    #[test]
    fn size_beyond_isize_max_is_argument_error() {
        let one = [0_u32];
        for count in [usize::MAX, isize::MAX.unsigned_abs() / 4 + 1] {
            // SAFETY: refused before anything is read.
            let error = unsafe { values(one.as_ptr(), count, "out") }.unwrap_err();
            assert_eq!(error.message, format!("`out` cannot have {count} values"));
        }
    }
}
