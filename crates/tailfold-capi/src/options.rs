//! The options of `tailfold_open`, in a structure that later versions can extend.

use std::ffi::c_char;
use std::mem::{MaybeUninit, size_of};
use std::ptr;

use tailfold::{Backend, Options};

use crate::argument;
use crate::failure::Failure;

/// Options of `tailfold_open`. Set the structure to zero, then set `size`, then the fields that you need:
/// `TailfoldOptions options = {0}; options.size = sizeof options;`
///
/// Later versions may add fields at the end; zero in a new field keeps the old behaviour.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct TailfoldOptions {
    /// Size of this structure in the caller's version of the header: `sizeof(TailfoldOptions)`.
    pub size: usize,
    /// The back end: `"integer"`, `"tract"` or `"tract-stock"`. NULL selects the back end of this build that runs the
    /// most models.
    pub backend: *const c_char,
    /// Largest number of threads that share one image; 0 and 1 mean the calling thread alone. The answer does not
    /// depend on it.
    pub threads: u32,
    /// If not 0, images of any size are resized and cropped to the network's input size, unless the model's metadata
    /// has a resize of its own.
    pub fit: u32,
}

/// Size of the structure in the first version; no version has a smaller one.
const SMALLEST: usize = size_of::<TailfoldOptions>();

/// The checked values of [`TailfoldOptions`].
#[derive(Debug, Default)]
pub(crate) struct Chosen {
    pub(crate) backend: Backend,
    pub(crate) options: Options,
    pub(crate) fit: bool,
}

impl Chosen {
    /// Reads the options at `pointer`; NULL means the defaults.
    ///
    /// # Safety
    /// `pointer` is NULL, or points to options with `size` initialised bytes, whose `backend` is NULL or ends with a
    /// NUL.
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
        // SAFETY: both places have `known` bytes and do not overlap, and zeros are valid options.
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
        // SAFETY: the options have `size` bytes, or their `size` is too small and is refused first.
        unsafe { Chosen::read(options) }
    }

    #[test]
    fn null_and_zeros_mean_defaults() {
        // SAFETY: NULL is allowed.
        let default = unsafe { Chosen::read(ptr::null()) }.unwrap();
        for chosen in [default, read(&options()).unwrap()] {
            assert_eq!(chosen.backend, Backend::default());
            assert_eq!(chosen.options.threads, Options::default().threads);
            assert!(!chosen.fit);
        }
    }

    #[test]
    fn set_fields_are_read() {
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
    fn longer_structure_is_read_and_shorter_is_refused() {
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
