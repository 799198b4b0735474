//! Functions of one code: elementwise operators between codes and codes, as a table of every code's result.

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

/// No activation has more operators.
const LONGEST: usize = 64;

/// Whether the standard operator `node` makes each value of one value of each of its inputs, so that between codes and codes it
/// can be part of a table: an activation, or arithmetic.
pub fn is_elementwise(node: &NodeProto) -> bool {
    Formula::of(node).is_some()
}

/// The operators of a function.
struct Function<'a> {
    /// Makers before readers; the last one makes the result.
    steps: Vec<Step<'a>>,
    /// Their nodes.
    nodes: BTreeSet<usize>,
}

struct Step<'a> {
    node: &'a NodeProto,
    formula: Formula,
    inputs: Vec<Term<'a>>,
}

/// An input of an operator.
enum Term<'a> {
    /// An optional input that is not there.
    Missing,
    /// The value of the code.
    Source,
    Constant(f64),
    /// The result of an earlier operator.
    Inner(&'a str),
}

impl<'a> Lowering<'a> {
    /// The function that begins with `node`, when one value at a time goes from codes to codes.
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

    /// The QuantizeLinear node that ends the way of the values of `node` through operators of one value.
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

    /// All operators from the codes `x` to the node `quantize`, none of them before `first`; `None` when there is another
    /// source, another reader, or an operator of more than one value.
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
        // Backwards, each operator noted when all that it reads is.
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

    /// Input `place` of `node` as one number for all values or the source of a function; `None` for anything else.
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

    /// The only value of a constant at input `place` of `node`, which spreads over a tensor of `rank` without changing its
    /// shape.
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
        Ok(match tensor.element() {
            Some(DataType::Float) => tensor.values::<f32>()?.first().map(|&v| f64::from(v)),
            // An exponent may be whole.
            Some(DataType::Int32) => tensor.values::<i32>()?.first().map(|&v| f64::from(v)),
            Some(DataType::Int64) => {
                let value = tensor.values::<i64>()?.first().copied();
                let value = value.and_then(|v| i32::try_from(v).ok());
                value.map(f64::from)
            }
            _ => None,
        })
    }
}

impl<'a> Function<'a> {
    /// The code of `steps` for the result of every code, from the smallest code of `x` on; `None` when a result is not a
    /// number.
    fn table(&self, x: &Codes, steps: Steps) -> Option<Vec<i16>> {
        let codes = x.steps.low..=x.steps.high;
        let result = |code: i16| {
            let source = f64::from(code) * f64::from(x.steps.scale);
            let value = self.value(source)? / f64::from(steps.scale);
            (!value.is_nan()).then(|| nearest(value, steps))
        };
        codes.map(result).collect()
    }

    /// The result for one value.
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

/// The code of `steps` that is nearest to `value`, in steps, ties to even.
#[expect(clippy::cast_possible_truncation, reason = "clamped to codes")]
fn nearest(value: f64, steps: Steps) -> i16 {
    let [low, high] = [steps.low, steps.high].map(f64::from);
    value.round_ties_even().clamp(low, high) as i16
}
