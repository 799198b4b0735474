//! Parsing of a model by tract.

use std::sync::Arc;

use tailfold_integer::Region;
use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::DimLike as _;
use tract_onnx::tract_hir::infer::Factoid as _;

use crate::error::{TractError, TractErrorKind, chain};
use crate::operator::with_regions;

/// Parses `bytes` and fixes the input to one image; `name` is for messages.
pub(crate) fn parse(
    bytes: &[u8],
    name: &str,
    regions: &[Arc<Region>],
) -> Result<(InferenceModel, [usize; 3]), TractError> {
    let load = |e: tract_onnx::prelude::TractError| {
        TractErrorKind::Model.error(format!(
            "tract cannot load {name}: {message}",
            message = chain(&e)
        ))
    };
    let read = |onnx: tract_onnx::Onnx| {
        // Shapes of intermediate tensors are inferred again for the fixed batch.
        onnx.with_ignore_value_info(true)
            .model_for_read(&mut &*bytes)
    };
    let mut model = with_regions(regions, read).map_err(load)?;
    let not_image = |found: String| {
        TractErrorKind::Shape.error(format!(
            "{name} is not an image classifier: input is {found}, expected one float tensor [N, \
             channels, height, width] with fixed channels, height and width"
        ))
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
