//! A model on a back end.

use std::collections::BTreeSet;
use std::path::Path;

use tailfold_onnx::{Description, Model, OpenOptions, Opened, Ports};
use tailfold_spec::{Classifier, ModelCard, ScoreKind};

use crate::{Backend, ModelFile, NodeRun, Options, Prepared, RuntimeError};

/// A network ready to run, with its graph; its class names and preprocessing may be unknown.
#[non_exhaustive]
pub struct Network {
    /// The classifier.
    pub classifier: Box<dyn Classifier>,
    /// SHA-256 of the file.
    pub sha256: String,
    /// Size of the file in bytes.
    pub file_bytes: usize,
    /// The graph in canonical form, and the input and output of the file.
    pub opened: Opened,
    /// What runs each node; empty where the back end does not report it.
    pub nodes: Vec<NodeRun>,
}

/// A model ready to run. Its decoded graph is dropped; [`Network`] keeps it.
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
    /// What runs each node; empty where the back end does not report it.
    pub nodes: Vec<NodeRun>,
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
        ModelFile::read(path, open)?.prepare(backend, options)
    }

    pub(crate) fn over(
        file: ModelFile,
        backend: Backend,
        options: &Options,
    ) -> Result<Self, RuntimeError> {
        let model = file.opened.model.clone();
        let mut prepared = backend.prepare(model, &file.name, options)?;
        Layers::of(&file.opened.model).mark(&mut prepared.nodes);
        Ok(Self {
            classifier: prepared.classifier,
            sha256: file.sha256,
            file_bytes: file.file_bytes,
            opened: file.opened,
            nodes: prepared.nodes,
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
    /// [`RuntimeError`] naming the file; [`RuntimeError::Description`] if a value is missing or contradicts the file.
    pub fn open_described(
        path: &Path,
        description: &Description,
        backend: Backend,
        options: &Options,
    ) -> Result<Self, RuntimeError> {
        let file = ModelFile::read(path, &description.options)?;
        file.load(description, backend, options)
    }

    /// See [`ModelFile::load`].
    pub(crate) fn over(
        file: ModelFile,
        description: &Description,
        backend: Backend,
        options: &Options,
    ) -> Result<Self, RuntimeError> {
        let ModelFile {
            name,
            sha256,
            file_bytes,
            opened,
        } = file;
        let card = match description.card(&opened) {
            Ok(card) => card,
            Err(source) => {
                return Err(RuntimeError::Description {
                    name,
                    source: Box::new(source),
                });
            }
        };
        let layers = Layers::of(&opened.model);
        let Prepared {
            classifier,
            mut nodes,
            ..
        } = backend.prepare(opened.model, &name, options)?;
        layers.mark(&mut nodes);
        check_card(&card, classifier.as_ref(), &name)?;
        Ok(Self {
            card,
            classifier,
            sha256,
            file_bytes,
            ports: opened.ports,
            nodes,
        })
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
        return Err(RuntimeError::Classes {
            name: name.to_owned(),
            named,
            outputs,
        });
    }
    let p = &card.preprocess;
    let (told, found) = ([p.channels, p.height, p.width], classifier.input_shape());
    if told != found {
        return Err(RuntimeError::Input {
            name: name.to_owned(),
            told,
            found,
        });
    }
    Ok(())
}

/// Names of a graph's nodes, and which of them are layers with weights.
struct Layers {
    nodes: BTreeSet<String>,
    weighted: BTreeSet<String>,
}

impl Layers {
    fn of(model: &Model) -> Self {
        let owned = |name: &str| name.to_owned();
        let weighted = model.layers_with_weights();
        Self {
            nodes: model.nodes().iter().map(|n| owned(n.label())).collect(),
            weighted: weighted.into_iter().map(owned).collect(),
        }
    }

    /// Sets which `nodes` are layers with weights: by the graph where it has the node, by the operator where the back end
    /// made it.
    fn mark(&self, nodes: &mut [NodeRun]) {
        for node in nodes {
            if self.nodes.contains(&node.node) {
                node.weights = self.weighted.contains(&node.node);
            }
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
