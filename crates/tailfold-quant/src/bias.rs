//! Adds to the float bias of a layer.

use tailfold_onnx::Model;

use crate::affine::to_f32;
use crate::error::QuantError;
use crate::names::Names;

/// Adds `added` `[channels]` to the bias of node `index`, a Conv or Gemm; one that has none, or shares it, gets its own.
///
/// # Errors
/// [`QuantError::Onnx`] when the bias is no float constant.
pub(crate) fn add_to_bias(
    model: &mut Model,
    names: &mut Names,
    index: usize,
    added: &[f64],
) -> Result<(), QuantError> {
    let node = &model.nodes()[index];
    let label = node.label().to_owned();
    let name = node.input.get(2).filter(|name| !name.is_empty()).cloned();
    let (shape, old) = match &name {
        Some(name) => model.initializer_f32(name)?,
        None => (vec![added.len()], vec![0.0; added.len()]),
    };
    // One value for all classes, as Gemm allows.
    let (shape, old) = if old.len() == added.len() {
        (shape, old)
    } else {
        let first = old.first().copied().unwrap_or(0.0);
        (vec![added.len()], vec![first; added.len()])
    };
    let sums = old
        .iter()
        .zip(added)
        .map(|(&b, a)| to_f32(f64::from(b) + a));
    let sums: Vec<f32> = sums.collect();
    let own = match name {
        Some(name) if model.graph().consumers(&name).count() == 1 => name,
        Some(name) => names.fresh(&format!("{name}.{label}")),
        None => names.fresh(&format!("{label}.bias")),
    };
    model.set_initializer_f32(&own, &shape, &sums);
    let inputs = &mut model.graph_mut().node[index].input;
    inputs.resize(3, String::new());
    inputs[2] = own;
    Ok(())
}
