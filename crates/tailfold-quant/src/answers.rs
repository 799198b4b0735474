//! Logits of the quantized network that other machines computed.

use serde_json::json;
use tailfold_onnx::Model;
use tailfold_part::Parts;
use tailfold_spec::{Logits, artifact};

use crate::error::QuantError;

/// Logits of the quantized network on all images, from the partial results of other machines.
#[derive(Clone, Debug)]
pub(crate) struct Answers {
    parts: Parts,
    /// Logits of the float network, if no other pass contains them.
    pub(crate) float: Option<Logits>,
    quantized: Logits,
}

impl Answers {
    /// Stores the logits that `parts` contain.
    pub(crate) fn new(parts: Parts, float: Option<Logits>, quantized: Logits) -> Self {
        Self {
            parts,
            float,
            quantized,
        }
    }

    /// Returns the stored logits, after checking that `model` produced them.
    ///
    /// # Errors
    /// [`QuantErrorKind::Part`](crate::QuantErrorKind::Part) when the parts are the logits of another model.
    pub(crate) fn of(&self, model: &Model) -> Result<&Logits, QuantError> {
        let sha256 = artifact::sha256(&model.to_bytes());
        self.parts
            .check_asked(&json!({"earlier_passes_sha256": sha256}))?;
        Ok(&self.quantized)
    }
}
