//! Progress of an export.

/// A step of the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// The network starts to run on images.
    Scoring {
        /// The data spec.
        data: &'a str,
        /// Number of images.
        images: usize,
    },
    /// The network ran on one more image.
    Image,
    /// The network ran on all images.
    Scored,
}
