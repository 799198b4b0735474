//! Names: those of image files, and those of classes in one Unicode form.

use std::ffi::OsStr;
use std::path::Path;

use unicode_normalization::UnicodeNormalization as _;

/// Endings of the image files that a folder's listing takes, lower case; GIF and TIFF with the feature `gif-tiff` alone.
pub const IMAGE_ENDINGS: &[&str] = if cfg!(feature = "gif-tiff") {
    &[
        "jpg", "jpeg", "jpe", "jfif", "png", "bmp", "webp", "pnm", "ppm", "pgm", "pbm", "gif",
        "tif", "tiff",
    ]
} else {
    &[
        "jpg", "jpeg", "jpe", "jfif", "png", "bmp", "webp", "pnm", "ppm", "pgm", "pbm",
    ]
};

/// True for files and folders that systems and editors leave beside images: names that begin with a dot
/// (`.ipynb_checkpoints`, `._photo.jpg`), `__MACOSX`, `Thumbs.db` and `desktop.ini`, in any case.
pub fn is_hidden(path: &Path) -> bool {
    let Some(name) = path.file_name().map(OsStr::to_string_lossy) else {
        return false;
    };
    let left = ["__macosx", "thumbs.db", "desktop.ini"];
    name.starts_with('.') || left.contains(&name.to_lowercase().as_str())
}

/// The ending of a file's name in lower case, without its dot; empty without one.
pub fn ending(path: &Path) -> String {
    let ending = path.extension().map(OsStr::to_string_lossy);
    ending.map_or_else(String::new, |ending| ending.to_lowercase())
}

/// True when the file's name is not hidden and has one of [`IMAGE_ENDINGS`], in any case.
pub fn is_named_image(path: &Path) -> bool {
    !is_hidden(path) && IMAGE_ENDINGS.contains(&ending(path).as_str())
}

/// A class name as it is compared: in Unicode's form NFC. macOS gives the names of folders decomposed (NFD), and lists
/// that people type are composed, so that one name has two spellings.
pub fn normalised(name: &str) -> String {
    name.nfc().collect()
}

#[cfg(test)]
mod tests;
