//! The check that all parts of a configuration share.

use crate::error::{TrainError, TrainErrorKind};

/// `Ok` when `ok`, else an error that names the key, its value and the accepted values.
pub(super) fn ensure(
    ok: bool,
    key: &'static str,
    value: impl ToString,
    expected: &'static str,
) -> Result<(), TrainError> {
    if ok {
        return Ok(());
    }
    let value = value.to_string();
    let text = format!("{key} is {value}, expected {expected}");
    Err(TrainErrorKind::Config.error(text))
}
