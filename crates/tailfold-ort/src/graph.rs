//! Properties of a graph that a session depends on.

use tailfold_onnx::Model;
use tailfold_onnx::proto::DataType;

use crate::{OrtError, OrtErrorKind};

/// Properties of a graph that a session depends on.
#[derive(Clone, Debug)]
pub(crate) struct Graph {
    /// `[channels, height, width]`.
    pub(crate) input: [usize; 3],
    /// Name of the batch dimension, if it is symbolic.
    pub(crate) batch: Option<String>,
    pub(crate) is_quantized: bool,
    pub(crate) is_half: bool,
}

impl Graph {
    pub(crate) fn of(model: &Model, name: &str) -> Result<Self, OrtError> {
        let not_image = |found: String| {
            OrtErrorKind::Model
                .error(format!(
                    "{found}, expected one float tensor [N, channels, height, width] with fixed \
                     channels, height and width"
                ))
                .at(name)
        };
        let shape = model.input_shape().map_err(|e| not_image(e.to_string()))?;
        let [_, Some(c), Some(h), Some(w)] = shape else {
            return Err(not_image(format!("its input has the shape {shape:?}")));
        };
        let mut values = model.graph().initializer.iter();
        Ok(Self {
            input: [c, h, w],
            batch: model.batch_name(),
            is_quantized: model
                .nodes()
                .iter()
                .any(|n| n.is("QuantizeLinear") || n.is("DequantizeLinear")),
            is_half: values.any(|t| t.element() == Some(DataType::Float16)),
        })
    }
}
