//! A policy that cannot be read or applied.

use std::path::PathBuf;

use tailfold_spec::artifact::ArtifactError;

/// A policy that cannot be read or applied.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The file is missing or unreadable.
    #[error(transparent)]
    File(#[from] ArtifactError),
    /// Not a policy.
    #[error("{} is not a parity policy", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: toml::de::Error,
    },
    /// A value out of its range.
    #[error("policy.{field} is {value}, expected {expected}")]
    Range {
        /// Field.
        field: String,
        /// Value found.
        value: f64,
        /// What is accepted.
        expected: &'static str,
    },
    /// Tolerances without a reason.
    #[error("policy.backends.{backend} gives no reason for its tolerances")]
    NoReason {
        /// The back end.
        backend: String,
    },
    /// A value out of its range, in a file.
    #[error("{}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<PolicyError>,
    },
}

/// Fails with the field's name where `ok` is not true; NaN never is.
pub(super) fn check(
    field: &str,
    value: f64,
    ok: bool,
    expected: &'static str,
) -> Result<(), PolicyError> {
    if ok {
        Ok(())
    } else {
        Err(PolicyError::Range {
            field: field.to_owned(),
            value,
            expected,
        })
    }
}

/// A margin of zero is refused: no number of images could show that two equal models lose nothing.
pub(super) fn margin(field: &str, margin: Option<f64>) -> Result<(), PolicyError> {
    margin.map_or(Ok(()), |margin| {
        let ok = margin > 0.0 && margin <= 100.0;
        check(
            field,
            margin,
            ok,
            "more than 0 and at most 100 percentage points",
        )
    })
}

pub(super) fn share(field: &str, share: Option<f64>) -> Result<(), PolicyError> {
    share.map_or(Ok(()), |share| {
        check(field, share, (0.0..=1.0).contains(&share), "0 to 1")
    })
}

pub(super) fn distance(field: &str, distance: Option<f64>) -> Result<(), PolicyError> {
    distance.map_or(Ok(()), |distance| {
        let ok = distance.is_finite() && distance >= 0.0;
        check(field, distance, ok, "a finite number, not negative")
    })
}
