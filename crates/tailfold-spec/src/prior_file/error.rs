//! What may be wrong with a file of masses.

use std::path::PathBuf;

use crate::artifact::ArtifactError;

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
    /// A class with two numbers, of which JSON's readers take the one or the other.
    #[error("{} has more than one mass for class `{class}`", path.display())]
    Twice {
        /// The file.
        path: PathBuf,
        /// The class.
        class: String,
    },
    /// A name that two classes of the model have.
    #[error("{} gives masses by name, but classes {first} and {second} are both named `{class}`: give a list in label order", path.display())]
    Ambiguous {
        /// The file.
        path: PathBuf,
        /// The name.
        class: String,
        /// The first class of this name.
        first: usize,
        /// The other class.
        second: usize,
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
