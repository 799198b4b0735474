//! Images in, guesses or logits out.

use tailfold::{Answer, ImageClassifier};
use tailfold_data::Pixels;

use crate::argument;
use crate::failure::{Failure, guarded};
use crate::{TailfoldClassifier, TailfoldCode};

/// A class, and how likely the model finds it.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TailfoldGuess {
    /// Class, from 0; `tailfold_class_name` has its name.
    pub class_index: u32,
    /// From 0 to 1: softmax of the logits, all classes counted.
    pub probability: f64,
}

/// Classifies an image file's `len` bytes: JPEG, PNG, BMP, WebP or PNM.
///
/// The `top` most likely classes are written to `guesses`, which has room for `top`, the most likely one first; `*written`
/// is how many they are, at most as many as there are classes, and 0 after a failure.
///
/// # Safety
/// `classifier` is NULL or an open handle that nobody else uses meanwhile; `data`, `guesses` and `written` are NULL or have
/// the sizes that are given for them.
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

/// The same for pixels that are decoded already: rows from the top, in a row from the left, in a pixel its `channels`
/// bytes: 1 (grey) or 3 (red, green, blue). `data` has `width * height * channels` bytes, without gaps.
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

/// Logits of an image file's `len` bytes, in natural-log units and in label order, to `out`, whose `out_len` must be the
/// number of classes.
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

/// The same for pixels, which are as for `tailfold_classify_pixels`.
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
            "an image has 1 or 3 channels, not {channels}"
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
    // No more are ever written than there are classes, so no more are asked of the caller's memory.
    let count = top.min(classifier.len());
    // SAFETY: the caller's promise, for as many or fewer.
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
