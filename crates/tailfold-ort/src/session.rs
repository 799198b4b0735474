//! Creates sessions of ONNX Runtime on the requested provider, without fallback to another one.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use ort::ep::{CUDA, ExecutionProviderDispatch, TensorRT};
use ort::session::Session;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};
use tailfold_spec::artifact;

use crate::explain::{explain, library_folders};
use crate::graph::Graph;
use crate::{
    EngineKey, Gpu, Library, OrtError, OrtErrorKind, Provider, default_folder,
    engines::with_engine, placement,
};

/// How to run a model.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The execution provider.
    pub provider: Provider,
    /// Number of threads that share an image, on the CPU.
    pub threads: usize,
    /// Path of ONNX Runtime's library; see [`Library::load`].
    pub library: Option<PathBuf>,
    /// Folder of engines; `None` for [`default_folder`].
    pub engine_cache: Option<PathBuf>,
    /// Lets integer sums saturate on an x86 processor without VNNI, as ONNX Runtime does by default: this is
    /// faster, but wrong if weights are large.
    pub saturating: bool,
    /// Receives the lines of the log output: engine builds and warnings.
    pub tell: fn(&str),
}

impl Setup {
    /// Returns a setup of one thread on the CPU, with the library that is found, and without log output.
    pub fn cpu() -> Self {
        Self {
            provider: Provider::Cpu,
            threads: 1,
            library: None,
            engine_cache: None,
            saturating: false,
            tell: |_| {},
        }
    }
}

/// Everything that is needed to create a session.
pub(crate) struct Recipe {
    pub(crate) setup: Setup,
    pub(crate) library: Library,
    pub(crate) graph: Graph,
    pub(crate) bytes: Vec<u8>,
    pub(crate) name: String,
    /// Whether a session without exact integer sums had to be created; further sessions then skip the exact
    /// mode.
    pub(crate) saturates: AtomicBool,
}

impl Recipe {
    /// Creates a session; a provider that builds engines uses the cached engine.
    pub(crate) fn open(&self) -> Result<Session, OrtError> {
        let provider = self.setup.provider;
        let Some(file) = provider.library() else {
            return self.session(None, None);
        };
        let file = self.provider_library(file)?;
        let gpu = Gpu::first().map_err(|source| {
            OrtErrorKind::Gpu
                .error(format!(
                    "{provider} needs an NVIDIA GPU",
                    provider = provider.name()
                ))
                .caused_by(source)
        })?;
        if !provider.builds_engines() {
            return self.session(Some(&file), None);
        }
        let base = match &self.setup.engine_cache {
            Some(folder) => folder.clone(),
            None => default_folder()?,
        };
        let key = EngineKey {
            provider: provider.name().to_owned(),
            model_sha256: artifact::sha256(&self.bytes),
            builder: builder(&file),
            driver: gpu.driver,
            gpu: gpu.name,
            compute_capability: gpu.compute_capability,
        };
        with_engine(&base, &key, self.setup.tell, |folder| {
            self.session(Some(&file), Some(folder))
        })
    }

    /// Finds the provider's library in the folder of ONNX Runtime's library, or in a Python package next to
    /// ONNX Runtime's package.
    fn provider_library(&self, file: &str) -> Result<PathBuf, OrtError> {
        let beside = self.library.beside(file);
        let packages = self.library.path().ancestors().nth(3);
        let plugin = packages.map(|p| p.join("onnxruntime_ep_nv_tensorrt_rtx").join(file));
        let provider = self.setup.provider;
        std::iter::once(beside)
            .chain(plugin)
            .find(|path| path.is_file())
            .ok_or_else(|| {
                OrtErrorKind::Provider
                    .error(format!(
                        "the ONNX Runtime at {library} has no {ort_name}; install {install}",
                        library = self.library.path().display(),
                        ort_name = provider.ort_name(),
                        install = provider.install()
                    ))
                    .at(provider.name())
            })
    }

