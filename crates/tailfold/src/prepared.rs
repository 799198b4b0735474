//! A classifier, and what is known of how it runs.

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

/// What runs one node.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodeRun {
    /// The node's name, or that of its output.
    pub node: String,
    /// The operator.
    pub operator: String,
    /// Our integer kernel, or what else runs it: `tract, float`, `CPUExecutionProvider`.
    pub runs_on: String,
    /// Whether it is one of our integer kernels.
    pub integer: bool,
    /// Whether it is a layer with weights.
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

/// A classifier, and what is known of how it runs.
#[non_exhaustive]
pub struct Prepared {
    /// What answers.
    pub classifier: Box<dyn Classifier>,
    /// What runs each node, where the back end tells.
    pub nodes: Vec<NodeRun>,
    /// Its integer programs.
    pub regions: Vec<Arc<Region>>,
    /// Threads that share an image.
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
