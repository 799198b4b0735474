//! Adds values to the constants of a graph that shift its logits.

use crate::{Model, OnnxError};

/// Adds `added` `[channels]` to the bias of node `index`, a Conv or Gemm. A node without a bias, or with a
/// shared bias, gets a bias of its own.
///
/// # Errors
/// [`OnnxError`] when the bias is not a float constant.
pub fn add_to_bias(model: &mut Model, index: usize, added: &[f64]) -> Result<(), OnnxError> {
    let node = &model.nodes()[index];
    let label = node.label().to_owned();
    let name = node.input.get(2).filter(|name| !name.is_empty()).cloned();
    let (shape, old) = match &name {
        Some(name) => model.initializer_f32(name)?,
        None => (vec![added.len()], vec![0.0; added.len()]),
    };
    // Gemm allows one bias for all classes, which is expanded.
    let (shape, old) = if old.len() == added.len() {
        (shape, old)
    } else {
        let first = old.first().copied().unwrap_or(0.0);
        (vec![added.len()], vec![first; added.len()])
    };
    let own = match name {
        Some(name) if is_read_once(model, &name) => name,
        Some(name) => fresh(model, &format!("{name}.{label}")),
        None => fresh(model, &format!("{label}.bias")),
    };
    model.set_initializer_f32(&own, &shape, &sums(&old, added));
    let inputs = &mut model.graph_mut().node[index].input;
    inputs.resize(3, String::new());
    inputs[2] = own;
    Ok(())
}

/// Adds `added`, one number per element, to the constant that node `index` reads as its input `input`. A constant with
/// other readers is copied.
pub(super) fn add_to_constant(
    model: &mut Model,
    index: usize,
    input: usize,
    added: &[f64],
) -> Result<(), OnnxError> {
    let node = &model.nodes()[index];
    let (name, label) = (node.input[input].clone(), node.label().to_owned());
    let (shape, old) = model.initializer_f32(&name)?;
    let own = if is_read_once(model, &name) {
        name
    } else {
        fresh(model, &format!("{name}.{label}"))
    };
    model.set_initializer_f32(&own, &shape, &sums(&old, added));
    model.graph_mut().node[index].input[input] = own;
    Ok(())
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a bias plus a shift of a few logits; ONNX stores f32"
)]
fn sums(old: &[f32], added: &[f64]) -> Vec<f32> {
    let pairs = old.iter().zip(added);
    pairs.map(|(&b, a)| (f64::from(b) + a) as f32).collect()
}

fn is_read_once(model: &Model, name: &str) -> bool {
    model.graph().consumers(name).count() == 1
}

/// Returns `wanted`, with a number appended if a value has that name.
fn fresh(model: &Model, wanted: &str) -> String {
    let graph = model.graph();
    let is_taken = |name: &str| {
        let mut ports = graph.input.iter().chain(&graph.output);
        graph.find_initializer(name).is_some()
            || graph.producer(name).is_some()
            || ports.any(|port| port.name() == name)
    };
    let numbered = (2_usize..).map(|n| format!("{wanted}.{n}"));
    let mut names = std::iter::once(wanted.to_owned()).chain(numbered);
    let name = names.find(|name| !is_taken(name));
    name.unwrap_or_else(|| wanted.to_owned())
}
