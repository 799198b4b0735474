//! A classifier on its back end, with the kernel or library of each node.

use std::sync::Arc;

use tailfold_integer::{IntegerClassifier, NodeKernel, Region};
#[cfg(feature = "ort")]
use tailfold_onnx::Model;
use tailfold_onnx::is_weighted;
#[cfg(feature = "ort")]
use tailfold_ort::{OrtClassifier, Provider, Setup};
use tailfold_spec::Classifier;
#[cfg(feature = "tract")]
use tailfold_tract::TractClassifier;

#[cfg(feature = "ort")]
use crate::{Options, RuntimeError};

/// The kernel or library that runs one node.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodeRun {
    /// Name of the node, or of its output if the node has no name.
    pub node: String,
    /// The operator.
    pub operator: String,
    /// The integer kernel of tailfold, or the library: `tract, float`, `CPUExecutionProvider`.
    pub runs_on: String,
    /// Whether an integer kernel of tailfold runs the node.
    pub integer: bool,
    /// Whether the node is a layer with weights.
    pub weights: bool,
}

impl From<&NodeKernel> for NodeRun {
    fn from(node: &NodeKernel) -> Self {
        Self {
            node: node.node.clone(),
            operator: node.operator.clone(),
            runs_on: node.kernel.unwrap_or("tract, float").to_owned(),
            integer: node.kernel.is_some(),
            weights: is_weighted(&node.operator),
        }
    }
}

/// A classifier on its back end, with the kernel or library of each node.
#[non_exhaustive]
pub struct Prepared {
    /// The classifier.
    pub classifier: Box<dyn Classifier>,
    /// Kernel or library of each node; empty if the back end does not report it.
    pub nodes: Vec<NodeRun>,
    /// Integer programs of the model.
    pub regions: Vec<Arc<Region>>,
    /// Number of threads that share one image.
    pub threads: usize,
}

#[cfg(feature = "tract")]
impl From<TractClassifier> for Prepared {
    fn from(classifier: TractClassifier) -> Self {
        Self {
            nodes: classifier.nodes().iter().map(Into::into).collect(),
            regions: classifier.regions().to_vec(),
            threads: classifier.threads(),
            classifier: Box::new(classifier),
        }
    }
}

impl From<IntegerClassifier> for Prepared {
    fn from(classifier: IntegerClassifier) -> Self {
        Self {
            nodes: classifier.nodes().iter().map(Into::into).collect(),
            regions: vec![Arc::clone(classifier.region())],
            threads: classifier.threads(),
            classifier: Box::new(classifier),
        }
    }
}

/// Prepares `model` for one of ONNX Runtime's providers.
#[cfg(feature = "ort")]
pub(crate) fn on_ort(
    provider: Provider,
    model: &Model,
    name: &str,
    options: &Options,
) -> Result<Prepared, RuntimeError> {
    let setup = Setup {
        provider,
        threads: options.threads,
        library: options.ort_library.clone(),
        engine_cache: options.engine_cache.clone(),
        saturating: options.ort_saturating,
        tell: options.tell,
    };
    let classifier = OrtClassifier::from_model(model, name, &setup)?;
    let nodes = classifier.placements().iter().map(|p| NodeRun {
        node: p.node.clone(),
        operator: p.operator.clone(),
        runs_on: p.provider.clone(),
        integer: false,
        weights: is_weighted(&p.operator),
    });
    Ok(Prepared {
        nodes: nodes.collect(),
        regions: Vec::new(),
        threads: options.threads,
        classifier: Box::new(classifier),
    })
}
