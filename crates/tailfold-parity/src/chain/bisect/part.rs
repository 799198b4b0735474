//! Kinds of exchangeable parts of a network.

use serde::Serialize;

/// Kind of a part that can be exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// A node with its weights.
    Node,
    /// Scale and zero point of a tensor.
    Codes,
}

impl Part {
    /// Returns the part in words, such as "the node `conv1`" or "the codes of `relu1`".
    pub fn words(self, name: &str) -> String {
        match self {
            Self::Node => format!("the node `{name}`"),
            Self::Codes => format!("the codes of `{name}`"),
        }
    }
}
