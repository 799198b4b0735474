//! A classifier on tract, one image at a time, on the calling thread.

use std::sync::Arc;

use tailfold_integer::{
    IntegerClassifier, IntegerError, IntegerErrorKind, NodeKernel, Region, lower,
};
use tailfold_kernels::Isa;
use tailfold_onnx::{Model, Shapes};
use tailfold_spec::{Classifier, ImageBatch, Logits, RunError};
use tract_onnx::prelude::*;

use crate::blame::blame;
use crate::boundary::guarded;
use crate::error::{TractError, TractErrorKind, chain};
use crate::parse::parse;
use crate::shapes::{check_axes, check_operators, check_sizes, shapes};

/// An ONNX classifier for batches of one image, so that the logits of an image do not depend on the other
/// images of a batch.
#[derive(Clone, Debug)]
pub struct TractClassifier {
    engine: Engine,
    input: [usize; 3],
    num_classes: usize,
    nodes: Vec<NodeKernel>,
    regions: Vec<Arc<Region>>,
}

/// The executor of a classifier.
#[derive(Clone, Debug)]
enum Engine {
    /// A tract plan, with the integer regions as operators.
    Plan(Arc<TypedRunnableModel>),
    /// A single integer program for the whole graph.
    Whole(Box<IntegerClassifier>),
}

impl TractClassifier {
    /// Prepares the ONNX file `bytes`, which is in canonical form; see [`TractClassifier::from_model`].
    ///
    /// # Errors
    /// As [`TractClassifier::from_model`].
    pub fn from_onnx(bytes: &[u8], name: &str) -> Result<Self, TractError> {
        Self::from_model(read(bytes, name)?, name)
    }

    /// Prepares `model`, a classifier in canonical form ([`tailfold_onnx::open()`]): quantized regions run as integer
    /// programs, the other nodes on tract. `name` is the file in messages.
    ///
    /// # Errors
    /// [`TractError`] when tract cannot load the model, it is not an image classifier, or its quantization is unsound.
    pub fn from_model(model: Model, name: &str) -> Result<Self, TractError> {
        let quantized = |cause: IntegerError| TractError::quantized(name, cause);
        let isa = Isa::detect()
            .map_err(|cause| quantized(IntegerError::of(IntegerErrorKind::Isa, cause)))?;
        if !model.nodes().iter().any(|n| n.is("QuantizeLinear")) {
            // Without a quantized region the graph comes back unchanged.
            let lowered = lower(model, isa, &Shapes::new()).map_err(quantized)?;
            return Self::plan(&lowered.model, name, &[], lowered.nodes);
        }
        let lowered = lower(model.clone(), isa, &Shapes::new()).map_err(quantized)?;
        if let Some(whole) = IntegerClassifier::of(&lowered) {
            return Ok(Self {
                input: whole.input_shape(),
                num_classes: whole.num_classes(),
                nodes: lowered.nodes,
                regions: vec![Arc::clone(whole.region())],
                engine: Engine::Whole(Box::new(whole)),
            });
        }
        // There are float nodes: only tract can infer the shapes behind them.
        let shapes = shapes(&model);
        let lowered = lower(model, isa, &shapes).map_err(quantized)?;
        Self::plan(&lowered.model, name, &lowered.regions, lowered.nodes)
    }

    /// Prepares `model`, in canonical form, for unmodified tract without integer programs, as a baseline.
    ///
    /// # Errors
    /// [`TractError`] when tract cannot load the model, or it is not an image classifier.
    pub fn stock(model: &Model, name: &str) -> Result<Self, TractError> {
        Self::plan(model, name, &[], Vec::new())
    }

    fn plan(
        onnx: &Model,
        name: &str,
        regions: &[Arc<Region>],
        nodes: Vec<NodeKernel>,
    ) -> Result<Self, TractError> {
        check_operators(onnx, name, regions)?;
        let prepared = guarded(|| Self::prepare(onnx, name, regions));
        let (plan, input, num_classes) = prepared.unwrap_or_else(|message| {
            Err(TractErrorKind::Panic
                .error(format!(
                    "node `{node}`: tract cannot take it: {message}",
                    node = blame(onnx, regions)
                ))
                .at(name))
        })?;
        Ok(Self {
            engine: Engine::Plan(plan),
            input,
            num_classes,
            nodes,
            regions: regions.to_vec(),
        })
    }

