//! A classifier on tract, one image at a time, on the calling thread.

use std::sync::Arc;

use tailfold_spec::{Classifier, ImageBatch, Logits, RunError};
use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::DimLike as _;
use tract_onnx::tract_hir::infer::Factoid as _;

use crate::error::{TractError, chain};

/// An ONNX classifier prepared for batches of one: what a device answers does not depend on what it was asked together
/// with.
#[derive(Clone, Debug)]
pub struct TractClassifier {
    plan: Arc<TypedRunnableModel>,
    input: [usize; 3],
    num_classes: usize,
}

/// Parses `bytes` and fixes the input to one image; `name` is for messages.
pub(crate) fn parse(bytes: &[u8], name: &str) -> Result<(InferenceModel, [usize; 3]), TractError> {
    let load = |e: tract_onnx::prelude::TractError| TractError::Load {
        name: name.to_owned(),
        message: chain(&e),
    };
    let mut model = tract_onnx::onnx()
        // Shapes of intermediate tensors are worked out anew for the fixed batch.
        .with_ignore_value_info(true)
        .model_for_read(&mut &*bytes)
        .map_err(load)?;
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
    /// Prepares the ONNX file `bytes`; `name` stands for it in messages.
    ///
    /// # Errors
    /// [`TractError`] when tract cannot load the file, or it is not an image classifier.
    pub fn from_onnx(bytes: &[u8], name: &str) -> Result<Self, TractError> {
        let load = |e: tract_onnx::prelude::TractError| TractError::Load {
            name: name.to_owned(),
            message: chain(&e),
        };
        let (model, input) = parse(bytes, name)?;
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
            plan,
            input,
            num_classes,
        })
    }

    fn row(&self, image: &[f32]) -> TractResult<Vec<f32>> {
        let [c, h, w] = self.input;
        let input = Tensor::from_shape(&[1, c, h, w], image)?;
        let outputs = self.plan.run(tvec!(input.into()))?;
        let view = outputs[0].to_plain_array_view::<f32>()?;
        Ok(view.iter().copied().collect())
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
            let row = self.row(image).map_err(|e| RunError::Backend {
                backend: "tract",
                message: chain(&e),
            })?;
            values.extend(row);
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
