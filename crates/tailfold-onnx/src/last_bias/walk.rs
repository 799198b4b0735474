//! Walk from the logits back to the last bias, through operators that propagate a shift.

use super::{LastBias, NoLastBias, Place, makes_logits};
use crate::proto::NodeProto;
use crate::{Model, OnnxError, Shapes};

/// Operators that keep the order of one image's values.
const SHAPES: [&str; 5] = ["Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze"];

/// Returns the last bias of `model`, whose output has `classes` logits, or the reason why there is none.
///
/// `shapes` are the shapes of the model's values, as far as they are known.
pub(super) fn walk(
    model: &Model,
    shapes: &Shapes,
    classes: usize,
) -> Result<Result<LastBias, NoLastBias>, OnnxError> {
    let mut walk = Walk {
        model,
        shapes,
        gains: vec![1.0; classes],
        nearest: None,
        common: None,
    };
    let output = model.output()?.name();
    let mut value = output;
    let position = |value: &str| {
        let nodes = model.nodes();
        nodes
            .iter()
            .position(|n| n.output.iter().any(|o| o == value))
    };
    let mut last = None;
    while let Some(index) = position(value) {
        let node = &model.nodes()[index];
        last = Some(node);
        if makes_logits(node) {
            if let Some(found) = walk.of_layer(index) {
                return Ok(Ok(found));
            }
            break;
        }
        let through = walk.through(index, value == output);
        match through.and_then(|input| node.input.get(input)) {
            Some(input) => value = input,
            None => break,
        }
    }
    // A constant that is added behind the operator where the walk ends shifts the logits as well.
    Ok(walk.nearest.ok_or_else(|| NoLastBias {
        node: last.map_or(output, NodeProto::label).to_owned(),
        operator: last.map_or("", NodeProto::op_type).to_owned(),
    }))
}

struct Walk<'a> {
    model: &'a Model,
    shapes: &'a Shapes,
    /// Change of each logit per change of the current value, `[classes]`.
    gains: Vec<f64>,
    /// The last addition of a constant that the walk passed.
    nearest: Option<LastBias>,
    /// The first node that adds a term common to all classes.
    common: Option<NoLastBias>,
}

impl Walk<'_> {
    /// Returns the input of node `index` whose shift is also a shift of the node's output; `None` when no input has
    /// one.
    fn through(&mut self, index: usize, is_output: bool) -> Option<usize> {
        let node = &self.model.nodes()[index];
        let passes = match node.op_type() {
            _ if !node.is(node.op_type()) => false,
            op if SHAPES.contains(&op) => true,
            "Transpose" => self.keeps_order(node),
            // The logarithms of the probabilities are used as logits; they keep a shift up to a term common to all
            // classes.
            "Softmax" => is_output,
            // The term common to all classes stays common only when the gains of all classes are equal.
            "LogSoftmax" => {
                let (first, gains) = (self.gains.first(), &self.gains);
                gains
                    .iter()
                    .all(|g| Some(g.to_bits()) == first.map(|f| f.to_bits()))
            }
            "Add" | "Sub" | "Mul" | "Div" => return self.arithmetic(index),
            _ => false,
        };
        if passes && node.op_type().ends_with("Softmax") {
            self.common.get_or_insert_with(|| NoLastBias {
                node: node.label().to_owned(),
                operator: node.op_type().to_owned(),
            });
        }
        passes.then_some(0)
    }

    /// As [`Walk::through`], for an operator of two inputs, one of which is a constant with one value or one per class.
    fn arithmetic(&mut self, index: usize) -> Option<usize> {
        let node = &self.model.nodes()[index];
        let constant = |i: &usize| {
            self.model
                .graph()
                .find_initializer(&node.input[*i])
                .is_some()
        };
        if node.input.len() != 2 {
            return None;
        }
        let constants: Vec<usize> = (0..2).filter(constant).collect();
        let &[at] = &constants[..] else {
            return None;
        };
        let value = 1 - at;
        let Ok((_, factors)) = self.model.initializer_f32(&node.input[at]) else {
            return None;
        };
        let classes = self.gains.len();
        if factors.len() != 1 && factors.len() != classes {
            return None;
        }
        if node.is("Add") || node.is("Sub") {
            let negated = |input: usize| node.is("Sub") && input == 1;
            if factors.len() == classes {
                self.nearest = Some(LastBias {
                    node: index,
                    place: Place::Constant(at),
                    gains: signed(&self.gains, negated(at)),
                    common: self.common.clone(),
                });
            }
            self.gains = signed(&self.gains, negated(value));
            return Some(value);
        }
        if node.is("Div") && at == 0 {
            return None;
        }
        for (gain, factor) in self.gains.iter_mut().zip(factors.iter().cycle()) {
            let factor = f64::from(*factor);
            *gain *= if node.is("Div") { 1.0 / factor } else { factor };
        }
        let usable = self.gains.iter().all(|g| g.is_normal());
        usable.then_some(value)
    }

    /// Returns the bias of the layer `index`; `None` when the layer does not make one value per class or has no usable
    /// bias.
    fn of_layer(&self, index: usize) -> Option<LastBias> {
        let node = &self.model.nodes()[index];
        let graph = self.model.graph();
        let shape = |input: usize| {
            let name = node.input.get(input).filter(|name| !name.is_empty())?;
            graph.find_initializer(name)?.shape().ok()
        };
        let features = match (node.is("Gemm"), node.int("transB").unwrap_or(0)) {
            _ if node.is("MatMul") => return None,
            (true, 0) => shape(1).and_then(|s| s.get(1).copied()),
            _ => shape(1).and_then(|s| s.first().copied()),
        };
        let given = node.input.get(2).is_some_and(|name| !name.is_empty());
        let classes = self.gains.len();
        let fits = match shape(2) {
            Some(s) => {
                s.iter().all(|&d| d == 1)
                    || (s.last() == Some(&classes) && s.iter().product::<usize>() == classes)
            }
            None => !given,
        };
        if features != Some(classes) || !fits {
            return None;
        }
        let factor = if node.is("Gemm") {
            node.float("beta").unwrap_or(1.0)
        } else {
            1.0
        };
        let gains: Vec<f64> = self.gains.iter().map(|g| g * f64::from(factor)).collect();
        let usable = gains.iter().all(|g| g.is_normal());
        usable.then_some(LastBias {
            node: index,
            place: Place::Bias,
            gains,
            common: self.common.clone(),
        })
    }

    /// Returns whether a Transpose keeps the batch first and only moves axes of length 1; false for an unknown shape.
    fn keeps_order(&self, node: &NodeProto) -> bool {
        let shape = node.input.first().and_then(|name| self.shapes.get(name));
        let long = |s: &[usize]| s.iter().skip(1).filter(|d| **d != 1).count();
        node.ints("perm")
            .is_some_and(|perm| perm.first() == Some(&0))
            && shape.is_some_and(|s| long(s) <= 1)
    }
}

fn signed(gains: &[f64], negated: bool) -> Vec<f64> {
    let sign = if negated { -1.0 } else { 1.0 };
    gains.iter().map(|g| g * sign).collect()
}
