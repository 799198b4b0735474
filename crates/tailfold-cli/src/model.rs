//! The model that a command runs, and what computes.

use std::path::Path;

use anyhow::ensure;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use tailfold_runtime::{Backend, LoadedModel, Options};

/// What computes, on the command line.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Runtime {
    /// Back end.
    #[arg(long, value_parser = backends(), default_value_t)]
    pub(crate) backend: Backend,
}

impl Runtime {
    /// As the library wants it.
    pub(crate) fn options(&self, threads: u16) -> Options {
        Options {
            threads: threads.into(),
        }
    }

    /// The model file `path`, ready to run, a thread an image.
    pub(crate) fn load(&self, path: &Path) -> anyhow::Result<LoadedModel> {
        Ok(LoadedModel::open(path, self.backend, &self.options(1))?)
    }
}

/// Names of the back ends.
pub(crate) fn backends() -> impl TypedValueParser<Value = Backend> {
    PossibleValuesParser::new(Backend::ALL.map(Backend::name)).try_map(|name| name.parse())
}

/// Fails when a layer with weights is left to float arithmetic.
pub(crate) fn require_integer(model: &LoadedModel) -> anyhow::Result<()> {
    let float = model.float_layers();
    ensure!(
        !model.nodes.is_empty() && float.is_empty(),
        "not all layers run with integers: {} in float ({})",
        float.len(),
        float.join(", ")
    );
    Ok(())
}