    /// Returns the plan, the input shape `[channels, height, width]` and the number of classes.
    fn prepare(
        onnx: &Model,
        name: &str,
        regions: &[Arc<Region>],
    ) -> Result<(Arc<TypedRunnableModel>, [usize; 3], usize), TractError> {
        let load = |e: tract_onnx::prelude::TractError| {
            TractErrorKind::Model.error(format!(
                "tract cannot load {name}: {message}",
                message = chain(&e)
            ))
        };
        let (mut model, input) = parse(&onnx.to_bytes(), name, regions)?;
        check_sizes(&mut model, name)?;
        check_axes(onnx, &model, name)?;
        let model = model.into_optimized().map_err(load)?;
        let fact = model.output_fact(0).map_err(load)?;
        let shape = fact.shape.as_concrete().map(<[usize]>::to_vec);
        let row = shape.as_deref().and_then(classes_of_row);
        let num_classes = row.filter(|_| fact.datum_type == f32::datum_type());
        let num_classes = num_classes.ok_or_else(|| {
            TractErrorKind::Shape.error(format!(
                "{name} is not an image classifier: output is {found}, expected one float tensor \
                 [N, classes], [N, classes, 1, 1] or [N, 1, classes]",
                found = format!("{fact:?}").to_lowercase()
            ))
        })?;
        Ok((model.into_runnable().map_err(load)?, input, num_classes))
    }

    /// Lets at most `threads` threads share an image if the whole model is an integer program; the logits
    /// stay bit-identical. tract's own operators run on the calling thread.
    ///
    /// # Errors
    /// [`TractErrorKind::Quantized`] when the system cannot create a thread; `name` stands for the file in
    /// its message.
    pub fn with_threads(mut self, threads: usize, name: &str) -> Result<Self, TractError> {
        if let Engine::Whole(whole) = self.engine {
            let whole = whole.with_threads(threads);
            let whole = whole.map_err(|cause| TractError::quantized(name, cause))?;
            self.engine = Engine::Whole(Box::new(whole));
        }
        Ok(self)
    }

    /// Returns the number of threads that share an image.
    pub fn threads(&self) -> usize {
        match &self.engine {
            Engine::Whole(whole) => whole.threads(),
            Engine::Plan(_) => 1,
        }
    }

    /// Returns each node with its kernel, in the order of the file; empty for [`TractClassifier::stock`].
    pub fn nodes(&self) -> &[NodeKernel] {
        &self.nodes
    }

    /// Returns the integer programs, in the order of execution.
    pub fn regions(&self) -> &[Arc<Region>] {
        &self.regions
    }
}

/// Parses the ONNX file `bytes`.
fn read(bytes: &[u8], name: &str) -> Result<Model, TractError> {
    Model::from_bytes(bytes, name).map_err(|cause| TractError::quantized(name, cause))
}

/// Returns the number of classes of an output of this shape for one image; `None` if two dimensions are longer than 1.
fn classes_of_row(shape: &[usize]) -> Option<usize> {
    let long: Vec<usize> = shape.iter().copied().filter(|&d| d != 1).collect();
    match long[..] {
        [classes] if shape.len() >= 2 && shape[0] == 1 && classes > 0 => Some(classes),
        [] if shape.len() >= 2 => Some(1),
        _ => None,
    }
}

/// Appends the logits of one image of shape `input`.
fn row(
    plan: &Arc<TypedRunnableModel>,
    [c, h, w]: [usize; 3],
    image: &[f32],
    to: &mut Vec<f32>,
) -> TractResult<()> {
    let input = Tensor::from_shape(&[1, c, h, w], image)?;
    let outputs = plan.run(tvec!(input.into()))?;
    to.extend(outputs[0].to_plain_array_view::<f32>()?.iter());
    Ok(())
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
        let plan = match &mut self.engine {
            Engine::Whole(whole) => return whole.logits(batch),
            Engine::Plan(plan) => plan,
        };
        let mut values = Vec::with_capacity(batch.len() * self.num_classes);
        for image in batch.images(self.input)? {
            let ran = guarded(|| row(plan, self.input, image, &mut values));
            let message = match ran {
                Ok(Ok(())) => continue,
                Ok(Err(error)) => chain(&error),
                Err(panic) => panic,
            };
            return Err(RunError::Backend {
                backend: "tract",
                message,
            });
        }
        Logits::answer(values, batch.len(), self.num_classes)
    }

    fn fork(&self) -> Box<dyn Classifier> {
        Box::new(self.clone())
    }
}
