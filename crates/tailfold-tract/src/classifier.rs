//! A classifier on tract, one image at a time, on the calling thread.

use std::sync::Arc;

use tailfold_integer::{NodeKernel, Region, lower};
use tailfold_kernels::{Isa, Workspace};
use tailfold_onnx::Model;
use tailfold_spec::{Classifier, ImageBatch, Logits, RunError};
use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::DimLike as _;
use tract_onnx::tract_hir::infer::Factoid as _;

use crate::error::{TractError, chain};
use crate::operator::with_regions;

/// An ONNX classifier prepared for batches of one: what a device answers does not depend on what it was asked together
/// with.
#[derive(Clone, Debug)]
pub struct TractClassifier {
    engine: Engine,
    input: [usize; 3],
    num_classes: usize,
    nodes: Vec<NodeKernel>,
    regions: Vec<Arc<Region>>,
}

/// What computes.
#[derive(Clone, Debug)]
enum Engine {
    /// tract, and the regions in its graph.
    Plan(Arc<TypedRunnableModel>),
    /// One region that is the whole graph.
    Region(Arc<Region>, Box<Workspace>),
}

/// Parses `bytes` and fixes the input to one image; `name` is for messages.
pub(crate) fn parse(
    bytes: &[u8],
    name: &str,
    regions: &[Arc<Region>],
) -> Result<(InferenceModel, [usize; 3]), TractError> {
    let load = |e: tract_onnx::prelude::TractError| TractError::Load {
        name: name.to_owned(),
        message: chain(&e),
    };
    let read = |onnx: tract_onnx::Onnx| {
        // Shapes of intermediate tensors are worked out anew for the fixed batch.
        onnx.with_ignore_value_info(true)
            .model_for_read(&mut &*bytes)
    };
    let mut model = with_regions(regions, read).map_err(load)?;
    let not_image = |found: String| TractError::Shape {
        name: name.to_owned(),
        what: "input",
        found,
        expected: "one float tensor [N, channels, height, width] with fixed channels, height and width",
    };
    let inputs = model.input_outlets().map_err(load)?.len();
    if inputs != 1 {
        return Err(not_image(format!("{inputs} tensors")));
    }
    let fact = model.input_fact(0).map_err(load)?.clone();
    let dims: Vec<Option<usize>> = fact
        .shape
        .dims()
        .map(|d| d.concretize().and_then(|d| d.to_usize().ok()))
        .collect();
    let [_, Some(c), Some(h), Some(w)] = dims[..] else {
        return Err(not_image(format!("{:?}", fact.shape)));
    };
    model
        .set_input_fact(0, f32::fact([1, c, h, w]).into())
        .map_err(load)?;
    Ok((model, [c, h, w]))
}

impl TractClassifier {
    /// Prepares the ONNX file `bytes`, its quantized regions as integer programs; `name` stands for it in messages.
    ///
    /// # Errors
    /// [`TractError`] when tract cannot load the file, it is not an image classifier, or its quantization is unsound.
    pub fn from_onnx(bytes: &[u8], name: &str) -> Result<Self, TractError> {
        let quantized = |source| TractError::Quantized {
            name: name.to_owned(),
            source,
        };
        let model = Model::from_bytes(bytes, name).map_err(|e| quantized(e.into()))?;
        let isa = Isa::detect()
            .map_err(tailfold_integer::IntegerError::Isa)
            .map_err(quantized)?;
        let lowered = lower(&model, isa).map_err(quantized)?;
        let regions: Vec<Arc<Region>> = lowered.regions.into_iter().map(Arc::new).collect();
        if let ([region], [_]) = (&regions[..], lowered.model.nodes())
            && let Some(whole) = Self::whole(&model, region, &lowered.nodes)
        {
            return Ok(whole);
        }
        if regions.is_empty() {
            return Self::plan(bytes, name, &[], lowered.nodes);
        }
        Self::plan(&lowered.model.to_bytes(), name, &regions, lowered.nodes)
    }

    /// Prepares the ONNX file `bytes` for tract as it is, without integer programs: to compare with.
    ///
    /// # Errors
    /// [`TractError`] when tract cannot load the file, or it is not an image classifier.
    pub fn stock(bytes: &[u8], name: &str) -> Result<Self, TractError> {
        Self::plan(bytes, name, &[], Vec::new())
    }

