//! An image on its way to the classifier.

use std::path::PathBuf;

use tailfold_data::Pixels;

/// An image that is to be classified.
pub(super) struct Item {
    /// File, or the stream and the number of the image in it.
    pub(super) name: String,
    pub(super) content: Content,
}

/// Content of the image, or the reason why it is missing.
pub(super) enum Content {
    /// An image file, not read yet.
    File(PathBuf),
    /// The bytes of an image file.
    Encoded(Vec<u8>),
    /// The decoded image.
    Pixels(Pixels),
    /// No image, for this reason.
    Failed(anyhow::Error),
}

impl Item {
    pub(super) fn file(path: PathBuf) -> Self {
        Self {
            name: path.display().to_string(),
            content: Content::File(path),
        }
    }
}
