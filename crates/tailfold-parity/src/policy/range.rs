//! Checks of the values of a policy.

use crate::{ParityError, ParityErrorKind};

/// Fails with the field's name unless `ok` is true. Comparisons with NaN are false, so NaN fails.
pub(super) fn check(
    field: &str,
    value: f64,
    ok: bool,
    expected: &'static str,
) -> Result<(), ParityError> {
    if ok {
        Ok(())
    } else {
        Err(ParityErrorKind::Policy
            .error(format!("policy.{field} is {value}, expected {expected}")))
    }
}

/// Refuses a margin of zero, because no number of images could show that two equal models lose nothing.
pub(super) fn margin(field: &str, margin: Option<f64>) -> Result<(), ParityError> {
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

pub(super) fn share(field: &str, share: Option<f64>) -> Result<(), ParityError> {
    share.map_or(Ok(()), |share| {
        check(field, share, (0.0..=1.0).contains(&share), "0 to 1")
    })
}

pub(super) fn distance(field: &str, distance: Option<f64>) -> Result<(), ParityError> {
    distance.map_or(Ok(()), |distance| {
        let ok = distance.is_finite() && distance >= 0.0;
        check(field, distance, ok, "a finite number, not negative")
    })
}
