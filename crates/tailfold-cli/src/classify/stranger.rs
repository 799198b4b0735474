//! What a model without metadata does not say.

use std::path::PathBuf;

use anyhow::ensure;
use tailfold_runtime::Preparation;
use tailfold_spec::artifact;

/// For models without metadata.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Models without metadata")]
pub(crate) struct Stranger {
    /// Class names, one a line, in the order of the outputs.
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// Means of the channels on the 0..1 scale: `0.485,0.456,0.406`.
    #[arg(long, value_delimiter = ',')]
    mean: Option<Vec<f32>>,
    /// Standard deviations of the channels on the 0..1 scale.
    #[arg(long, value_delimiter = ',')]
    std: Option<Vec<f32>>,
    /// Length of the shorter side before the centre crop, in pixels; images of another size are refused without it and
    /// without --fit.
    #[arg(long, value_name = "PIXELS")]
    short_side: Option<u32>,
}

impl Stranger {
    /// As the library wants it.
    pub(super) fn preparation(&self) -> anyhow::Result<Preparation> {
        let labels = match &self.labels {
            None => None,
            Some(path) => {
                let text = artifact::read_to_string(path)?;
                let labels: Vec<String> = text.lines().map(|line| line.trim().to_owned()).collect();
                let empty = labels.iter().position(String::is_empty);
                ensure!(!labels.is_empty(), "{} names no class", path.display());
                if let Some(line) = empty {
                    anyhow::bail!("{}, line {}: no name", path.display(), line + 1);
                }
                Some(labels)
            }
        };
        Ok(Preparation {
            labels,
            mean: self.mean.clone(),
            std: self.std.clone(),
            short_side: self.short_side,
        })
    }
}
