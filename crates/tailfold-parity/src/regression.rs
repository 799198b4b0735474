//! Allowed loss of a later run.

use serde::{Deserialize, Serialize};

/// Allowed loss of a later run against the accepted run. Other kernels change some decisions; a larger loss is a
/// regression.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Regression {
    /// Loss of the candidate's overall accuracy, percentage points.
    pub overall_pp: f64,
    /// Loss of the candidate's accuracy in a group, percentage points.
    pub group_pp: f64,
    /// Loss of top-1 agreement between candidate and reference, percentage points.
    pub agreement_pp: f64,
}

impl Default for Regression {
    fn default() -> Self {
        Self {
            overall_pp: 0.2,
            group_pp: 0.5,
            agreement_pp: 0.5,
        }
    }
}

impl Regression {
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
