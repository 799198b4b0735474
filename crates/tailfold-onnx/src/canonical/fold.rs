//! Constant folding: values that depend only on constants become initializers.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::budget::Budget;
use super::{bodies, reads};
use crate::eval::{Unfolded, Value, evaluate};
use crate::limits::MOST_ELEMENTS;
use crate::proto::{GraphProto, NodeProto, TensorProto};
use crate::{Model, OnnxError, OnnxErrorKind};

/// Replaces each node that reads only constants by its value. QuantizeLinear and DequantizeLinear stay, because they
/// hold the scale and zero point of a constant.
///
/// # Errors
/// [`OnnxErrorKind::Limit`] for one constant above the limit, or when `budget` is used up.
pub(super) fn constants(model: &mut Model, budget: &mut Budget) -> Result<(), OnnxError> {
    let graph = model.graph();
    let mut folding = Folding::of(graph);
    let outputs: BTreeSet<&str> = graph.output.iter().map(|o| o.name()).collect();
    let mut folded: BTreeSet<usize> = BTreeSet::new();
    for (index, node) in graph.node.iter().enumerate() {
        if let Some(elements) = claimed(node, &folding.stored) {
            return Err(OnnxErrorKind::Limit
                .error(format!(
                    "{operator} to {elements} elements, expected at most {limit}",
                    operator = node.op_type(),
                    limit = MOST_ELEMENTS
                ))
                .at(format_args!("node `{}`", node.label())));
        }
        if !foldable(node) {
            continue;
        }
        let value = match folding.inputs(node)? {
            Some(inputs) => evaluated(node, &inputs, budget)?,
            None => None,
        };
        let name = &node.output[0];
        match value.filter(|_| !outputs.contains(&**name)) {
            Some(value) => {
                folded.insert(index);
                folding.known.insert(name.clone(), value);
            }
            None => folding.keep(&node.input),
        }
        folding.release(&node.input)?;
    }
    let written = folding.finish()?;
    let mut index = 0;
    let graph = model.graph_mut();
    graph.node.retain(|_| {
        index += 1;
        !folded.contains(&(index - 1))
    });
    graph.initializer.extend(written);
    Ok(())
}

/// The value of `node`; `None` when the evaluator does not support it.
fn evaluated(
    node: &NodeProto,
    inputs: &[Option<&Value>],
    budget: &mut Budget,
) -> Result<Option<Value>, OnnxError> {
    let used_up = || {
        OnnxErrorKind::Limit
            .error(format!(
                "{operator} of constants, and the nodes before it, need more memory or time than \
                 the loader spends",
                operator = node.op_type()
            ))
            .at(format_args!("node `{}`", node.label()))
    };
    let read = inputs.iter().flatten().map(|v| v.len()).sum();
    budget.elements(read).ok_or_else(used_up)?;
    match evaluate(node, inputs) {
        Ok(value) => {
            budget.elements(value.len()).ok_or_else(used_up)?;
            Ok(Some(value))
        }
        Err(Unfolded::Unknown) => Ok(None),
        Err(Unfolded::TooLarge) => Err(OnnxErrorKind::Limit
            .error(format!(
                "{operator} makes more than {limit} elements",
                operator = node.op_type(),
                limit = MOST_ELEMENTS
            ))
            .at(format_args!("node `{}`", node.label()))),
    }
}

/// The values during one pass. A value is dropped after its last reader, so that a chain of large constants needs the
/// memory of two.
struct Folding<'a> {
    /// Initializers of the file.
    stored: BTreeMap<&'a str, &'a TensorProto>,
    /// Values that a later node may fold with.
    known: BTreeMap<String, Value>,
    /// How often nodes that may fold still read each value.
    readers: BTreeMap<&'a str, usize>,
    /// Values that nodes of the folded graph read.
    kept: HashSet<&'a str>,
    /// New initializers.
    written: Vec<TensorProto>,
}

impl<'a> Folding<'a> {
    fn of(graph: &'a GraphProto) -> Self {
        let mut readers = BTreeMap::new();
        let mut kept = HashSet::new();
        for node in &graph.node {
            if foldable(node) {
                for name in &node.input {
                    *readers.entry(&**name).or_insert(0) += 1;
                }
            } else {
                kept.extend(reads(node));
            }
        }
        Self {
            stored: graph.initializer.iter().map(|t| (t.name(), t)).collect(),
            known: BTreeMap::new(),
            readers,
            kept,
            written: Vec::new(),
        }
    }

    /// The inputs of `node`, `None` for an omitted one; `None` for all when one is not constant.
    fn inputs(&mut self, node: &NodeProto) -> Result<Option<Vec<Option<&Value>>>, OnnxError> {
        let names = || node.input.iter().filter(|n| !n.is_empty());
        if !names().all(|n| self.known.contains_key(n) || self.stored.contains_key(&**n)) {
            return Ok(None);
        }
        for name in names() {
            if let (false, Some(tensor)) = (self.known.contains_key(name), self.stored.get(&**name))
            {
                let Some(value) = Value::read(tensor)? else {
                    return Ok(None);
                };
                self.known.insert(name.clone(), value);
            }
        }
        Ok(Some(node.input.iter().map(|n| self.known.get(n)).collect()))
    }

    /// Records that a node which stays reads `names`.
    fn keep(&mut self, names: &'a [String]) {
        self.kept.extend(names.iter().map(String::as_str));
    }

    /// Records that a node has read `names`, and drops the values that no later node folds with.
    fn release(&mut self, names: &[String]) -> Result<(), OnnxError> {
        for name in names {
            let Some(readers) = self.readers.get_mut(&**name) else {
                continue;
            };
            *readers -= 1;
            if *readers == 0
                && let Some(value) = self.known.remove(name)
            {
                self.write(name, &value)?;
            }
        }
        Ok(())
    }

    /// Adds an initializer for a folded value that nodes of the folded graph read.
    fn write(&mut self, name: &str, value: &Value) -> Result<(), OnnxError> {
        if self.kept.contains(name) && !self.stored.contains_key(name) {
            let tensor = value.write(name);
            let tensor = tensor.ok_or_else(|| {
                OnnxErrorKind::Structure
                    .error(format!("the constant `{name}` is not a numeric tensor"))
            })?;
            self.written.push(tensor);
        }
        Ok(())
    }

    /// The new initializers.
    fn finish(mut self) -> Result<Vec<TensorProto>, OnnxError> {
        for (name, value) in std::mem::take(&mut self.known) {
            self.write(&name, &value)?;
        }
        Ok(self.written)
    }
}

/// Number of elements that a Reshape or Expand to a constant shape asks for, if it is above [`MOST_ELEMENTS`].
fn claimed(node: &NodeProto, stored: &BTreeMap<&str, &TensorProto>) -> Option<i64> {
    if !(node.is("Reshape") || node.is("Expand")) {
        return None;
    }
    let shape = stored.get(&**node.input.get(1)?)?;
    let lengths = shape.values::<i64>().ok()?;
    let known = lengths.iter().filter(|l| **l > 0);
    let elements = known.fold(1_i64, |n, &l| n.saturating_mul(l));
    (usize::try_from(elements).map_or(true, |n| n > MOST_ELEMENTS)).then_some(elements)
}

fn foldable(node: &NodeProto) -> bool {
    !node.input.is_empty()
        && node.output.len() == 1
        && !node.output[0].is_empty()
        && bodies::of(node).next().is_none()
        && !node.is("QuantizeLinear")
        && !node.is("DequantizeLinear")
}

#[cfg(test)]
mod tests;
