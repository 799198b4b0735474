//! The model that is compared.

use tailfold_spec::ModelCard;

/// What the comparison has to know about the model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ComparedModel {
    /// Name, which a policy may ask for; empty where it has none.
    pub name: String,
    /// Class names, label order.
    pub classes: Vec<String>,
    /// Training images a class, label order.
    pub train_counts: Vec<u64>,
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
