//! Lowering of elementwise operators between two quantizations to a lookup table with the result of every code.

mod erf;
mod formula;

use std::collections::{BTreeMap, BTreeSet};

use tailfold_kernels::{Operation, Steps};
use tailfold_onnx::proto::{DataType, NodeProto};

use super::ending::Ending;
use super::{Codes, Lowering};
use crate::IntegerError;
use crate::graph::{input, output};
use formula::Formula;

/// Largest number of operators in one function; no activation has more.
const LONGEST: usize = 64;

/// Returns whether `node` is a standard elementwise operator, such as an activation or arithmetic, that
/// [`crate::lower()`] can replace by a lookup table between two quantizations.
pub fn is_elementwise(node: &NodeProto) -> bool {
    Formula::of(node).is_some()
}

/// A function of one quantized tensor, made of elementwise operators.
struct Function<'a> {
    /// The operators in topological order; the last one computes the result.
    steps: Vec<Step<'a>>,
    /// Indices of their nodes.
    nodes: BTreeSet<usize>,
}

/// One operator of a function.
struct Step<'a> {
    node: &'a NodeProto,
    formula: Formula,
    inputs: Vec<Term<'a>>,
}

/// An input of an operator.
enum Term<'a> {
    /// An optional input that is omitted.
    Missing,
    /// The dequantized input of the function.
    Source,
    Constant(f64),
    /// The result of an earlier operator.
    Inner(&'a str),
}

impl<'a> Lowering<'a> {
    /// Lowers the function that begins with `node` to a table; returns false when it stays float.
    pub(super) fn function(
        &mut self,
        index: usize,
        node: &'a NodeProto,
    ) -> Result<bool, IntegerError> {
        let mut sources = (0..node.input.len()).filter_map(|i| self.codes_in(node, i));
        let Some(x) = sources.next() else {
            return Ok(false);
        };
        let Some(quantize) = self.end_of_function(node) else {
            return Ok(false);
        };
        let Some(function) = self.between(index, quantize, &x)? else {
            return Ok(false);
        };
        let Some(steps) = self.own(quantize)? else {
            return Ok(false);
        };
        let Some(table) = function.table(&x, steps) else {
            return Ok(false);
        };
        let mut ending = Ending::codes(quantize, steps);
        ending.absorbed.extend(&function.nodes);
        let operation = Operation::Table {
            input: x.tensor,
            first: x.steps.low,
            table,
            output: self.drafts.tensor(self.drafts.tensors[x.tensor]),
        };
        let last = function.steps.last().map_or(node, |step| step.node);
        self.simple(index, last, &x, operation, ending, x.shape.clone());
        Ok(true)
    }

    /// Returns the QuantizeLinear node behind the elementwise operators that follow `node`, if there is one.
    fn end_of_function(&self, node: &NodeProto) -> Option<usize> {
        let mut node = node;
        for _ in 0..LONGEST {
            Formula::of(node)?;
            let &next = self.graph.consumers(output(node)).first()?;
            node = &self.graph.nodes[next];
            if node.is("QuantizeLinear") {
                return Some(next);
            }
        }
        None
    }

