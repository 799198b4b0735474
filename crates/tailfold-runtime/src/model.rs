//! A model file, its card and a back end over it.

use std::path::Path;

use tailfold_onnx::{Description, Model, OpenOptions, Opened, Ports, Shapes, folder_of};
use tailfold_spec::{Classifier, ModelCard, ScoreKind, artifact};

use crate::{Backend, NodeRun, Options, Prepared, RuntimeError};

/// A network ready to run, whatever is known of its classes and images.
pub struct Network {
    /// What answers.
    pub classifier: Box<dyn Classifier>,
    /// Of the file.
    pub sha256: String,
    /// Size of the file in bytes.
    pub file_bytes: usize,
    /// The graph in canonical form, and the ports of the file.
    pub opened: Opened,
    /// What runs each node, where the back end tells.
    pub nodes: Vec<NodeRun>,
}

/// A model ready to run.
pub struct LoadedModel {
    /// What the file or the caller says of it.
    pub card: ModelCard,
    /// What answers.
    pub classifier: Box<dyn Classifier>,
    /// Of the file.
    pub sha256: String,
    /// Size of the file in bytes.
    pub file_bytes: usize,
    /// The graph, in canonical form.
    pub onnx: Model,
    /// The input and output of the file.
    pub ports: Ports,
    /// What runs each node, where the back end tells.
    pub nodes: Vec<NodeRun>,
}

/// Opens the file `path` in canonical form: what every command and back end goes through.
///
/// # Errors
/// [`RuntimeError::File`] or [`RuntimeError::Open`] naming the file.
pub fn open_file(path: &Path, options: &OpenOptions) -> Result<(Opened, Vec<u8>), RuntimeError> {
    let (name, bytes) = (path.display().to_string(), artifact::read(path)?);
    let opened = opened(&bytes, &name, Some(folder_of(path)), options)?;
    Ok((opened, bytes))
}

fn opened(
    bytes: &[u8],
    name: &str,
    folder: Option<&Path>,
    options: &OpenOptions,
) -> Result<Opened, RuntimeError> {
    let open = |source| RuntimeError::Open {
        name: name.to_owned(),
        source: Box::new(source),
    };
    let model = Model::from_bytes(bytes, name).map_err(|source| RuntimeError::Onnx {
        name: name.to_owned(),
        source,
    })?;
    tailfold_onnx::open(model, folder, options, &infer).map_err(open)
}

/// Shapes as tract infers them, where this build has it.
fn infer(model: &Model) -> Shapes {
    cfg_select! {
        feature = "tract" => { tailfold_tract::shapes(model) }
        _ => { let _ = model; Shapes::new() }
    }
}

impl Network {
    /// Reads the file `path` and prepares it for `backend`.
    ///
    /// # Errors
    /// [`RuntimeError`] naming the file.
    pub fn open(
        path: &Path,
        open: &OpenOptions,
        backend: Backend,
        options: &Options,
    ) -> Result<Self, RuntimeError> {
        let (opened, bytes) = open_file(path, open)?;
        Self::over(
            opened,
            &bytes,
            &path.display().to_string(),
            backend,
            options,
        )
    }

    fn over(
        opened: Opened,
        bytes: &[u8],
        name: &str,
        backend: Backend,
        options: &Options,
    ) -> Result<Self, RuntimeError> {
        let Prepared {
            classifier, nodes, ..
        } = backend.prepare(&opened.model, name, options)?;
        Ok(Self {
            classifier,
            sha256: artifact::sha256(bytes),
            file_bytes: bytes.len(),
            opened,
            nodes,
        })
    }

    /// With the card that its metadata and `description` make.
    ///
    /// # Errors
    /// [`RuntimeError::Description`] for too little or two answers, [`RuntimeError::Classes`] and [`RuntimeError::Input`] for a
    /// card that does not fit the network; `name` stands for the file.
    pub fn described(
        self,
        description: &Description,
        name: &str,
    ) -> Result<LoadedModel, RuntimeError> {
        let card = description
            .card(&self.opened)
            .map_err(|source| RuntimeError::Description {
                name: name.to_owned(),
                source: Box::new(source),
            })?;
        let (named, outputs) = (card.classes.len(), self.classifier.num_classes());
        if named != outputs {
            return Err(RuntimeError::Classes {
                name: name.to_owned(),
                named,
                outputs,
            });
        }
        let p = &card.preprocess;
        let (told, found) = (
            [p.channels, p.height, p.width],
            self.classifier.input_shape(),
        );
        if told != found {
            return Err(RuntimeError::Input {
                name: name.to_owned(),
                told,
                found,
            });
        }
        Ok(LoadedModel {
            card,
            classifier: self.classifier,
            sha256: self.sha256,
            file_bytes: self.file_bytes,
            onnx: self.opened.model,
            ports: self.opened.ports,
            nodes: self.nodes,
        })
    }
}

impl LoadedModel {
    /// Reads the file `path`, checks its graph against its card and prepares it for `backend`.
    ///
    /// # Errors
    /// [`RuntimeError`] naming the file.
    pub fn open(path: &Path, backend: Backend, options: &Options) -> Result<Self, RuntimeError> {
        Self::open_described(path, &Description::default(), backend, options)
    }

    /// The same of a file's `bytes`; `name` stands for it in messages. Values in other files cannot be read.
    ///
    /// # Errors
    /// [`RuntimeError`] naming the file.
    pub fn from_bytes(
        bytes: &[u8],
        name: &str,
        backend: Backend,
        options: &Options,
    ) -> Result<Self, RuntimeError> {
        let opened = opened(bytes, name, None, &OpenOptions::default())?;
        Network::over(opened, bytes, name, backend, options)?
            .described(&Description::default(), name)
    }

    /// The same for any model: `description` is what the caller knows of one that does not say it itself.
    ///
    /// # Errors
    /// [`RuntimeError`] naming the file; [`RuntimeError::Description`] where something is missing or contradicts the file.
    pub fn open_described(
        path: &Path,
        description: &Description,
        backend: Backend,
        options: &Options,
    ) -> Result<Self, RuntimeError> {
        let network = Network::open(path, &description.options, backend, options)?;
        network.described(description, &path.display().to_string())
    }

    /// What the numbers at the file's output are.
    pub fn score_kind(&self) -> ScoreKind {
        self.ports.output.kind
    }

    /// Layers with weights that none of our integer kernels runs.
    pub fn float_layers(&self) -> Vec<&str> {
        float_layers(&self.nodes)
    }
}

/// Layers with weights among `nodes` that none of our integer kernels runs.
pub fn float_layers(nodes: &[NodeRun]) -> Vec<&str> {
    let weighted = ["Conv", "ConvTranspose", "Gemm", "MatMul"];
    nodes
        .iter()
        .filter(|n| !n.integer && weighted.contains(&n.operator.as_str()))
        .map(|n| n.node.as_str())
        .collect()
}
