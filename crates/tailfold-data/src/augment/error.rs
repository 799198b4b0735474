//! Errors of an augmentation.

/// An augmentation value is out of range.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("augment.{field} is {value}, expected {expected}")]
pub struct AugmentError {
    /// Name of the field.
    pub field: &'static str,
    /// Value found.
    pub value: String,
    /// Accepted values.
    pub expected: &'static str,
}
