//! The values of named tensors inside a network, for calibration and for finding where two models part.

use std::sync::Arc;

use tract_onnx::prelude::*;

use crate::classifier::parse;
use crate::error::{TractError, chain};

/// A network whose outputs are chosen inner tensors.
#[derive(Clone, Debug)]
pub struct TensorObserver {
    plan: Arc<TypedRunnableModel>,
    input: [usize; 3],
    shapes: Vec<Option<Vec<usize>>>,
    name: String,
}

impl TensorObserver {
    /// Prepares the ONNX file `bytes` to show `tensors`, by their ONNX names, in that order.
    ///
    /// # Errors
    /// [`TractError::NoTensor`] naming the first one missing, or as [`crate::TractClassifier::from_onnx`].
    pub fn from_onnx(bytes: &[u8], name: &str, tensors: &[String]) -> Result<Self, TractError> {
        let load = |e: tract_onnx::prelude::TractError| TractError::Load {
            name: name.to_owned(),
            message: chain(&e),
        };
        let (mut model, input) = parse(bytes, name, &[])?;
        for tensor in tensors {
            if model.find_outlet_label(tensor).is_none()
                && !model.nodes().iter().any(|n| n.name == *tensor)
            {
                return Err(TractError::NoTensor {
                    name: name.to_owned(),
                    tensor: tensor.clone(),
                });
            }
        }
        model.select_outputs_by_name(tensors).map_err(load)?;
        // Outputs are the model's interface: the optimiser leaves their layout alone.
        let model = model.into_optimized().map_err(load)?;
        let shapes = (0..tensors.len())
            .map(|i| {
                Ok(model
                    .output_fact(i)?
                    .shape
                    .as_concrete()
                    .map(<[usize]>::to_vec))
            })
            .collect::<TractResult<_>>()
            .map_err(load)?;
        Ok(Self {
            shapes,
            plan: model.into_runnable().map_err(load)?,
            input,
            name: name.to_owned(),
        })
    }

    /// Shape of one image: `[channels, height, width]`.
    pub fn input_shape(&self) -> [usize; 3] {
        self.input
    }

    /// Shape of each tensor for one image, in the order of the names; `None` where it depends on values.
    pub fn shapes(&self) -> &[Option<Vec<usize>>] {
        &self.shapes
    }

    /// Runs one preprocessed image, `channels * height * width` values, and hands each tensor's index and values to
    /// `visit`.
    ///
    /// # Errors
    /// [`TractError::Run`] when the image does not fit or execution fails.
    pub fn observe(
        &self,
        image: &[f32],
        mut visit: impl FnMut(usize, &[f32]),
    ) -> Result<(), TractError> {
        let run = |e: tract_onnx::prelude::TractError| TractError::Run {
            name: self.name.clone(),
            message: chain(&e),
        };
        let [c, h, w] = self.input;
        let input = Tensor::from_shape(&[1, c, h, w], image).map_err(run)?;
        for (index, output) in self
            .plan
            .run(tvec!(input.into()))
            .map_err(run)?
            .iter()
            .enumerate()
        {
            let values = output.cast_to::<f32>().map_err(run)?;
            let view = values.to_plain_array_view::<f32>().map_err(run)?;
            match view.as_slice() {
                Some(values) => visit(index, values),
                None => visit(index, &view.iter().copied().collect::<Vec<_>>()),
            }
        }
        Ok(())
    }
}
