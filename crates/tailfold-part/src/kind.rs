//! The kinds of runs that are shared out.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The run that a part is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// `tailfold evaluate`.
    Evaluate,
    /// `tailfold logits`.
    Logits,
    /// `tailfold parity`.
    Parity,
    /// The first pass of a calibration: what every activation is like.
    Ranges,
    /// The second: windows of every layer's input.
    Windows,
    /// The third: what the quantized network answers.
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
