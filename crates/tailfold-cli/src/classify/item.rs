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
    /// A file, to be read.
    File(PathBuf),
    /// Encoded.
    Encoded(Vec<u8>),
    /// Decoded.
    Pixels(Pixels),
    /// Nothing, and why.
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
