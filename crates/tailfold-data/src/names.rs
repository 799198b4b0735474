//! Names of image files, and class names in one Unicode form.

use std::ffi::OsStr;
use std::path::Path;

use unicode_normalization::UnicodeNormalization as _;

/// Endings of the image files in a folder listing, in lower case; GIF and TIFF only with the feature `gif-tiff`.
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

/// Returns whether a file or folder is hidden or was created by a system or editor: its name begins with a dot
/// (`.ipynb_checkpoints`, `._photo.jpg`) or is `__MACOSX`, `Thumbs.db` or `desktop.ini` in any letter case.
pub fn is_hidden(path: &Path) -> bool {
    let Some(name) = path.file_name().map(OsStr::to_string_lossy) else {
        return false;
    };
    let left = ["__macosx", "thumbs.db", "desktop.ini"];
    name.starts_with('.') || left.contains(&name.to_lowercase().as_str())
}

/// Returns the ending of a file's name in lower case, without the dot; empty if the name has none.
pub fn ending(path: &Path) -> String {
    let ending = path.extension().map(OsStr::to_string_lossy);
    ending.map_or_else(String::new, |ending| ending.to_lowercase())
}

/// Returns whether the file is not hidden and its name has one of [`IMAGE_ENDINGS`], in any letter case.
pub fn is_named_image(path: &Path) -> bool {
    !is_hidden(path) && IMAGE_ENDINGS.contains(&ending(path).as_str())
}

/// Returns a class name in Unicode's form NFC, so that names can be compared.
///
/// macOS decomposes folder names (NFD) while typed lists are composed (NFC), so the same name can have two spellings.
pub fn normalised(name: &str) -> String {
    name.nfc().collect()
}

#[cfg(test)]
mod tests;
