//! A prior in a JSON file: one mass per class, as a list in label order or an object by class name.

mod error;

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use crate::offsets::Prior;
use crate::{artifact, repeated_names};
pub use error::{PriorError, PriorErrorKind};

/// The two accepted forms of the file.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Given {
    List(Vec<Value>),
    Named(Entries),
    Other(IgnoredAny),
}

/// An object's entries in file order, including repeated names.
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
    /// Reads the masses of `classes`, in label order. Masses are positive numbers of any sum, so class counts are
    /// valid too.
    ///
    /// # Errors
    /// [`PriorError`] naming the file, and the class if one class is at fault.
    pub fn read(path: &Path, classes: &[String]) -> Result<Self, PriorError> {
        let given = serde_json::from_slice(&artifact::read(path)?);
        let given = given.map_err(|source| {
            PriorErrorKind::Format
                .error(format!("{} is not JSON", path.display()))
                .caused_by(source)
        })?;
        let number = |value: Option<&Value>, class: &String| {
            let mass = value.and_then(Value::as_f64);
            mass.ok_or_else(|| {
                PriorErrorKind::Classes.error(format!(
                    "{} has no mass for class `{class}`",
                    path.display()
                ))
            })
        };
        let masses: Result<Vec<f64>, _> = match &given {
            Given::List(list) if list.len() != classes.len() => {
                return Err(PriorErrorKind::Classes.error(format!(
                    "{} has {found} masses, the model {classes} classes",
                    path.display(),
                    found = list.len(),
                    classes = classes.len()
                )));
            }
            Given::List(list) => list
                .iter()
                .zip(classes)
                .map(|(value, class)| number(Some(value), class))
                .collect(),
            Given::Named(Entries(entries)) => {
                if let Some(&(first, second)) = repeated_names(classes).first() {
                    return Err(PriorErrorKind::Classes.error(format!(
                        "{} gives masses by name, but classes {first} and {second} are both named \
                         `{class}`: give a list in label order",
                        path.display(),
                        class = classes[first]
                    )));
                }
                let mut map = HashMap::new();
                for (class, value) in entries {
                    let (path, name) = (path.to_owned(), class.clone());
                    if !classes.contains(class) {
                        return Err(PriorErrorKind::Classes.error(format!(
                            "{} names class `{name}`, which the model does not have",
                            path.display()
                        )));
                    }
                    if map.insert(class, value).is_some() {
                        return Err(PriorErrorKind::Classes.error(format!(
                            "{} has more than one mass for class `{name}`",
                            path.display()
                        )));
                    }
                }
                let values = classes.iter().map(|class| (map.get(class), class));
                values
                    .map(|(value, class)| number(value.copied(), class))
                    .collect()
            }
            Given::Other(IgnoredAny) => {
                return Err(PriorErrorKind::Format.error(format!(
                    "{} is neither a list nor an object of masses",
                    path.display()
                )));
            }
        };
        let masses: Vec<f64> = masses?;
        check(&masses, path, classes)?;
        Ok(Self::Masses(masses))
    }
}

/// Checks that every class has a positive share of the sum.
fn check(masses: &[f64], path: &Path, classes: &[String]) -> Result<(), PriorError> {
    let sum: f64 = masses.iter().sum();
    for (class, &mass) in classes.iter().zip(masses) {
        let (path, class) = (path.to_owned(), class.clone());
        if mass <= 0.0 {
            return Err(PriorErrorKind::Mass.error(format!(
                "{} gives class `{class}` the mass {mass}, expected a positive number",
                path.display()
            )));
        }
        // A subnormal share has too few significant digits for a target mass.
        if !(mass / sum).is_normal() {
            return Err(PriorErrorKind::Mass.error(format!(
                "{} gives class `{class}` the mass {mass:e} of {sum:e} in all: the share is too small",
                path.display()
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
