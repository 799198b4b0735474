//! The kinds of runs that can be split into shards.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The command, or the calibration pass, that a part belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// `tailfold evaluate`.
    Evaluate,
    /// `tailfold logits`.
    Logits,
    /// `tailfold parity`.
    Parity,
    /// The first calibration pass: the range of every activation.
    Ranges,
    /// The second calibration pass: windows of every layer's input.
    Windows,
    /// The third calibration pass: the outputs of the quantized network.
    Answers,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Evaluate => "evaluate",
            Self::Logits => "logits",
            Self::Parity => "parity",
            Self::Ranges => "ranges",
            Self::Windows => "windows",
            Self::Answers => "answers",
        })
    }
}
