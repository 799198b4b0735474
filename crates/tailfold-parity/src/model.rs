//! The model that is compared.

use tailfold_spec::ModelCard;

/// Name, classes and training counts of the compared model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ComparedModel {
    /// Name, which a policy may ask for; empty where it has none.
    pub name: String,
    /// Class names, label order.
    pub classes: Vec<String>,
    /// Training images a class, label order.
    pub train_counts: Vec<u64>,
}

impl ComparedModel {
    /// A model without a name, with class names and training images per class in label order.
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
