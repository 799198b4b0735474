//! A classifier that runs as a single integer program, from the image to the logits, without another runtime.

use std::sync::Arc;

use tailfold_kernels::{Isa, Workspace};
use tailfold_onnx::Model;
use tailfold_spec::{Classifier, ImageBatch, Logits, RunError};

use crate::{IntegerError, IntegerErrorKind, Lowered, NodeKernel, Region, Shapes, lower};

/// Processes one image at a time in memory that is allocated once; runs on the calling thread unless it is
/// given more threads.
#[derive(Clone, Debug)]
pub struct IntegerClassifier {
    region: Arc<Region>,
    workspace: Workspace,
    input: [usize; 3],
    num_classes: usize,
    nodes: Vec<NodeKernel>,
}

impl IntegerClassifier {
    /// Prepares the ONNX file `bytes`; `name` stands for it in messages.
    ///
    /// # Errors
    /// [`IntegerError`] when it is not an ONNX file or its quantization is unsound, and [`IntegerErrorKind::NotWhole`] when
    /// a part of it has no integer kernel, which [`lower()`] would leave to another runtime.
    pub fn from_onnx(bytes: &[u8], name: &str) -> Result<Self, IntegerError> {
        Self::from_model(Model::from_bytes(bytes, name)?)
    }

    /// Prepares `model`, which is already parsed.
    ///
    /// # Errors
    /// As [`IntegerClassifier::from_onnx`].
    pub fn from_model(model: Model) -> Result<Self, IntegerError> {
        let isa = Isa::detect().map_err(|e| IntegerError::of(IntegerErrorKind::Isa, e))?;
        // Shapes are needed only behind float nodes, and a model with a float node is refused here.
        let lowered = lower(model, isa, &Shapes::new())?;
        Self::of(&lowered).ok_or_else(|| {
            let left = lowered.nodes.iter().filter(|n| n.kernel.is_none());
            let left: Vec<&str> = left.map(|n| n.node.as_str()).collect();
            IntegerErrorKind::NotWhole.error(format!(
                "the model does not run with integers alone, from an image to a row of logits: {} nodes have no kernel ({})",
                left.len(),
                left.join(", ")
            ))
        })
    }

    /// Returns the classifier that a model was lowered to; `None` unless it is one region from the image to the logits.
    ///
    /// The logits have the shape `[1, classes]` or `[1, classes, 1, 1]`.
    pub fn of(lowered: &Lowered) -> Option<Self> {
        let ([region], [_]) = (&lowered.regions[..], lowered.model.nodes()) else {
            return None;
        };
        let [_, Some(c), Some(h), Some(w)] = lowered.model.input_shape().ok()? else {
            return None;
        };
        let ([values], [(_, shape)]) = (region.program.inputs(), &region.outputs[..]) else {
            return None;
        };
        let (&[1, num_classes] | &[1, num_classes, 1, 1]) = &shape[..] else {
            return None;
        };
        (*values == c * h * w && num_classes > 0).then(|| Self {
            workspace: region.program.workspace(),
            region: Arc::clone(region),
            input: [c, h, w],
            num_classes,
            nodes: lowered.nodes.clone(),
        })
    }

    /// Lets at most `threads` threads share an image, or fewer if the layers are too small for them; the
    /// logits stay bit-identical.
    ///
    /// # Errors
    /// [`IntegerErrorKind::Threads`] when the system cannot create a thread.
    pub fn with_threads(mut self, threads: usize) -> Result<Self, IntegerError> {
        let workspace = self.region.program.workspace_on(threads);
        self.workspace = workspace.map_err(|e| IntegerError::of(IntegerErrorKind::Threads, e))?;
        Ok(self)
    }

    /// Returns the number of threads that share an image.
    pub fn threads(&self) -> usize {
        self.workspace.threads()
    }

    /// Returns each node with its kernel, in the order of the file.
    pub fn nodes(&self) -> &[NodeKernel] {
        &self.nodes
    }

    /// Returns the region with the integer program.
    pub fn region(&self) -> &Arc<Region> {
        &self.region
    }
}

impl Classifier for IntegerClassifier {
    fn name(&self) -> &'static str {
        "integer"
    }

    fn num_classes(&self) -> usize {
        self.num_classes
    }

    fn input_shape(&self) -> [usize; 3] {
        self.input
    }

    fn logits(&mut self, batch: &ImageBatch) -> Result<Logits, RunError> {
        let mut values = vec![0.0; batch.len() * self.num_classes];
        let rows = values.chunks_exact_mut(self.num_classes);
        for (image, row) in batch.images(self.input)?.zip(rows) {
            self.region
                .program
                .run(&mut self.workspace, &[image], &mut [row])
                .map_err(|error| RunError::Backend {
                    backend: "integer",
                    message: error.to_string(),
                })?;
        }
        Logits::answer(values, batch.len(), self.num_classes)
    }

    fn fork(&self) -> Box<dyn Classifier> {
        Box::new(self.clone())
    }
}
