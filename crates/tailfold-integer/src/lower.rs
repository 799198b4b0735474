//! The pass over the graph that decides which nodes become integer layers.

mod average;
mod concat;
mod ending;
mod function;
mod geometry;
mod moves;
mod product;
mod shapes;
mod sums;
mod unit;
mod weighted;

use std::collections::{BTreeMap, BTreeSet};

use tailfold_kernels::{Isa, Operation, Steps};
use tailfold_onnx::Model;
use tailfold_onnx::proto::NodeProto;

use crate::draft::{Absorbed, Draft, Drafts};
use crate::graph::{Graph, input, output};
use crate::params::Params;
use crate::regions::{self, Lowered};
use crate::{IntegerError, Shapes};
use ending::Ending;
pub use function::is_elementwise;
pub use geometry::window;

/// Lowers the quantized regions of `model` to integer programs for `isa`, for a batch of one image.
///
/// `shapes` has the shapes of the results of nodes without an integer kernel; behind a tensor of unknown
/// shape, the graph stays float. A graph without quantized regions is returned unchanged, and so is a graph
/// with branches or loops, whose bodies may read any value.
///
/// # Errors
/// [`IntegerError`], which names a node whose scales, zero points, quantized values or sizes violate the ONNX
/// specification or have no exact kernel. A valid operator without an integer kernel is not an error: its
/// node remains, and [`Lowered::nodes`] lists it without a kernel.
pub fn lower(model: Model, isa: Isa, shapes: &Shapes) -> Result<Lowered, IntegerError> {
    let (drafts, absorbed) = Lowering::of(&model, shapes)?;
    regions::build(model, isa, drafts, &absorbed)
}

/// A quantized tensor.
#[derive(Clone, Debug)]
pub(crate) struct Codes {
    pub(crate) tensor: usize,
    pub(crate) steps: Steps,
    /// Shape in the graph, including a batch of one. The size of `tensor` can differ: a flattened image is
    /// still stored as an image.
    pub(crate) shape: Vec<usize>,
    pub(crate) level: usize,
}

/// A real tensor.
#[derive(Clone, Debug)]
pub(crate) struct Real {
    /// Shape for a batch of one, if it is known.
    pub(crate) shape: Option<Vec<usize>>,
    /// Number of times that the path to this tensor leaves integer regions: regions of the same level never
    /// depend on each other.
    pub(crate) level: usize,
}

/// State of the pass.
pub(crate) struct Lowering<'a> {
    graph: Graph<'a>,
    /// Shapes of the float tensors, as far as they are known.
    shapes: &'a Shapes,
    /// Results of QuantizeLinear nodes, by name.
    codes: BTreeMap<&'a str, Codes>,
    /// Inputs of DequantizeLinear nodes, by the name of the node's output.
    dequantized: BTreeMap<&'a str, Codes>,
    real: BTreeMap<&'a str, Real>,
    drafts: Drafts,
    absorbed: Absorbed,
    exported: BTreeSet<&'a str>,
    /// Copies of quantized tensors for regions of a later level, by name and level.
    again: BTreeMap<(&'a str, usize), Codes>,
}

impl<'a> Lowering<'a> {
    /// Returns the layers of `model`, and the nodes that they replace.
    fn of(model: &'a Model, shapes: &'a Shapes) -> Result<(Drafts, Absorbed), IntegerError> {
        let mut lowering = Self::new(model, shapes)?;
        let has_body = |node: &NodeProto| {
            let mut attributes = node.attribute.iter();
            attributes.any(|a| a.g.is_some() || !a.graphs.is_empty())
        };
        if model.nodes().iter().any(has_body) {
            return Ok((Drafts::default(), Absorbed::new()));
        }
        for index in 0..lowering.graph.nodes.len() {
            if !lowering.absorbed.contains_key(&index) {
                lowering.node(index)?;
            }
        }
        lowering.export_outputs();
        Ok((lowering.drafts, lowering.absorbed))
    }

    fn new(model: &'a Model, shapes: &'a Shapes) -> Result<Self, IntegerError> {
        let graph = Graph::new(model);
        let mut real = BTreeMap::new();
        let port = model.input()?;
        let shape = port.shape().and_then(|shape| {
            let (_, rest) = shape.split_first()?;
            let rest: Option<Vec<usize>> = rest.iter().copied().collect();
            Some([vec![1], rest?].concat())
        });
        let shape = shape.or_else(|| shapes.get(port.name()).cloned());
        real.insert(port.name(), Real { shape, level: 0 });
        Ok(Self {
            graph,
            shapes,
            codes: BTreeMap::new(),
            dequantized: BTreeMap::new(),
            real,
            drafts: Drafts::default(),
            absorbed: BTreeMap::new(),
            exported: BTreeSet::new(),
            again: BTreeMap::new(),
        })
    }

    fn node(&mut self, index: usize) -> Result<(), IntegerError> {
        let node = &self.graph.nodes[index];
        let taken = match node.op_type() {
            _ if !matches!(node.domain(), "" | "ai.onnx") => false,
            "QuantizeLinear" => self.quantize(index, node)?,
            "DequantizeLinear" => self.dequantize(index, node)?,
            "Conv" => self.conv(index, node)?,
            "Gemm" => self.gemm(index, node)?,
            "Add" => self.add(index, node)?,
            "Concat" => self.concat(index, node)?,
            "Mul" => self.product(index, node)?,
            "AveragePool" => self.average_pool(index, node)?,
            "MaxPool" => self.max_pool(index, node)?,
            "GlobalAveragePool" => self.mean(index, node)?,
            "Slice" => self.slice(index, node)?,
            "Pad" => self.pad(index, node)?,
            "Flatten" | "Reshape" | "Squeeze" | "Unsqueeze" | "Identity" | "Relu" | "Clip" => {
                self.rescale(index, node)?
            }
            _ => false,
        };
        if !taken && !self.function(index, node)? {
            self.leave(node);
        }
        Ok(())
    }

