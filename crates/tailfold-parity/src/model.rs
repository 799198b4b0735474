//! The compared model.

use tailfold_spec::ModelCard;

/// Name, classes and training counts of the compared model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ComparedModel {
    /// Name, which a policy may require; empty for a model without a name.
    pub name: String,
    /// Class names, in label order.
    pub classes: Vec<String>,
    /// Number of training images per class, in label order.
    pub train_counts: Vec<u64>,
}

impl ComparedModel {
    /// Creates a model without a name, with class names and training images per class in label order.
    pub fn new(classes: Vec<String>, train_counts: Vec<u64>) -> Self {
        Self {
            name: String::new(),
            classes,
            train_counts,
        }
    }
}

impl From<&ModelCard> for ComparedModel {
    fn from(card: &ModelCard) -> Self {
        Self {
            name: card.name.clone(),
            classes: card.classes.clone(),
            train_counts: card.train_counts.clone(),
        }
    }
}
