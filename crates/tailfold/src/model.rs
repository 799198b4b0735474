//! A model on a back end.

use std::path::Path;

use tailfold_onnx::{Description, OpenOptions, Ports};
use tailfold_spec::{Classifier, ModelCard, ScoreKind};

use crate::layers::Layers;
use crate::{Backend, ModelFile, NodeRun, Options, Prepared, RuntimeError, RuntimeErrorKind};

/// A model ready to run. Its decoded graph is dropped; [`Network`](crate::Network) keeps it.
#[non_exhaustive]
pub struct LoadedModel {
    /// The metadata of the file, with its gaps filled by the caller.
    pub card: ModelCard,
    /// The classifier.
    pub classifier: Box<dyn Classifier>,
    /// SHA-256 of the file.
    pub sha256: String,
    /// Size of the file in bytes.
    pub file_bytes: usize,
    /// The input and output of the file.
    pub ports: Ports,
    /// Kernel or library of each node; empty where the back end does not report it.
    pub nodes: Vec<NodeRun>,
}

impl ModelFile {
    /// Prepares the file for `backend` and drops the graph. `description` fills the gaps in the metadata; it is checked
    /// before the back end prepares the network, which may take minutes.
    ///
    /// # Errors
    /// [`RuntimeErrorKind::Model`] if a value is missing or contradicts the file, or if the card does not fit the network;
    /// otherwise the back end's own error.
    pub fn load(
        self,
        description: &Description,
        backend: Backend,
        options: &Options,
    ) -> Result<LoadedModel, RuntimeError> {
        let ModelFile {
            name,
            sha256,
            file_bytes,
            opened,
        } = self;
        let card = description
            .card(&opened)
            .map_err(|cause| RuntimeError::of_model(&name, cause))?;
        let layers = Layers::of(&opened.model);
        let Prepared {
            classifier,
            mut nodes,
            ..
        } = backend.prepare(opened.model, &name, options)?;
        layers.mark(&mut nodes);
        check_card(&card, classifier.as_ref(), &name)?;
        Ok(LoadedModel {
            card,
            classifier,
            sha256,
            file_bytes,
            ports: opened.ports,
            nodes,
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
        let file = ModelFile::from_bytes(bytes, name, &OpenOptions::default())?;
        file.load(&Description::default(), backend, options)
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
        let file = ModelFile::read(path, &description.options)?;
        file.load(description, backend, options)
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

/// Checks that `card` fits the network of `classifier`; `name` is the file in messages.
fn check_card(
    card: &ModelCard,
    classifier: &dyn Classifier,
    name: &str,
) -> Result<(), RuntimeError> {
    let (named, outputs) = (card.classes.len(), classifier.num_classes());
    if named != outputs {
        return Err(RuntimeErrorKind::Model
            .error(format!(
                "{named} classes are named but the network has {outputs} outputs"
            ))
            .at(name));
    }
    let p = &card.preprocess;
    let (prepared, found) = ([p.channels, p.height, p.width], classifier.input_shape());
    if prepared != found {
        return Err(RuntimeErrorKind::Model
            .error(format!(
                "images are prepared as {prepared:?} but the network takes {found:?}"
            ))
            .at(name));
    }
    Ok(())
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
    fn float_layers_names_every_float_layer_with_weights() {
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
