//! The verdict of a comparison, and its exit code.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The verdict of a comparison, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The candidate meets the policy.
    Pass,
    /// The images are not enough to decide.
    Inconclusive,
    /// The candidate does not meet the policy.
    Fail,
    /// Nothing could be compared.
    Error,
}

impl Verdict {
    /// Exit code of a command: 0 for pass, 1 for fail, 2 for error, 3 for inconclusive.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Fail => 1,
            Self::Error => 2,
            Self::Inconclusive => 3,
        }
    }

    /// Returns `pass`, `inconclusive`, `fail` or `error`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Inconclusive => "inconclusive",
            Self::Fail => "fail",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
