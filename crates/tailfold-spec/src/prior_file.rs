//! A prior in a JSON file: one mass a class, as a list in label order or an object by class name.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::artifact::{self, ArtifactError};
use crate::offsets::Prior;

/// A file that is no prior of the model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PriorError {
    /// Missing or unreadable.
    #[error(transparent)]
    File(#[from] ArtifactError),
    /// Not JSON.
    #[error("{} is not JSON", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: serde_json::Error,
    },
    /// JSON of another kind.
    #[error("{} is neither a list nor an object of masses", path.display())]
    Kind {
        /// The file.
        path: PathBuf,
    },
    /// A list for another number of classes.
    #[error("{} has {found} masses, the model {classes} classes", path.display())]
    Length {
        /// The file.
        path: PathBuf,
        /// Masses in the file.
        found: usize,
        /// Classes of the model.
        classes: usize,
    },
    /// A class without a number.
    #[error("{} has no mass for class `{class}`", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// The class.
        class: String,
    },
    /// A name that is no class.
    #[error("{} names class `{class}`, which the model does not have", path.display())]
    Stranger {
        /// The file.
        path: PathBuf,
        /// The name.
        class: String,
    },
    /// A mass that is zero or negative.
    #[error("{} gives class `{class}` the mass {mass}, expected a positive number", path.display())]
    Mass {
        /// The file.
        path: PathBuf,
        /// The class.
        class: String,
        /// Its mass.
        mass: f64,
    },
    /// A share of the sum that no number holds.
    #[error("{} gives class `{class}` the mass {mass}, which is nothing beside a sum of {sum}", path.display())]
    Vanishing {
        /// The file.
        path: PathBuf,
        /// The class.
        class: String,
        /// Its mass.
        mass: f64,
        /// Sum of all masses.
        sum: f64,
    },
}

impl Prior {
    /// Reads the masses of `classes`, in label order: positive numbers of any sum, so counts will do.
    ///
    /// # Errors
    /// [`PriorError`] naming the file, and the class where it is one.
    pub fn read(path: &Path, classes: &[String]) -> Result<Self, PriorError> {
        let json: Value =
            serde_json::from_slice(&artifact::read(path)?).map_err(|source| PriorError::Json {
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
        let masses: Result<Vec<f64>, _> = match &json {
            Value::Array(list) if list.len() != classes.len() => {
                return Err(PriorError::Length {
                    path: path.to_owned(),
                    found: list.len(),
                    classes: classes.len(),
                });
            }
            Value::Array(list) => list
                .iter()
                .zip(classes)
                .map(|(value, class)| number(Some(value), class))
                .collect(),
            Value::Object(map) => {
                if let Some(stranger) = map.keys().find(|name| !classes.contains(name)) {
                    return Err(PriorError::Stranger {
                        path: path.to_owned(),
                        class: stranger.clone(),
                    });
                }
                classes
                    .iter()
                    .map(|class| number(map.get(class), class))
                    .collect()
            }
            _ => {
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
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Prior, PriorError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("prior.json");
        artifact::write(&path, text.as_bytes()).unwrap();
        Prior::read(&path, &["cat".to_owned(), "dog".to_owned()])
    }

    #[test]
    fn a_list_and_an_object_are_read_in_label_order() {
        for text in ["[3, 1]", r#"{"dog": 1.0, "cat": 3.0}"#] {
            assert_eq!(read(text).unwrap(), Prior::Masses(vec![3.0, 1.0]));
        }
    }

    #[test]
    fn what_is_no_prior_says_why() {
        let check = |text: &str, expect: &str| {
            let message = read(text).unwrap_err().to_string();
            assert!(message.ends_with(expect), "{message}, expected {expect}");
        };
        check("[3", "prior.json is not JSON");
        check("3", "prior.json is neither a list nor an object of masses");
        check("[3]", "prior.json has 1 masses, the model 2 classes");
        check("[3, null]", "prior.json has no mass for class `dog`");
        check(r#"{"dog": 1}"#, "prior.json has no mass for class `cat`");
        check(
            r#"{"dog": 1, "cat": 1, "cow": 1}"#,
            "prior.json names class `cow`, which the model does not have",
        );
        check(
            "[0, 1]",
            "prior.json gives class `cat` the mass 0, expected a positive number",
        );
        check(
            r#"{"dog": -0.5, "cat": 1.5}"#,
            "prior.json gives class `dog` the mass -0.5, expected a positive number",
        );
        check("[1, NaN]", "prior.json is not JSON");
        check("[1, 1e999]", "prior.json is not JSON");
        check(r#"[1, "2"]"#, "prior.json has no mass for class `dog`");
        let vanishing = read("[1e300, 1e-300]").unwrap_err().to_string();
        assert!(vanishing.contains("nothing beside a sum of"), "{vanishing}");
        let endless = read("[1e308, 1e308]").unwrap_err().to_string();
        assert!(endless.contains("a sum of inf"), "{endless}");
        let missing = Prior::read(Path::new("missing.json"), &[]).unwrap_err();
        assert!(missing.to_string().contains("missing.json"), "{missing}");
    }
}
