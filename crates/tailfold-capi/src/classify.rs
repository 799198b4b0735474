//! Classification of image files and of pixels: guesses or logits.

use tailfold::{Answer, ImageClassifier};
use tailfold_data::Pixels;

use crate::argument;
use crate::failure::{Failure, guarded};
use crate::{TailfoldClassifier, TailfoldCode};

/// A class and its probability.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TailfoldGuess {
    /// Index of the class, from 0; `tailfold_class_name` returns its name.
    pub class_index: u32,
    /// Between 0 and 1: the softmax over all logits, or the sigmoid of the class's own logit for a model that ends in
    /// Sigmoid.
    pub probability: f64,
}

/// Classifies an image file's `len` bytes: JPEG, PNG, BMP, WebP or PNM.
///
/// Writes the `top` most likely classes to `guesses`, which has room for `top`, the most likely class first. `*written`
/// is their number: at most the number of classes, and 0 after a failure.
///
/// # Safety
/// `classifier` is NULL or an open handle that no other thread uses during the call; `data`, `guesses` and `written`
/// are NULL or have the given sizes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tailfold_classify_bytes(
    classifier: *mut TailfoldClassifier,
    data: *const u8,
    len: usize,
    top: usize,
    guesses: *mut TailfoldGuess,
    written: *mut usize,
) -> TailfoldCode {
    guarded(|| {
        // SAFETY: the caller's promises.
        let data = || unsafe { argument::values(data, len, "data") };
        // SAFETY: the caller's promises.
        unsafe {
            guess(classifier, top, guesses, written, |c| {
                of_bytes(c, data()?, top)
            })
        }
    })
}

/// As `tailfold_classify_bytes`, for decoded pixels. `data` has `width * height * channels` bytes without gaps: rows
/// from top to bottom, pixels from left to right, and `channels` bytes per pixel, 1 (grey) or 3 (red, green, blue).
///
/// # Safety
/// As for `tailfold_classify_bytes`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tailfold_classify_pixels(
    classifier: *mut TailfoldClassifier,
    data: *const u8,
    width: usize,
    height: usize,
    channels: usize,
    top: usize,
    guesses: *mut TailfoldGuess,
    written: *mut usize,
) -> TailfoldCode {
    guarded(|| {
        // SAFETY: the caller's promises.
        let pixels = || unsafe { pixels(data, width, height, channels) };
        // SAFETY: the caller's promises.
        unsafe {
            guess(classifier, top, guesses, written, |c| {
                of_pixels(c, &pixels()?, top)
            })
        }
    })
}

/// Writes the logits of an image file's `len` bytes to `out`, in label order and natural-log units. `out_len` must be
/// the number of classes.
///
/// # Safety
/// As for `tailfold_classify_bytes`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tailfold_logits_bytes(
    classifier: *mut TailfoldClassifier,
    data: *const u8,
    len: usize,
    out: *mut f32,
    out_len: usize,
) -> TailfoldCode {
    guarded(|| {
        // SAFETY: the caller's promises.
        let data = || unsafe { argument::values(data, len, "data") };
        // SAFETY: the caller's promises.
        unsafe { logits(classifier, out, out_len, |c| of_bytes(c, data()?, 0)) }
    })
}

/// As `tailfold_logits_bytes`, for decoded pixels in the form of `tailfold_classify_pixels`.
///
/// # Safety
/// As for `tailfold_classify_bytes`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tailfold_logits_pixels(
    classifier: *mut TailfoldClassifier,
    data: *const u8,
    width: usize,
    height: usize,
    channels: usize,
    out: *mut f32,
    out_len: usize,
) -> TailfoldCode {
    guarded(|| {
        // SAFETY: the caller's promises.
        let pixels = || unsafe { pixels(data, width, height, channels) };
        // SAFETY: the caller's promises.
        unsafe { logits(classifier, out, out_len, |c| of_pixels(c, &pixels()?, 0)) }
    })
}

fn of_bytes(classifier: &mut ImageClassifier, data: &[u8], top: usize) -> Result<Answer, Failure> {
    Ok(classifier.classify(data, "the image", top)?)
}

fn of_pixels(
    classifier: &mut ImageClassifier,
    pixels: &Pixels,
    top: usize,
) -> Result<Answer, Failure> {
    Ok(classifier.classify_pixels(pixels, top)?)
}

/// # Safety
/// `data` is NULL or has `width * height * channels` bytes.
unsafe fn pixels(
    data: *const u8,
    width: usize,
    height: usize,
    channels: usize,
) -> Result<Pixels, Failure> {
    if !matches!(channels, 1 | 3) {
        return Err(Failure::argument(format!(
            "expected 1 or 3 channels, not {channels}"
        )));
    }
    let bytes = width
        .checked_mul(height)
        .and_then(|pixels| pixels.checked_mul(channels))
        .filter(|&bytes| bytes > 0);
    let bytes = bytes
        .ok_or_else(|| Failure::argument(format!("no image has {width} x {height} pixels")))?;
    // SAFETY: the caller's promise.
    let values = unsafe { argument::values(data, bytes, "data") }?.to_vec();
    Ok(Pixels {
        height,
        width,
        channels,
        values,
    })
}

/// # Safety
/// As for [`tailfold_classify_bytes`].
unsafe fn guess(
    classifier: *mut TailfoldClassifier,
    top: usize,
    guesses: *mut TailfoldGuess,
    written: *mut usize,
    answer: impl FnOnce(&mut ImageClassifier) -> Result<Answer, Failure>,
) -> Result<(), Failure> {
    // SAFETY: the caller's promises.
    let (written, classifier) = unsafe {
        let written = argument::place(written, "written")?;
        written.write(0);
        (written, argument::own(classifier, "classifier")?)
    };
    // At most one guess per class is written, so `guesses` needs no more room.
    let count = top.min(classifier.len());
    // SAFETY: the caller's promise, for `top` guesses or fewer.
    let places = unsafe { argument::places(guesses, count, "guesses") }?;
    let answer = classifier.run(answer)?;
    for (place, guess) in places.iter_mut().zip(&answer.top) {
        place.write(TailfoldGuess {
            class_index: u32::try_from(guess.class).unwrap_or(u32::MAX),
            probability: guess.probability,
        });
    }
    written.write(count);
    Ok(())
}

/// # Safety
/// As for [`tailfold_classify_bytes`].
unsafe fn logits(
    classifier: *mut TailfoldClassifier,
    out: *mut f32,
    out_len: usize,
    answer: impl FnOnce(&mut ImageClassifier) -> Result<Answer, Failure>,
) -> Result<(), Failure> {
    // SAFETY: the caller's promise.
    let classifier = unsafe { argument::own(classifier, "classifier") }?;
    let classes = classifier.len();
    if out_len != classes {
        return Err(Failure::argument(format!(
            "`out` has room for {out_len} logits but the model has {classes} classes"
        )));
    }
    // SAFETY: the caller's promise.
    let places = unsafe { argument::places(out, out_len, "out") }?;
    let answer = classifier.run(answer)?;
    places.write_copy_of_slice(&answer.logits);
    Ok(())
}
