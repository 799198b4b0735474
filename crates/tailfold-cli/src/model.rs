//! The model that a command runs, and what computes.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::ensure;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use tailfold_data::{DataSpec, Dataset};
use tailfold_runtime::{Backend, LoadedModel, Network, NodeRun, Options, float_layers};
use tailfold_spec::{CardParts, ModelCard};

use crate::describe_args::Describe;
use crate::output::say;

/// What computes, on the command line.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Runtime {
    /// Back end.
    #[arg(long, value_parser = backends(), default_value_t)]
    pub(crate) backend: Backend,
    #[command(flatten)]
    pub(crate) ort: Ort,
}

/// For the back ends of ONNX Runtime.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "ONNX Runtime and TensorRT")]
pub(crate) struct Ort {
    /// ONNX Runtime's library, for the back ends ort, cuda, tensorrt and tensorrt-rtx. Without it: `ORT_DYLIB_PATH`, then
    /// beside this program, then what `cargo xtask ort install` installed.
    #[arg(long, value_name = "FILE")]
    pub(crate) ort_library: Option<PathBuf>,
    /// Let ONNX Runtime's sums of codes saturate where the processor has no VNNI, as it does by itself: faster, and wrong where
    /// weights are large.
    #[arg(long)]
    pub(crate) ort_saturating: bool,
    /// Folder for TensorRT's engines; in the user's cache without it.
    #[arg(long, value_name = "DIR")]
    pub(crate) engine_cache: Option<PathBuf>,
}

impl Ort {
    /// As another process of this program takes it.
    pub(crate) fn arguments(&self) -> Vec<OsString> {
        let mut arguments = Vec::new();
        for (flag, value) in [
            ("--ort-library", &self.ort_library),
            ("--engine-cache", &self.engine_cache),
        ] {
            if let Some(value) = value {
                arguments.extend([flag.into(), value.clone().into()]);
            }
        }
        if self.ort_saturating {
            arguments.push("--ort-saturating".into());
        }
        arguments
    }
}

impl Runtime {
    /// As the library wants it.
    pub(crate) fn options(&self, threads: u16) -> Options {
        Options {
            threads: threads.into(),
            ort_library: self.ort.ort_library.clone(),
            engine_cache: self.ort.engine_cache.clone(),
            ort_saturating: self.ort.ort_saturating,
            tell: say,
        }
    }

    /// The model file `path`, ready to run, one thread per image; `describe` says what it does not say itself.
    pub(crate) fn load(&self, path: &Path, describe: &Describe) -> anyhow::Result<LoadedModel> {
        let description = describe.description()?;
        let options = self.options(1);
        Ok(LoadedModel::open_described(
            path,
            &description,
            self.backend,
            &options,
        )?)
    }

    /// The same for a command with labelled images: a model that names no classes has those of `data`, in their order.
    pub(crate) fn load_for(
        &self,
        path: &Path,
        describe: &Describe,
        data: &Dataset,
    ) -> anyhow::Result<LoadedModel> {
        let mut description = describe.description()?;
        let network = Network::open(path, &description.options, self.backend, &self.options(1))?;
        let props = network.opened.model.props();
        let named = ModelCard::is_in(&props) || CardParts::from_props(&props)?.classes.is_some();
        if !named && description.labels.is_none() {
            description.labels = Some(data.classes().to_vec());
        }
        Ok(network.described(&description, &path.display().to_string())?)
    }
}

/// The data set `spec`; one warning line says what a folder left out.
pub(crate) fn open_data(spec: &DataSpec) -> anyhow::Result<Dataset> {
    let data = Dataset::open(spec)?;
    let left_out = data.left_out().without_hidden();
    if !left_out.is_empty() {
        say(&format!("warning: {spec} leaves out {left_out}"));
    }
    Ok(data)
}

/// Names of the back ends.
pub(crate) fn backends() -> impl TypedValueParser<Value = Backend> {
    PossibleValuesParser::new(Backend::ALL.map(Backend::name)).try_map(|name| name.parse())
}

/// Fails when a layer with weights is left to float arithmetic.
pub(crate) fn require_integer(nodes: &[NodeRun]) -> anyhow::Result<()> {
    let float = float_layers(nodes);
    ensure!(
        !nodes.is_empty() && float.is_empty(),
        "not all layers run with integers: {} in float ({})",
        float.len(),
        float.join(", ")
    );
    Ok(())
}
