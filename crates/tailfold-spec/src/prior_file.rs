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
}

impl Prior {
    /// Reads the masses of `classes`, in label order. [`Prior::masses`] checks their values.
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
        let masses: Result<_, _> = match &json {
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
        masses.map(Self::Masses)
    }
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
        let missing = Prior::read(Path::new("missing.json"), &[]).unwrap_err();
        assert!(missing.to_string().contains("missing.json"), "{missing}");
    }
}
