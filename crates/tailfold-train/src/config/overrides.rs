//! Values given beside a configuration file: `optimizer.learning_rate=0.3`.

use std::path::Path;

use tailfold_spec::artifact;
use toml::{Table, Value};

use super::error::ConfigError;
use super::{Suggestion, TrainConfig};

impl TrainConfig {
    /// Reads and checks a configuration file after the values of `given` took the place of the file's.
    ///
    /// Each is `key=value` with a dotted key and a TOML value; what is no TOML value is taken as a string, so `loss=ce`
    /// needs no quotes. `key=` removes the key. Later ones win.
    ///
    /// # Errors
    /// [`ConfigError`] naming the file, the given values, or the key and what it accepts.
    pub fn read_with(path: &Path, given: &[String]) -> Result<Self, ConfigError> {
        let text = artifact::read_to_string(path)?;
        let parse = |source: toml::de::Error| ConfigError::Parse {
            path: path.to_owned(),
            suggestion: Suggestion::from_message(source.message()).map(Box::new),
            source,
        };
        let config: Self = if given.is_empty() {
            // Straight from the text: errors then name the line.
            toml::from_str(&text).map_err(parse)?
        } else {
            let mut table: Table = toml::from_str(&text).map_err(parse)?;
            for one in given {
                set(&mut table, one)?;
            }
            table
                .try_into()
                .map_err(|source: toml::de::Error| ConfigError::ParseGiven {
                    path: path.to_owned(),
                    given: given.join(", "),
                    suggestion: Suggestion::from_message(source.message()).map(Box::new),
                    source: Box::new(source),
                })?
        };
        config.validate()?;
        Ok(config)
    }
}

/// Puts `key=value` into `table`.
fn set(table: &mut Table, given: &str) -> Result<(), ConfigError> {
    let refuse = |why: String| ConfigError::Given {
        given: given.to_owned(),
        why,
    };
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