    /// Creates a session on the provider, whose library is `file` and whose engines are in `engines`.
    fn session(&self, file: Option<&Path>, engines: Option<&Path>) -> Result<Session, OrtError> {
        let exact = self.setup.provider == Provider::Cpu
            && self.graph.is_quantized
            && !self.setup.saturating
            && !self.saturates.load(Ordering::Relaxed)
            && adds_pairs_in_16_bits();
        let built = match self.built(file, engines, exact) {
            // The exact mode refuses some valid graphs: weights without a zero point, or a constant that two
            // nodes read.
            Err(_) if exact => self.built(file, engines, false).inspect(|_| {
                if !self.saturates.swap(true, Ordering::Relaxed) {
                    (self.setup.tell)(&format!(
                        "warning: {}: ONNX Runtime cannot run this graph with exact integer sums: on this processor they may saturate, which changes the scores",
                        self.name
                    ));
                }
            }),
            built => built,
        };
        built.map_err(|error| {
            let message = error.to_string();
            explain(
                self.setup.provider,
                &self.name,
                self.library.path(),
                &message,
                &library_folders(),
            )
        })
    }

    fn built(
        &self,
        file: Option<&Path>,
        engines: Option<&Path>,
        exact: bool,
    ) -> ort::Result<Session> {
        let mut builder = Session::builder(self.library.environment())?
            .with_optimization_level(GraphOptimizationLevel::All)
            .map_err(plain)?
            .with_intra_threads(self.setup.threads)
            .map_err(plain)?
            .with_inter_threads(1)
            .map_err(plain)?
            .with_config_entry(placement::RECORD, "1")
            .map_err(plain)?;
        if exact {
            builder = builder.with_precise_qmm().map_err(plain)?;
        }
        if let Some(batch) = &self.graph.batch {
            builder = builder.with_dimension_override(batch, 1).map_err(plain)?;
        }
        builder = self.on_provider(builder, file, engines)?;
        builder.commit_from_memory(&self.bytes)
    }

    fn on_provider(
        &self,
        builder: SessionBuilder,
        file: Option<&Path>,
        engines: Option<&Path>,
    ) -> ort::Result<SessionBuilder> {
        let text = |path: Option<&Path>| path.map(|p| p.display().to_string()).unwrap_or_default();
        let provider = self.setup.provider;
        let builder = match provider {
            Provider::Cpu => return Ok(builder),
            Provider::Cuda => with(builder, CUDA::default().build())?,
            Provider::Tensorrt => {
                let options = TensorRT::default()
                    .with_int8(self.graph.is_quantized)
                    .with_fp16(self.graph.is_half)
                    .with_engine_cache(true)
                    .with_engine_cache_path(text(engines))
                    .with_timing_cache(true)
                    .with_timing_cache_path(text(engines));
                with(builder, options.build())?
            }
            Provider::TensorrtRtx => {
                let environment = self.library.environment();
                let file = file.unwrap_or(Path::new(""));
                self.library.register(provider.ort_name(), file)?;
                let devices = environment
                    .devices()
                    .filter(|device| device.ep().is_ok_and(|ep| ep == provider.ort_name()));
                let key = format!("{}.nv_runtime_cache_path", provider.ort_name());
                let options = [(key, text(engines))];
                builder
                    .with_devices(devices, Some(&options))
                    .map_err(plain)?
            }
        };
        builder.with_disable_cpu_fallback().map_err(plain)
    }
}

/// Returns whether ONNX Runtime adds pairs of products in 16 bits on this processor, where they can overflow:
/// x86 without VNNI.
fn adds_pairs_in_16_bits() -> bool {
    cfg_select! {
        target_arch = "x86_64" => {
            !(std::is_x86_feature_detected!("avx512vnni") || std::is_x86_feature_detected!("avxvnni"))
        }
        _ => { false }
    }
}

fn with(
    builder: SessionBuilder,
    provider: ExecutionProviderDispatch,
) -> ort::Result<SessionBuilder> {
    builder
        .with_execution_providers([provider.error_on_failure()])
        .map_err(plain)
}

/// Returns the error without the builder that came with it.
fn plain(error: ort::Error<SessionBuilder>) -> ort::Error {
    error.into()
}

/// Describes the builder of engines for the provider library `file`: the name of TensorRT's library, which
/// contains its version, and the provider's hash.
fn builder(file: &Path) -> String {
    let own = file.parent().map(Path::to_owned);
    let names = own
        .into_iter()
        .chain(library_folders())
        .filter_map(|folder| folder.read_dir().ok())
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| {
            name.starts_with("libnvinfer.so.") || name.starts_with("libtensorrt_rtx.so.")
        });
    // The longest name contains the full version.
    let name = names.max_by_key(String::len);
    let hash =
        artifact::read(file).map_or_else(|_| String::new(), |bytes| artifact::sha256(&bytes));
    format!(
        "{}, provider {}",
        name.as_deref().unwrap_or("TensorRT of unknown version"),
        hash.get(..16).unwrap_or_default()
    )
}
