//! How a model is opened, as a structure that can grow.

use std::ffi::c_char;
use std::mem::{MaybeUninit, size_of};
use std::ptr;

use tailfold::{Backend, Options};

use crate::argument;
use crate::failure::Failure;

/// How a model is opened. Set all of it to zero, then `size`, then what you care about:
/// `TailfoldOptions options = {0}; options.size = sizeof options;`
///
/// Later versions may add fields at the end, for which zero means what was done before.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct TailfoldOptions {
    /// Bytes of this structure, as the caller knows it: `sizeof(TailfoldOptions)`.
    pub size: usize,
    /// What computes: `"integer"`, `"tract"` or `"tract-stock"`. NULL: the one of this build that runs most models.
    pub backend: *const c_char,
    /// Most threads that share an image; 0 and 1 are the calling thread alone. The answer does not depend on it.
    pub threads: u32,
    /// Not 0: images of any size are brought to the network's, where the model itself says nothing of resizing.
    pub fit: u32,
}

/// The structure of the first version; none was ever smaller.
const SMALLEST: usize = size_of::<TailfoldOptions>();

/// What [`TailfoldOptions`] mean.
#[derive(Debug, Default)]
pub(crate) struct Chosen {
    pub(crate) backend: Backend,
    pub(crate) options: Options,
    pub(crate) fit: bool,
}

impl Chosen {
    /// Reads `pointer`, where NULL stands for the defaults.
    ///
    /// # Safety
    /// `pointer` is NULL, or points to options of as many initialised bytes as their `size` says, and their `backend` is
    /// NULL or ends with a NUL.
    pub(crate) unsafe fn read(pointer: *const TailfoldOptions) -> Result<Self, Failure> {
        if pointer.is_null() {
            return Ok(Self::default());
        }
        // SAFETY: not NULL, and every version begins with the size.
        let size = unsafe { (&raw const (*pointer).size).read() };
        if size < SMALLEST {
            return Err(Failure::argument(format!(
                "`options` has a size of {size} bytes, at least {SMALLEST} are needed"
            )));
        }
        let known = size.min(size_of::<TailfoldOptions>());
        // SAFETY: the caller's promise about `size`.
        let beyond =
            unsafe { argument::values(pointer.cast::<u8>().add(known), size - known, "options") }?;
        if beyond.iter().any(|&byte| byte != 0) {
            return Err(Failure::argument(format!(
                "`options` has {size} bytes and sets something beyond the {known} that this version knows"
            )));
        }
        let mut options = MaybeUninit::<TailfoldOptions>::zeroed();
        // SAFETY: `known` bytes are there to be read and to be written, in two places, and zeros are options, too.
        let options = unsafe {
            let to = options.as_mut_ptr().cast::<u8>();
            ptr::copy_nonoverlapping(pointer.cast(), to, known);
            options.assume_init()
        };
        let mut chosen = Self {
            fit: options.fit != 0,
            ..Self::default()
        };
        if let Ok(threads @ 1..) = usize::try_from(options.threads) {
            chosen.options.threads = threads;
        }
        if !options.backend.is_null() {
            // SAFETY: the caller's promise about `backend`.
            let name = unsafe { argument::text(options.backend, "backend") }?;
            chosen.backend = name
                .parse()
                .map_err(|error| Failure::argument(format!("{error}")))?;
        }
        Ok(chosen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: usize = size_of::<TailfoldOptions>();

    fn options() -> TailfoldOptions {
        TailfoldOptions {
            size: SIZE,
            backend: ptr::null(),
            threads: 0,
            fit: 0,
        }
    }

    fn read(options: &TailfoldOptions) -> Result<Chosen, Failure> {
        // SAFETY: these tests' options have the bytes that they claim, or fewer than are read at all.
        unsafe { Chosen::read(options) }
    }

    #[test]
    fn null_and_zeros_are_the_defaults() {
        // SAFETY: NULL is allowed.
        let default = unsafe { Chosen::read(ptr::null()) }.unwrap();
        for chosen in [default, read(&options()).unwrap()] {
            assert_eq!(chosen.backend, Backend::default());
            assert_eq!(chosen.options.threads, Options::default().threads);
            assert!(!chosen.fit);
        }
    }

    #[test]
    fn what_is_set_is_read() {
        let chosen = read(&TailfoldOptions {
            backend: c"integer".as_ptr(),
            threads: 2,
            fit: 1,
            ..options()
        })
        .unwrap();
        assert_eq!((chosen.backend, chosen.fit), (Backend::Integer, true));
        assert_eq!(chosen.options.threads, 2);
        let unknown = read(&TailfoldOptions {
            backend: c"cpu".as_ptr(),
            ..options()
        });
        assert!(unknown.unwrap_err().message.contains("no back end `cpu`"));
    }

    #[test]
    fn a_structure_may_be_longer_but_not_shorter() {
        let short = read(&TailfoldOptions {
            size: SIZE - 1,
            ..options()
        })
        .unwrap_err();
        assert!(
            short.message.contains(&format!("{} bytes", SIZE - 1)),
            "{short:?}"
        );
        let later = |tail: u64| {
            #[repr(C)]
            struct Later(TailfoldOptions, u64);
            let size = size_of::<Later>();
            let later = Later(
                TailfoldOptions {
                    size,
                    fit: 1,
                    ..options()
                },
                tail,
            );
            // SAFETY: `later` has as many initialised bytes as it says, without padding.
            unsafe { Chosen::read((&raw const later).cast()) }
        };
        assert!(later(0).unwrap().fit);
        let error = later(1 << 40).unwrap_err();
        assert!(error.message.contains("beyond"), "{error:?}");
    }
}
