//! The layers of a network. A node and its output have the same name, so that every tool shows it.

use tailfold_spec::{Activation, Block, ConvNorm, MaxPool, Shortcut};

use crate::builder::{GraphBuilder, Value};
use crate::norm::folded_conv;
use crate::proto::NodeProto;
use crate::{Checkpoint, OnnxError};

/// A network under construction.
pub(crate) struct Layers<'a> {
    pub(crate) graph: GraphBuilder,
    pub(crate) checkpoint: &'a Checkpoint,
    /// Epsilon of every BatchNorm.
    pub(crate) epsilon: f64,
}

impl Layers<'_> {
    /// Adds a convolution with its BatchNorm folded in, and its activation.
    ///
    /// # Shapes
    /// `[from, h, w]` to `[to, h', w']`.
    pub(crate) fn layer(&mut self, layer: &ConvNorm, x: &Value) -> Result<Value, OnnxError> {
        let y = self.conv(layer, x)?;
        Ok(self.activation(layer, &y))
    }

    fn conv(&mut self, layer: &ConvNorm, x: &Value) -> Result<Value, OnnxError> {
        let name = layer.part("conv");
        let shape = layer.weight_shape();
        let folded = folded_conv(self.checkpoint, layer, self.epsilon)?;
        let weight = self
            .graph
            .constant(format!("{name}.weight"), &shape, &folded.weight);
        let bias = self
            .graph
            .constant(format!("{name}.bias"), &[layer.to], &folded.bias);
        let node = NodeProto::new("Conv", &name, [&x.name, &weight, &bias], [&name])
            .attr_ints("dilations", &[1, 1])
            .attr_int("group", layer.groups as i64)
            .attr_ints("kernel_shape", &[layer.kernel as i64; 2])
            .attr_ints("pads", &layer.pads.map(|zeros| zeros as i64))
            .attr_ints("strides", &[layer.stride as i64; 2]);
        let [h, w] = layer.size;
        Ok(self.graph.node(node, vec![layer.to, h, w]))
    }

    fn activation(&mut self, layer: &ConvNorm, x: &Value) -> Value {
        match layer.activation {
            Activation::Linear => x.clone(),
            Activation::Relu => self.unary("Relu", &layer.part("relu"), x),
            Activation::Relu6 => {
                let name = layer.part("clip");
                let bounds = [("min", 0.0_f32), ("max", 6.0)].map(|(bound, value)| {
                    self.graph
                        .constant(format!("{name}.{bound}"), &[], &[value])
                });
                let node =
                    NodeProto::new("Clip", &name, [&x.name].into_iter().chain(&bounds), [&name]);
                self.graph.node(node, x.shape.clone())
            }
        }
    }

    /// Adds an elementwise operator with one input.
    pub(crate) fn unary(&mut self, op: &str, name: &str, x: &Value) -> Value {
        let node = NodeProto::new(op, name, [&x.name], [name]);
        self.graph.node(node, x.shape.clone())
    }

    /// Adds a sequence of convolutions and the shortcut around them.
    ///
    /// # Shapes
    /// As [`Layers::layer`].
    pub(crate) fn block(&mut self, block: &Block, x: &Value) -> Result<Value, OnnxError> {
        let [first, second] = &block.convs;
        let mut y = self.layer(first, x)?;
        if block.third.is_some() {
            y = self.layer(second, &y)?;
        }
        let end = block.end();
        y = self.conv(end, &y)?;
        let shortcut = match &block.shortcut {
            Shortcut::None => None,
            Shortcut::Identity => Some(x.clone()),
            Shortcut::Thinned { stride } => {
                Some(self.shortcut(&format!("{}.shortcut", block.name), x, end, *stride))
            }
            Shortcut::Projection(layer) => Some(self.layer(layer, x)?),
        };
        if let Some(shortcut) = shortcut {
            let add = format!("{}.add", block.name);
            let node = NodeProto::new("Add", &add, [&y.name, &shortcut.name], [&add]);
            y = self.graph.node(node, y.shape);
        }
        Ok(self.activation(end, &y))
    }

    /// Adds the parameter-free shortcut (option A): every `stride`-th pixel, then zero channels on both
    /// sides.
    fn shortcut(&mut self, name: &str, x: &Value, end: &ConvNorm, stride: usize) -> Value {
        let mut x = x.clone();
        if stride != 1 {
            x = self.slice(name, &x, stride);
        }
        if x.shape[0] != end.to {
            x = self.pad(name, &x, end.to);
        }
        x
    }

    /// Adds `x[:, :, ::stride, ::stride]`.
    fn slice(&mut self, name: &str, x: &Value, stride: usize) -> Value {
        let (h, w, step) = (x.shape[1] as i64, x.shape[2] as i64, stride as i64);
        let inputs = [
            ("starts", [0, 0]),
            ("ends", [h, w]),
            ("axes", [2, 3]),
            ("steps", [step, step]),
        ];
        let inputs = inputs
            .map(|(part, values)| self.graph.constant(format!("{name}.{part}"), &[2], &values));
        let name = format!("{name}.slice");
        let node = NodeProto::new(
            "Slice",
            &name,
            [&x.name].into_iter().chain(&inputs),
            [&name],
        );
        self.graph.node(node, thinned(x.shape[0], x, stride))
    }

    /// Pads with zero channels up to `out`: half of them before, the rest after, including the odd one.
    fn pad(&mut self, name: &str, x: &Value, out: usize) -> Value {
        let missing = out - x.shape[0];
        let (front, back) = (missing / 2, missing.div_ceil(2));
        let pads = [0, front as i64, 0, 0, 0, back as i64, 0, 0];
        let pads = self.graph.constant(format!("{name}.pads"), &[8], &pads);
        let zero = self.graph.constant(format!("{name}.zero"), &[], &[0.0_f32]);
        let name = format!("{name}.pad");
        let node = NodeProto::new("Pad", &name, [&x.name, &pads, &zero], [&name])
            .attr_str("mode", "constant");
        self.graph.node(node, vec![out, x.shape[1], x.shape[2]])
    }

    /// Adds a max pool.
    ///
    /// # Shapes
    /// `[c, h, w]` to `[c, h', w']`.
    pub(crate) fn max_pool(&mut self, pool: &MaxPool, x: &Value) -> Value {
        let name = "stem.pool";
        let node = NodeProto::new("MaxPool", name, [&x.name], [name])
            .attr_int("ceil_mode", 0)
            .attr_ints("kernel_shape", &[pool.kernel as i64; 2])
            .attr_ints("pads", &pool.pads.map(|pixels| pixels as i64))
            .attr_ints("strides", &[pool.stride as i64; 2]);
        let [h, w] = pool.size;
        self.graph.node(node, vec![x.shape[0], h, w])
    }

    /// Adds a global average pool.
    ///
    /// # Shapes
    /// `[c, h, w]` to `[c]`, named `feature`.
    pub(crate) fn mean(&mut self, x: &Value) -> Value {
        let channels = x.shape[0];
        let node = NodeProto::new("GlobalAveragePool", "pool", [&x.name], ["pool"]);
        let pooled = self.graph.node(node, vec![channels, 1, 1]);
        let node =
            NodeProto::new("Flatten", "flatten", [&pooled.name], ["feature"]).attr_int("axis", 1);
        self.graph.node(node, vec![channels])
    }
}

/// Returns the shape `[channels, h, w]` after keeping every `stride`-th pixel of `x`.
fn thinned(channels: usize, x: &Value, stride: usize) -> Vec<usize> {
    vec![
        channels,
        x.shape[1].div_ceil(stride),
        x.shape[2].div_ceil(stride),
    ]
}
