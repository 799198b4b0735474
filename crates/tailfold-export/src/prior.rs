//! A deployment prior by name or from a file, and the masses that it gives the classes.

use std::path::Path;

use tailfold_spec::{OffsetsError, Prior};

use crate::{ErrorKind, ExportError, Unfolded};

/// A deployment prior for the classes of one model.
#[derive(Clone, Debug)]
pub struct AskedPrior {
    /// `uniform`, `train`, `reversed`, or the file as it was given.
    pub name: String,
    /// Mass of each class, `[classes]`, positive, sum 1.
    pub masses: Vec<f64>,
}

impl AskedPrior {
    /// Returns the prior called `text`, or the prior in the file `text`.
    ///
    /// # Errors
    /// [`ErrorKind::Prior`], naming the prior and the class; `train` and `reversed` need the training counts of the
    /// model.
    pub fn parse(text: &str, model: &Unfolded) -> Result<Self, ExportError> {
        let prior = match text {
            "uniform" => Prior::Uniform,
            "train" => Prior::Train,
            "reversed" => Prior::Reversed,
            path => Prior::read(Path::new(path), &model.card().classes)?,
        };
        let by_counts = matches!(prior, Prior::Train | Prior::Reversed);
        if by_counts && model.train_counts().is_none() {
            return Err(ErrorKind::Prior.error(format!(
                "prior `{text}`: the number of training images of each class is unknown"
            )));
        }
        let counts = &model.card().train_counts;
        let masses = prior.masses(counts).map_err(|error| {
            let class = match &error {
                OffsetsError::Value { class, .. } => model.card().classes.get(*class),
                _ => None,
            };
            let place = class.map_or_else(String::new, |name| format!(", class `{name}`"));
            let why = ErrorKind::Prior.error(error.to_string());
            why.at(format!("prior `{text}`{place}"))
        });
        Ok(Self {
            name: text.to_owned(),
            masses: masses?,
        })
    }
}
