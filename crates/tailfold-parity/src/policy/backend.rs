//! Tolerances of one back end.

use serde::{Deserialize, Serialize};

use super::{GroupMargins, Policy, range};
use crate::{ParityError, ParityErrorKind};

/// Tolerances of a back end that replace the policy's own, and the reason for them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct BackendPolicy {
    /// Why this back end has its own tolerances; must not be empty.
    pub reason: String,
    /// See [`Policy::overall_margin_pp`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overall_margin_pp: Option<f64>,
    /// See [`Policy::group_margin_pp`]; all three are replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_margin_pp: Option<GroupMargins>,
    /// See [`Policy::min_retained`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_retained: Option<f64>,
    /// See [`Policy::max_tie_rate`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tie_rate: Option<f64>,
    /// See [`Policy::min_agreement`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_agreement: Option<f64>,
    /// See [`Policy::max_abs_logit_diff`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_abs_logit_diff: Option<f64>,
}

impl BackendPolicy {
    pub(super) fn validate(&self, name: &str) -> Result<(), ParityError> {
        if self.reason.trim().is_empty() {
            return Err(ParityErrorKind::Policy.error(format!(
                "policy.backends.{name} gives no reason for its tolerances"
            )));
        }
        let field = |field: &str| format!("backends.{name}.{field}");
        range::margin(&field("overall_margin_pp"), self.overall_margin_pp)?;
        if let Some(margins) = self.group_margin_pp {
            margins.validate(&field("group_margin_pp"))?;
        }
        range::share(&field("min_retained"), self.min_retained)?;
        range::share(&field("max_tie_rate"), self.max_tie_rate)?;
        range::share(&field("min_agreement"), self.min_agreement)?;
        range::distance(&field("max_abs_logit_diff"), self.max_abs_logit_diff)
    }
}

impl Policy {
    /// Returns the policy for `backend`, with the back end's own tolerances if it has any. The result keeps the entry
    /// of this back end only, so that a report shows the reason.
    #[must_use]
    pub fn on_backend(&self, backend: &str) -> Self {
        let mut policy = self.clone();
        policy.backends.retain(|name, _| name == backend);
        let Some(own) = self.backends.get(backend) else {
            return policy;
        };
        policy.overall_margin_pp = own.overall_margin_pp.unwrap_or(policy.overall_margin_pp);
        policy.group_margin_pp = own.group_margin_pp.unwrap_or(policy.group_margin_pp);
        policy.min_retained = own.min_retained.unwrap_or(policy.min_retained);
        policy.max_tie_rate = own.max_tie_rate.unwrap_or(policy.max_tie_rate);
        policy.min_agreement = own.min_agreement.or(policy.min_agreement);
        policy.max_abs_logit_diff = own.max_abs_logit_diff.or(policy.max_abs_logit_diff);
        policy
    }
}
