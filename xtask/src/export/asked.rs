//! The deployment prior as it was asked for: by name or by file, and the masses that it gives the classes.

use std::path::Path;

use tailfold_spec::{Manifest, OffsetsError, Prior};

/// A prior for the classes of one run.
#[derive(Clone, Debug)]
pub(crate) struct AskedPrior {
    /// `uniform`, `train`, `reversed`, or the file as it was given.
    pub(crate) name: String,
    /// `[classes]`, positive, sum 1.
    pub(crate) masses: Vec<f64>,
}

impl AskedPrior {
    /// The prior called `text`, or the one in the file `text`.
    pub(crate) fn parse(text: &str, manifest: &Manifest) -> anyhow::Result<Self> {
        let prior = match text {
            "uniform" => Prior::Uniform,
            "train" => Prior::Train,
            "reversed" => Prior::Reversed,
            path => Prior::read(Path::new(path), &manifest.classes)?,
        };
        let masses = prior.masses(&manifest.train_counts).map_err(|error| {
            let class = match &error {
                OffsetsError::Value { class, .. } => manifest.classes.get(*class),
                _ => None,
            };
            let place = class.map_or_else(String::new, |name| format!(", class `{name}`"));
            anyhow::Error::new(error).context(format!("prior `{text}`{place}"))
        });
        Ok(Self {
            name: text.to_owned(),
            masses: masses?,
        })
    }
}
