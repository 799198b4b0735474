//! Finds the first field in which the preprocessing of two models differs.

use std::fmt;

use serde_json::Value;
use tailfold_spec::ModelCard;

/// A preprocessing field in which two models differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    field: String,
    reference: String,
    candidate: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "preprocess.{} is {} in the reference and {} in the candidate",
            self.field, self.reference, self.candidate
        )
    }
}

/// Returns the first field that differs, with both values in their JSON form. Fields that are added later are
/// compared too.
pub(super) fn difference(reference: &ModelCard, candidate: &ModelCard) -> Option<Difference> {
    let fields = |card: &ModelCard| match serde_json::to_value(&card.preprocess) {
        Ok(Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    let (a, b) = (fields(reference), fields(candidate));
    let differs = |field: &&String| a.get(*field) != b.get(*field);
    let field = a.keys().chain(b.keys()).find(differs)?;
    let value = |side: &serde_json::Map<String, Value>| {
        side.get(field)
            .map_or_else(|| "not set".to_owned(), Value::to_string)
    };
    Some(Difference {
        reference: value(&a),
        candidate: value(&b),
        field: field.clone(),
    })
}
