//! Errors of an augmentation.

/// An augmentation value out of its range.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("augment.{field} is {value}, expected {expected}")]
pub struct AugmentError {
    /// Field.
    pub field: &'static str,
    /// Value found.
    pub value: String,
    /// Accepted values.
    pub expected: &'static str,
}