    /// Returns the operators between the quantized tensor `x` and the node `quantize`; node `first` is the earliest of
    /// them.
    ///
    /// `None` when an operator is not elementwise, reads another tensor, or has a result that is also read elsewhere.
    fn between(
        &self,
        first: usize,
        quantize: usize,
        x: &Codes,
    ) -> Result<Option<Function<'a>>, IntegerError> {
        let nodes = self.graph.nodes;
        let maker = |value| self.graph.producer(value);
        let mut found = BTreeSet::new();
        let mut steps = Vec::new();
        // Depth-first from the end: an operator is pushed to `steps` after all operators that it reads.
        let end = input(&nodes[quantize], 0).and_then(maker);
        let mut open: Vec<(usize, Option<Step<'a>>)> = end.map(|n| (n, None)).into_iter().collect();
        while let Some((index, step)) = open.pop() {
            if let Some(step) = step {
                steps.push(step);
                continue;
            }
            if !found.insert(index) {
                continue;
            }
            let node = &nodes[index];
            let fits = index >= first && found.len() <= LONGEST && node.output.len() == 1;
            let Some(formula) = Formula::of(node).filter(|_| fits) else {
                return Ok(None);
            };
            let mut inputs = Vec::with_capacity(node.input.len());
            let mut before = Vec::new();
            for (place, name) in node.input.iter().enumerate() {
                let term = match self.term(node, place, x)? {
                    Some(term) => term,
                    None => match maker(name) {
                        Some(maker) => {
                            before.push((maker, None));
                            Term::Inner(name)
                        }
                        None => return Ok(None),
                    },
                };
                inputs.push(term);
            }
            open.push((
                index,
                Some(Step {
                    node,
                    formula,
                    inputs,
                }),
            ));
            open.extend(before);
        }
        let alone = |step: &Step<'_>| {
            let value = output(step.node);
            let mut readers = self.graph.consumers(value).iter();
            readers.all(|reader| *reader == quantize || found.contains(reader))
                && !self.graph.is_output(value)
        };
        let whole = found.contains(&first) && steps.iter().all(alone);
        Ok(whole.then_some(Function {
            steps,
            nodes: found,
        }))
    }

    /// Returns input `place` of `node` when it is missing, the source `x`, or a scalar constant; `None` for anything
    /// else.
    fn term(
        &self,
        node: &'a NodeProto,
        place: usize,
        x: &Codes,
    ) -> Result<Option<Term<'a>>, IntegerError> {
        let Some(name) = input(node, place) else {
            return Ok(Some(Term::Missing));
        };
        if let Some(codes) = self.dequantized.get(name) {
            let same = codes.tensor == x.tensor && codes.shape == x.shape;
            return Ok(same.then_some(Term::Source));
        }
        let rank = x.shape.len();
        Ok(self.scalar(node, place, rank)?.map(Term::Constant))
    }

    /// Returns the value of a scalar constant at input `place` of `node`; `None` unless it broadcasts to a tensor of
    /// `rank` without changing its shape.
    fn scalar(
        &self,
        node: &NodeProto,
        place: usize,
        rank: usize,
    ) -> Result<Option<f64>, IntegerError> {
        let Some(tensor) = input(node, place).and_then(|name| self.graph.constant(name)) else {
            let values = self.reals(node, place)?;
            return Ok(match values.as_deref() {
                Some(&[value]) => Some(value),
                _ => None,
            });
        };
        let shape = tensor.shape()?;
        if shape.len() > rank || shape.iter().any(|&length| length != 1) {
            return Ok(None);
        }
        // Only the exponent of Pow may have another type than the result.
        let exponent = place == 1 && node.is("Pow");
        Ok(match tensor.element() {
            Some(DataType::Float) => tensor.values::<f32>()?.first().map(|&v| f64::from(v)),
            Some(DataType::Int32) if exponent => {
                tensor.values::<i32>()?.first().map(|&v| f64::from(v))
            }
            Some(DataType::Int64) if exponent => {
                let value = tensor.values::<i64>()?.first().copied();
                let value = value.and_then(|v| i32::try_from(v).ok());
                value.map(f64::from)
            }
            _ => None,
        })
    }
}

impl<'a> Function<'a> {
    /// Returns the code of `steps` for the result of every code of `x`, from the smallest on; `None` when a result is
    /// NaN.
    fn table(&self, x: &Codes, steps: Steps) -> Option<Vec<i16>> {
        let codes = x.steps.low..=x.steps.high;
        let result = |code: i16| {
            let source = f64::from(code) * f64::from(x.steps.scale);
            let value = self.value(source)? / f64::from(steps.scale);
            (!value.is_nan()).then(|| nearest(value, steps))
        };
        codes.map(result).collect()
    }

    /// Returns the result of the function for the value `source`.
    fn value(&self, source: f64) -> Option<f64> {
        let mut values: BTreeMap<&'a str, f64> = BTreeMap::new();
        let mut last = None;
        for step in &self.steps {
            let inputs = step.inputs.iter().map(|term| match *term {
                Term::Missing => Some(None),
                Term::Source => Some(Some(source)),
                Term::Constant(value) => Some(Some(value)),
                Term::Inner(name) => values.get(name).copied().map(Some),
            });
            let inputs: Option<Vec<Option<f64>>> = inputs.collect();
            let value = step.formula.value(&inputs?)?;
            values.insert(output(step.node), value);
            last = Some(value);
        }
        last
    }
}

/// Returns the code of `steps` nearest to `value`, which is in units of the scale; ties round to even.
#[expect(clippy::cast_possible_truncation, reason = "clamped to codes")]
fn nearest(value: f64, steps: Steps) -> i16 {
    let [low, high] = [steps.low, steps.high].map(f64::from);
    value.round_ties_even().clamp(low, high) as i16
}
