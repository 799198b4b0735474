//! Handles of models: open, query, fork for another thread, close.

use std::ffi::{CString, c_char};
use std::path::Path;
use std::ptr;
use std::sync::Arc;

use tailfold::ImageClassifier;

use crate::argument;
use crate::failure::{Failure, guarded};
use crate::options::Chosen;
use crate::{TailfoldCode, TailfoldOptions};

/// A model that is ready to run, with its class names and its preprocessing.
pub struct TailfoldClassifier {
    classifier: ImageClassifier,
    /// Class names in label order.
    names: Arc<[CString]>,
    /// Set while the classifier runs, so a panic leaves it set.
    broken: bool,
}

/// Shape of the network's input.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TailfoldShape {
    /// 1 (grey) or 3 (red, green, blue).
    pub channels: usize,
    /// Rows, in pixels.
    pub height: usize,
    /// Columns, in pixels.
    pub width: usize,
}

impl TailfoldClassifier {
    fn open(path: &str, chosen: &Chosen) -> Result<Self, Failure> {
        let opened = ImageClassifier::open(Path::new(path), chosen.backend, &chosen.options)?;
        let classifier = if chosen.fit { opened.fitting() } else { opened };
        let classes = classifier.card().classes.iter().enumerate();
        let names = classes.map(|(class, name)| {
            CString::new(name.as_str()).map_err(|_| Failure {
                code: TailfoldCode::TailfoldModel,
                message: format!("{path}: the name of class {class} has a NUL: {name:?}"),
            })
        });
        Ok(Self {
            names: names.collect::<Result<_, _>>()?,
            classifier,
            broken: false,
        })
    }

    /// Number of classes.
    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    /// Runs `work` on the classifier. A classifier that panicked before is refused: its state is unknown.
    pub(crate) fn run<T>(
        &mut self,
        work: impl FnOnce(&mut ImageClassifier) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.usable()?;
        self.broken = true;
        let outcome = work(&mut self.classifier);
        self.broken = false;
        outcome
    }

    fn fork(&self) -> Result<Self, Failure> {
        self.usable()?;
        Ok(Self {
            classifier: self.classifier.fork(),
            names: Arc::clone(&self.names),
            broken: false,
        })
    }

    fn usable(&self) -> Result<(), Failure> {
        if self.broken {
            return Err(Failure {
                code: TailfoldCode::TailfoldPanic,
                message: "this classifier panicked in an earlier call: close it".to_owned(),
            });
        }
        Ok(())
    }
}

/// Reads the model file at `path` (UTF-8) and prepares it to run. `*classifier` becomes the handle, which
/// `tailfold_close` frees, or NULL after a failure. NULL for `options` means the defaults.
///
/// # Safety
/// `path` is NULL or ends with a NUL; `options` is NULL or set as its documentation describes; `classifier` is NULL or
/// can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tailfold_open(
    path: *const c_char,
    options: *const TailfoldOptions,
    classifier: *mut *mut TailfoldClassifier,
) -> TailfoldCode {
    guarded(|| {
        // SAFETY: the caller's promises.
        let (handle, path, chosen) = unsafe {
            let handle = argument::place(classifier, "classifier")?;
            handle.write(ptr::null_mut());
            let path = argument::text(path, "path")?;
            (handle, path, Chosen::read(options)?)
        };
        let opened = TailfoldClassifier::open(path, &chosen)?;
        handle.write(Box::into_raw(Box::new(opened)));
        Ok(())
    })
}

/// Makes another handle over the same weights, for another thread; `*fork` is NULL after a failure. Close both handles,
/// in any order.
///
/// # Safety
/// `classifier` is NULL or an open handle that no other thread uses during the call; `fork` is NULL or can be written
/// to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tailfold_fork(
    classifier: *const TailfoldClassifier,
    fork: *mut *mut TailfoldClassifier,
) -> TailfoldCode {
    guarded(|| {
        // SAFETY: the caller's promises.
        let (handle, classifier) = unsafe {
            let handle = argument::place(fork, "fork")?;
            handle.write(ptr::null_mut());
            (handle, argument::shared(classifier, "classifier")?)
        };
        handle.write(Box::into_raw(Box::new(classifier.fork()?)));
        Ok(())
    })
}

/// Frees a handle and its class names. NULL is allowed.
///
/// # Safety
/// `classifier` is NULL or an open handle that the caller does not use again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tailfold_close(classifier: *mut TailfoldClassifier) {
    guarded(|| {
        if !classifier.is_null() {
            // SAFETY: every handle comes from `Box::into_raw`, and this one was not closed before.
            drop(unsafe { Box::from_raw(classifier) });
        }
        Ok(())
    });
}

/// Returns the number of classes, at least 1; 0 for NULL.
///
/// # Safety
/// `classifier` is NULL or an open handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tailfold_num_classes(classifier: *const TailfoldClassifier) -> usize {
    let mut classes = 0;
    guarded(|| {
        // SAFETY: the caller's promise.
        classes = unsafe { argument::shared(classifier, "classifier") }?.len();
        Ok(())
    });
    classes
}

/// Returns the name of a class in UTF-8, or NULL for a class that does not exist. The text belongs to the handle and is
/// valid until the handle is closed.
///
/// # Safety
/// `classifier` is NULL or an open handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tailfold_class_name(
    classifier: *const TailfoldClassifier,
    class_index: u32,
) -> *const c_char {
    let mut name = ptr::null();
    guarded(|| {
        // SAFETY: the caller's promise.
        let names = &unsafe { argument::shared(classifier, "classifier") }?.names;
        let known = usize::try_from(class_index).ok().and_then(|c| names.get(c));
        let known = known.ok_or_else(|| {
            Failure::argument(format!(
                "there is no class {class_index} among {}",
                names.len()
            ))
        })?;
        name = known.as_ptr();
        Ok(())
    });
    name
}

/// Writes the shape of the network's input to `shape`. Images that are not resized must have this height and width.
///
/// # Safety
/// `classifier` is NULL or an open handle; `shape` is NULL or can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tailfold_input_shape(
    classifier: *const TailfoldClassifier,
    shape: *mut TailfoldShape,
) -> TailfoldCode {
    guarded(|| {
        // SAFETY: the caller's promises.
        let (classifier, shape) = unsafe {
            let classifier = argument::shared(classifier, "classifier")?;
            (classifier, argument::place(shape, "shape")?)
        };
        let spec = &classifier.classifier.card().preprocess;
        shape.write(TailfoldShape {
            channels: spec.channels,
            height: spec.height,
            width: spec.width,
        });
        Ok(())
    })
}

#[cfg(test)]
mod tests;