    /// Lowers QuantizeLinear of a real or dequantized tensor; returns false when the node stays.
    fn quantize(&mut self, index: usize, node: &'a NodeProto) -> Result<bool, IntegerError> {
        let Some(steps) = self.own(index)? else {
            return Ok(false);
        };
        let Some(name) = input(node, 0) else {
            return Ok(false);
        };
        if let Some(from) = self.dequantized.get(name).cloned() {
            let ending = Ending::codes(index, steps);
            self.rescaled(index, node, &from, from.shape.clone(), ending)?;
            return Ok(true);
        }
        let Some(real) = self.real.get(name) else {
            return Ok(false);
        };
        let Some(size) = real.shape.as_deref().and_then(image_size) else {
            return Ok(false);
        };
        let codes = Codes {
            tensor: self.drafts.tensor(size),
            steps,
            shape: real.shape.clone().unwrap_or_default(),
            level: real.level,
        };
        let operation = Operation::Quantize {
            input: 0,
            steps,
            output: codes.tensor,
        };
        let layer = self.drafts.push(Draft {
            level: codes.level,
            name: node.label().to_owned(),
            operation,
            reads: Some(name.to_owned()),
            makes: None,
        });
        self.absorbed.insert(index, Some(layer));
        self.codes.insert(output(node), codes);
        Ok(true)
    }

    fn dequantize(&mut self, index: usize, node: &'a NodeProto) -> Result<bool, IntegerError> {
        Params::read(&self.graph, node)?;
        let Some(codes) = input(node, 0).and_then(|x| self.codes.get(x)).cloned() else {
            return Ok(false);
        };
        self.dequantized.insert(output(node), codes);
        self.absorbed.insert(index, None);
        Ok(true)
    }

    /// Records that `node` stays in float, and dequantizes its quantized inputs.
    fn leave(&mut self, node: &'a NodeProto) {
        let mut level = 0;
        for name in node.input.iter().filter(|n| !n.is_empty()) {
            if self.dequantized.contains_key(name.as_str()) {
                self.export(name);
            }
            if let Some(real) = self.real.get(name.as_str()) {
                level = level.max(real.level);
            }
        }
        for name in node.output.iter().filter(|n| !n.is_empty()) {
            let shape = self.shapes.get(name).cloned();
            self.real.insert(name, Real { shape, level });
        }
    }

    /// Adds the real tensor of the DequantizeLinear output `name`, once.
    fn export(&mut self, name: &'a str) {
        let Some(codes) = self.dequantized.get(name).cloned() else {
            return;
        };
        if !self.exported.insert(name) {
            return;
        }
        self.drafts.push(Draft {
            level: codes.level,
            name: name.to_owned(),
            operation: Operation::Dequantize {
                input: codes.tensor,
                steps: codes.steps,
                output: 0,
            },
            reads: None,
            makes: Some((name.to_owned(), codes.shape.clone())),
        });
        let real = Real {
            shape: Some(codes.shape),
            level: codes.level + 1,
        };
        self.real.insert(name, real);
    }

    fn export_outputs(&mut self) {
        let outputs: Vec<&'a str> = self.dequantized.keys().copied().collect();
        for name in outputs {
            if self.graph.is_output(name) {
                self.export(name);
            }
        }
    }

    /// Returns the codes behind input `index` of `node`.
    fn codes_in(&self, node: &NodeProto, index: usize) -> Option<Codes> {
        input(node, index)
            .and_then(|name| self.dequantized.get(name))
            .cloned()
    }

    /// Returns the codes behind the DequantizeLinear output `name` for a region of `level`. Codes of an
    /// earlier region are exported as real values and quantized again, which is lossless.
    fn at_level(&mut self, name: &'a str, level: usize) -> Option<Codes> {
        let codes = self.dequantized.get(name)?.clone();
        if codes.level >= level {
            return Some(codes);
        }
        if let Some(again) = self.again.get(&(name, level)) {
            return Some(again.clone());
        }
        self.export(name);
        let size = self.drafts.tensors[codes.tensor];
        let again = Codes {
            tensor: self.drafts.tensor(size),
            level,
            ..codes
        };
        self.drafts.push(Draft {
            level,
            name: name.to_owned(),
            operation: Operation::Quantize {
                input: 0,
                steps: again.steps,
                output: again.tensor,
            },
            reads: Some(name.to_owned()),
            makes: None,
        });
        self.again.insert((name, level), again.clone());
        Some(again)
    }

    /// Records that `layer` replaces `node` and the nodes of `ending`, and writes `codes`.
    fn took(&mut self, index: usize, layer: Option<usize>, ending: &Ending, codes: Codes) {
        self.absorbed.insert(index, layer);
        for &node in &ending.absorbed {
            self.absorbed.insert(node, layer);
        }
        let name = output(&self.graph.nodes[ending.quantize]);
        self.codes.insert(name, codes);
    }
}

/// Returns `[channels, height, width]` of one image or of one row of features; `None` for other shapes, and
/// for unrealistic sizes.
fn image_size(shape: &[usize]) -> Option<[usize; 3]> {
    let size = match *shape {
        [1, c, h, w] => [c, h, w],
        [1, features] => [features, 1, 1],
        _ => return None,
    };
    size.iter()
        .all(|s| (1..1 << 16).contains(s))
        .then_some(size)
}

#[cfg(test)]
mod tests;
