//! Values that override a configuration file: `optimizer.learning_rate=0.3`.

use std::path::Path;

use tailfold_spec::artifact;
use toml::{Table, Value};

use super::TrainConfig;
use super::suggest::Suggestion;
use crate::error::{TrainError, TrainErrorKind};

impl TrainConfig {
    /// Reads a configuration file, overrides its values with `given`, and checks the result.
    ///
    /// Each entry is `key=value` with a dotted key and a TOML value. A value that is not valid TOML is taken as a string,
    /// so `loss=ce` needs no quotes. `key=` removes the key. Later entries override earlier ones.
    ///
    /// # Errors
    /// [`TrainError`] naming the file, the given values, or the key and the accepted values.
    pub fn read_with(path: &Path, given: &[String]) -> Result<Self, TrainError> {
        let text = artifact::read_to_string(path)?;
        let parse = |source| not_a_configuration(path.display().to_string(), source);
        let config: Self = if given.is_empty() {
            // Straight from the text: errors then name the line.
            toml::from_str(&text).map_err(parse)?
        } else {
            let mut table: Table = toml::from_str(&text).map_err(parse)?;
            for one in given {
                set(&mut table, one)?;
            }
            let place = format!("{} with {}", path.display(), given.join(", "));
            table
                .try_into()
                .map_err(|source| not_a_configuration(place, source))?
        };
        config.validate()?;
        Ok(config)
    }
}

/// The error for TOML with a wrong type or an unknown key; its cause names the key, and the line in a file.
fn not_a_configuration(place: String, source: toml::de::Error) -> TrainError {
    let suggestion = Suggestion::from_message(source.message());
    let suggestion = suggestion.map_or_else(String::new, |s| format!(" ({s})"));
    TrainErrorKind::Config
        .error(format!(
            "{place} is not a training configuration{suggestion}"
        ))
        .caused_by(source)
}

/// Puts `key=value` into `table`.
fn set(table: &mut Table, given: &str) -> Result<(), TrainError> {
    let refuse = |why: String| TrainErrorKind::Config.error(why).at(format!("`{given}`"));
    let (key, value) = given
        .split_once('=')
        .ok_or_else(|| refuse("expected key=value".to_owned()))?;
    let mut path: Vec<&str> = key.trim().split('.').collect();
    let last = path.pop().unwrap_or_default();
    if last.is_empty() || path.iter().any(|part| part.is_empty()) {
        return Err(refuse("a part of the key is empty".to_owned()));
    }
    let mut inner = table;
    for part in path {
        let entry = inner
            .entry(part)
            .or_insert_with(|| Value::Table(Table::new()));
        inner = entry
            .as_table_mut()
            .ok_or_else(|| refuse(format!("`{part}` is a value, not a table")))?;
    }
    let value = value.trim();
    if value.is_empty() {
        inner
            .remove(last)
            .ok_or_else(|| refuse(format!("there is no `{last}` to remove")))?;
    } else {
        let value = value
            .parse()
            .unwrap_or_else(|_| Value::String(value.to_owned()));
        inner.insert(last.to_owned(), value);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
