//! What a comparison says, and the exit code that stands for it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a comparison says, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The candidate holds the policy.
    Pass,
    /// The images cannot tell.
    Inconclusive,
    /// The candidate does not hold the policy.
    Fail,
    /// Nothing could be compared.
    Error,
}

impl Verdict {
    /// Exit code of a command: 0 holds, 1 does not, 2 could not check, 3 cannot tell.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Fail => 1,
            Self::Error => 2,
            Self::Inconclusive => 3,
        }
    }

    /// `pass`, `inconclusive`, `fail` or `error`.
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
