//! A prior in a JSON file: one mass a class, as a list in label order or an object by class name.

mod error;

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use crate::offsets::Prior;
use crate::{artifact, repeated_names};
pub use error::PriorError;

/// What a file may hold.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Given {
    List(Vec<Value>),
    Named(Entries),
    Other(IgnoredAny),
}

/// An object as it stands, names that repeat and all.
struct Entries(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(Reader)
    }
}

impl Prior {
    /// Reads the masses of `classes`, in label order: positive numbers of any sum, so counts will do.
    ///
    /// # Errors
    /// [`PriorError`] naming the file, and the class where it is one.
    pub fn read(path: &Path, classes: &[String]) -> Result<Self, PriorError> {
        let given = serde_json::from_slice(&artifact::read(path)?);
        let given = given.map_err(|source| PriorError::Json {
            path: path.to_owned(),
            source,
        })?;
        let number = |value: Option<&Value>, class: &String| {
            let mass = value.and_then(Value::as_f64);
            mass.ok_or_else(|| PriorError::Missing {
                path: path.to_owned(),
                class: class.clone(),
            })
        };
        let masses: Result<Vec<f64>, _> = match &given {
            Given::List(list) if list.len() != classes.len() => {
                return Err(PriorError::Length {
                    path: path.to_owned(),
                    found: list.len(),
                    classes: classes.len(),
                });
            }
            Given::List(list) => list
                .iter()
                .zip(classes)
                .map(|(value, class)| number(Some(value), class))
                .collect(),
            Given::Named(Entries(entries)) => {
                if let Some(&(first, second)) = repeated_names(classes).first() {
                    return Err(PriorError::Ambiguous {
                        path: path.to_owned(),
                        class: classes[first].clone(),
                        first,
                        second,
                    });
                }
                let mut map = HashMap::new();
                for (class, value) in entries {
                    let (path, name) = (path.to_owned(), class.clone());
                    if !classes.contains(class) {
                        return Err(PriorError::Stranger { path, class: name });
                    }
                    if map.insert(class, value).is_some() {
                        return Err(PriorError::Twice { path, class: name });
                    }
                }
                let values = classes.iter().map(|class| (map.get(class), class));
                values
                    .map(|(value, class)| number(value.copied(), class))
                    .collect()
            }
            Given::Other(IgnoredAny) => {
                return Err(PriorError::Kind {
                    path: path.to_owned(),
                });
            }
        };
        let masses: Vec<f64> = masses?;
        check(&masses, path, classes)?;
        Ok(Self::Masses(masses))
    }
}

/// Every class has a share of the sum.
fn check(masses: &[f64], path: &Path, classes: &[String]) -> Result<(), PriorError> {
    let sum: f64 = masses.iter().sum();
    for (class, &mass) in classes.iter().zip(masses) {
        let (path, class) = (path.to_owned(), class.clone());
        if mass <= 0.0 {
            return Err(PriorError::Mass { path, class, mass });
        }
        // A subnormal share has lost the digits that a target mass needs.
        if !(mass / sum).is_normal() {
            return Err(PriorError::Vanishing {
                path,
                class,
                mass,
                sum,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