    /// The region that is the whole graph, from the image to a row of logits.
    fn whole(model: &Model, region: &Arc<Region>, nodes: &[NodeKernel]) -> Option<Self> {
        let [_, Some(c), Some(h), Some(w)] = model.input_shape().ok()? else {
            return None;
        };
        let input = [c, h, w];
        let [(_, shape)] = &region.outputs[..] else {
            return None;
        };
        match (&shape[..], region.program.inputs()) {
            (&[1, num_classes], &[values]) if values == c * h * w && num_classes > 0 => {
                Some(Self {
                    engine: Engine::Region(
                        Arc::clone(region),
                        Box::new(region.program.workspace()),
                    ),
                    input,
                    num_classes,
                    nodes: nodes.to_vec(),
                    regions: vec![Arc::clone(region)],
                })
            }
            _ => None,
        }
    }

    fn plan(
        bytes: &[u8],
        name: &str,
        regions: &[Arc<Region>],
        nodes: Vec<NodeKernel>,
    ) -> Result<Self, TractError> {
        let load = |e: tract_onnx::prelude::TractError| TractError::Load {
            name: name.to_owned(),
            message: chain(&e),
        };
        let (model, input) = parse(bytes, name, regions)?;
        let model = model.into_optimized().map_err(load)?;
        let outputs = model.output_outlets().map_err(load)?.len();
        let fact = model.output_fact(0).map_err(load)?;
        let shape = fact.shape.as_concrete().map(<[usize]>::to_vec);
        let num_classes = match shape.as_deref() {
            Some(&[1, classes])
                if outputs == 1 && classes > 0 && fact.datum_type == f32::datum_type() =>
            {
                classes
            }
            _ => {
                return Err(TractError::Shape {
                    name: name.to_owned(),
                    what: "output",
                    found: format!("{outputs} tensors, the first {fact:?}"),
                    expected: "one float tensor [N, classes]",
                });
            }
        };
        let plan = model.into_runnable().map_err(load)?;
        Ok(Self {
            engine: Engine::Plan(plan),
            input,
            num_classes,
            nodes,
            regions: regions.to_vec(),
        })
    }

    /// What runs each node of the file, in its order; empty for [`TractClassifier::stock`].
    pub fn nodes(&self) -> &[NodeKernel] {
        &self.nodes
    }

    /// The integer programs, in the order in which they run.
    pub fn regions(&self) -> &[Arc<Region>] {
        &self.regions
    }

    /// Appends the logits of one image.
    fn row(&mut self, image: &[f32], to: &mut Vec<f32>) -> Result<(), String> {
        match &mut self.engine {
            Engine::Region(region, workspace) => {
                let first = to.len();
                to.resize(first + self.num_classes, 0.0);
                region
                    .program
                    .run(workspace, &[image], &mut [&mut to[first..]])
                    .map_err(|e| e.to_string())
            }
            Engine::Plan(plan) => {
                let [c, h, w] = self.input;
                let mut run = || -> TractResult<()> {
                    let input = Tensor::from_shape(&[1, c, h, w], image)?;
                    let outputs = plan.run(tvec!(input.into()))?;
                    to.extend(outputs[0].to_plain_array_view::<f32>()?.iter());
                    Ok(())
                };
                run().map_err(|e| chain(&e))
            }
        }
    }
}

impl Classifier for TractClassifier {
    fn name(&self) -> &'static str {
        "tract"
    }

    fn num_classes(&self) -> usize {
        self.num_classes
    }

    fn input_shape(&self) -> [usize; 3] {
        self.input
    }

    fn logits(&mut self, batch: &ImageBatch) -> Result<Logits, RunError> {
        let [n, c, h, w] = batch.shape();
        if [c, h, w] != self.input {
            return Err(RunError::InputShape {
                expected: self.input,
                found: [c, h, w],
            });
        }
        let mut values = Vec::with_capacity(n * self.num_classes);
        for image in batch.values().chunks_exact(c * h * w) {
            self.row(image, &mut values)
                .map_err(|message| RunError::Backend {
                    backend: "tract",
                    message,
                })?;
        }
        let found = vec![values.len()];
        Logits::new(values, self.num_classes).map_err(|_| RunError::OutputShape {
            images: n,
            classes: self.num_classes,
            found,
        })
    }

    fn fork(&self) -> Box<dyn Classifier> {
        Box::new(self.clone())
    }
}
