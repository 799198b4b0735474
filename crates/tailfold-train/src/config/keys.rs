//! The keys of a training configuration, from its types and their doc comments: a JSON schema, and a page in Markdown.

mod markdown;
mod tables;

use schemars::schema_for;
use serde_json::Value;

use super::TrainConfig;

/// The JSON schema of a training configuration, for editors.
pub fn keys_json_schema() -> Value {
    schema_for!(TrainConfig).to_value()
}

/// Every key of a training configuration with its type, default and meaning, as a page in Markdown.
pub fn keys_markdown() -> String {
    markdown::page(&tables::tables(&keys_json_schema()))
}
