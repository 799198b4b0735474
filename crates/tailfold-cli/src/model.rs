//! Loads the model of a command on the requested back end.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use tailfold::{Backend, Description, LoadedModel, ModelFile, NodeRun, Options, float_layers};
use tailfold_console::say;
use tailfold_data::{DataSpec, Dataset};
use tailfold_spec::OutputCheck;

/// Options for the back end.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Runtime {
    /// Back end that runs the model.
    #[arg(long, value_parser = backends(), default_value_t)]
    pub(crate) backend: Backend,
    #[command(flatten)]
    pub(crate) ort: Ort,
}

/// Options of ONNX Runtime's back ends.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "ONNX Runtime and TensorRT")]
pub(crate) struct Ort {
    /// ONNX Runtime's library, for the back ends ort, cuda, tensorrt and tensorrt-rtx. Default: `ORT_DYLIB_PATH`, then
    /// the folder of this program, then the library that `tailfold runtime install` installed.
    #[arg(long, value_name = "FILE")]
    pub(crate) ort_library: Option<PathBuf>,
    /// Let ONNX Runtime use saturating INT8 sums on processors without VNNI, as it does by default: faster, but wrong
    /// for large weights.
    #[arg(long)]
    pub(crate) ort_saturating: bool,
    /// Folder for TensorRT's engines. Default: a folder in the user's cache.
    #[arg(long, value_name = "DIR")]
    pub(crate) engine_cache: Option<PathBuf>,
}

impl Ort {
    /// Adds the library to the inputs of `files`.
    pub(crate) fn add_to(&self, files: &mut OutputCheck) {
        let library = self.ort_library.iter();
        library.for_each(|file| files.reads("file of --ort-library", file));
    }

    /// The options as words of a command line, for child processes and reports.
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
    /// The options for the library.
    pub(crate) fn options(&self, threads: u16) -> Options {
        let mut options = Options::default();
        options.threads = threads.into();
        options.ort_library.clone_from(&self.ort.ort_library);
        options.engine_cache.clone_from(&self.ort.engine_cache);
        options.ort_saturating = self.ort.ort_saturating;
        options.tell = say;
        options
    }

    /// Loads the model file `path` with one thread per image; `description` fills the gaps in its metadata.
    pub(crate) fn load(
        &self,
        path: &Path,
        description: &Description,
    ) -> anyhow::Result<LoadedModel> {
        let options = self.options(1);
        Ok(LoadedModel::open_described(
            path,
            description,
            self.backend,
            &options,
        )?)
    }

    /// Loads the model file `path` for a command with labelled images: a model without class names takes the class names
    /// of `data`, in label order.
    pub(crate) fn load_for(
        &self,
        path: &Path,
        description: &Description,
        data: &Dataset,
    ) -> anyhow::Result<LoadedModel> {
        let file = ModelFile::read(path, &description.options)?;
        let description = description.or_classes(&file.opened, data.classes());
        let description = description.with_context(|| file.name.clone())?;
        Ok(file.load(&description, self.backend, &self.options(1))?)
    }
}

/// Opens the data set `spec`; one warning line counts the files that a folder listing skipped, hidden files excepted.
pub(crate) fn open_data(spec: &DataSpec) -> anyhow::Result<Dataset> {
    let data = Dataset::open(spec)?;
    let left_out = data.left_out().without_hidden();
    if !left_out.is_empty() {
        say(&format!(
            "warning: {spec}: files that are not images: {left_out}"
        ));
    }
    Ok(data)
}

/// Returns a parser of back-end names.
pub(crate) fn backends() -> impl TypedValueParser<Value = Backend> {
    PossibleValuesParser::new(Backend::ALL.map(Backend::name)).try_map(|name| name.parse())
}

/// Fails if a layer with weights runs in float.
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
