//! A comparison that could not be made, as an object of the same schema.

use std::error::Error;

use serde::Serialize;

use crate::{Report, Verdict};

/// A comparison that could not be made, in the form of a [`Report`] with only the reason.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Unchecked {
    /// Always [`Report::SCHEMA`].
    pub schema: &'static str,
    /// Always [`Verdict::Error`].
    pub verdict: Verdict,
    /// The error and its causes, in one sentence.
    pub reasons: Vec<String>,
}

impl Unchecked {
    /// Creates the report from `error` and its causes.
    pub fn because(error: &dyn Error) -> Self {
        let mut reason = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            reason += &format!(": {error}");
            cause = error.source();
        }
        Self {
            schema: Report::SCHEMA,
            verdict: Verdict::Error,
            reasons: vec![reason],
        }
    }

    /// Returns the error as one JSON object.
    ///
    /// # Panics
    /// Never: every field has a JSON form.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("an error has only fields that JSON can hold")
    }
}
