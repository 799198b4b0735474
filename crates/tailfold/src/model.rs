//! Opens a model file and prepares it for a back end.

use std::collections::BTreeSet;
use std::path::Path;

use tailfold_onnx::proto::NodeProto;
use tailfold_onnx::{Description, Model, OpenOptions, Opened, Ports, Shapes, folder_of};
use tailfold_spec::{Classifier, ModelCard, ScoreKind, artifact};

use crate::{Backend, NodeRun, Options, Prepared, RuntimeError, RuntimeErrorKind};

/// A network ready to run; its class names and preprocessing may be unknown.
pub struct Network {
    /// What answers.
    pub classifier: Box<dyn Classifier>,
    /// Of the file.
    pub sha256: String,
    /// Size of the file in bytes.
    pub file_bytes: usize,
    /// The graph in canonical form, and the input and output of the file.
    pub opened: Opened,
    /// What runs each node, where the back end tells.
    pub nodes: Vec<NodeRun>,
}

/// A model ready to run.
pub struct LoadedModel {
    /// The metadata of the file, with its gaps filled by the caller.
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

/// Reads the file `path` and brings it into canonical form; also returns the bytes of the file.
///
/// # Errors
/// [`RuntimeErrorKind::File`] or [`RuntimeErrorKind::Model`], naming the file.
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
    let of_model = |cause| RuntimeError::of_model(name, cause);
    let model = Model::from_bytes(bytes, name).map_err(of_model)?;
    tailfold_onnx::open(model, folder, options, &infer_shapes).map_err(of_model)
}

/// Infers the shapes of the values of `model` for one image with tract; without the feature `tract`, no shape is known.
pub fn infer_shapes(model: &Model) -> Shapes {
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
            classifier,
            mut nodes,
            ..
        } = backend.prepare(&opened.model, name, options)?;
        find_weights(&opened.model, &mut nodes);
        Ok(Self {
            classifier,
            sha256: artifact::sha256(bytes),
            file_bytes: bytes.len(),
            opened,
            nodes,
        })
    }

    /// Adds the card; `name` is the file in messages.
    fn with_card(self, card: ModelCard, name: &str) -> Result<LoadedModel, RuntimeError> {
        let (named, outputs) = (card.classes.len(), self.classifier.num_classes());
        if named != outputs {
            return Err(RuntimeErrorKind::Model
                .error(format!(
                    "{named} classes are named but the network has {outputs} outputs"
                ))
                .at(name));
        }
        let p = &card.preprocess;
        let (told, found) = (
            [p.channels, p.height, p.width],
            self.classifier.input_shape(),
        );
        if told != found {
            return Err(RuntimeErrorKind::Model
                .error(format!(
                    "images are prepared as {told:?} but the network takes {found:?}"
                ))
                .at(name));
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

    /// As [`LoadedModel::open`], for the `bytes` of a file; `name` is the file in messages. External data is an error.
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
        Self::over(
            opened,
            bytes,
            name,
            &Description::default(),
            backend,
            options,
        )
    }

    /// As [`LoadedModel::open`], for any model: `description` fills the gaps in the file's metadata.
    ///
    /// # Errors
    /// [`RuntimeError`] naming the file; [`RuntimeErrorKind::Model`] if a value is missing or contradicts the file.
    pub fn open_described(
        path: &Path,
        description: &Description,
        backend: Backend,
        options: &Options,
    ) -> Result<Self, RuntimeError> {
        let (opened, bytes) = open_file(path, &description.options)?;
        let name = path.display().to_string();
        Self::over(opened, &bytes, &name, description, backend, options)
    }

    /// Prepares an opened file for `backend`: `bytes` is the file, `name` the file in messages, and `description` fills the
    /// gaps in its metadata. The description is checked before the back end prepares the network, which may take minutes.
    ///
    /// # Errors
    /// [`RuntimeErrorKind::Model`] if a value is missing or contradicts the file, or if the card does not fit
    /// the network, otherwise the back end's own error.
    pub fn over(
        opened: Opened,
        bytes: &[u8],
        name: &str,
        description: &Description,
        backend: Backend,
        options: &Options,
    ) -> Result<Self, RuntimeError> {
        let card = description
            .card(&opened)
            .map_err(|cause| RuntimeError::of_model(name, cause))?;
        Network::over(opened, bytes, name, backend, options)?.with_card(card, name)
    }

    /// Kind of the scores at the file's output.
    pub fn score_kind(&self) -> ScoreKind {
        self.ports.output.kind
    }

    /// Names of the layers with weights that no integer kernel of this workspace runs.
    pub fn float_layers(&self) -> Vec<&str> {
        float_layers(&self.nodes)
    }
}

/// Names of the layers with weights among `nodes` that no integer kernel of this workspace runs. Layers that ONNX Runtime
/// runs with integers are not among them.
pub fn float_layers(nodes: &[NodeRun]) -> Vec<&str> {
    let is_float = |node: &&NodeRun| {
        let on_ort = node.runs_on.ends_with("ExecutionProvider");
        let quantized = QUANTIZED.contains(&&*node.operator) && on_ort;
        node.weights && !node.integer && !quantized
    };
    let float = nodes.iter().filter(is_float);
    float.map(|node| node.node.as_str()).collect()
}

/// Sets which `nodes` are layers with weights: by the graph where it has the node, by the operator where the back end made
/// it.
fn find_weights(model: &Model, nodes: &mut [NodeRun]) {
    let layers = model.layers_with_weights();
    let names: BTreeSet<&str> = model.nodes().iter().map(NodeProto::label).collect();
    for node in nodes {
        if names.contains(&*node.node) {
            node.weights = layers.contains(&*node.node);
        }
    }
}

/// Operators of layers with weights whose inputs are quantized values.
const QUANTIZED: [&str; 4] = [
    "ConvInteger",
    "MatMulInteger",
    "QLinearConv",
    "QLinearMatMul",
];

#[cfg(test)]
mod tests {
    use tailfold_onnx::is_weighted;

    use super::*;

    #[test]
    fn every_float_layer_with_weights_is_named() {
        let node = |operator: &str, runs_on: &str, integer: bool| NodeRun {
            node: format!("{operator} on {runs_on}"),
            operator: operator.to_owned(),
            runs_on: runs_on.to_owned(),
            integer,
            weights: is_weighted(operator),
        };
        let product = NodeRun {
            weights: false,
            ..node("MatMul", "tract", false)
        };
        let nodes = [
            node("Conv", "conv", true),
            node("Relu", "tract", false),
            product,
            node("Einsum", "tract", false),
            node("LSTM", "tract", false),
            node("QLinearConv", "tract", false),
            node("QLinearConv", "CPUExecutionProvider", false),
            node("FusedConv", "CPUExecutionProvider", false),
        ];
        let expect = [
            "Einsum on tract",
            "LSTM on tract",
            "QLinearConv on tract",
            "FusedConv on CPUExecutionProvider",
        ];
        assert_eq!(float_layers(&nodes), expect);
    }
}
