//! The layers of a residual network; a node and the value it makes have one name, so that it serves in every tool.

use crate::builder::{GraphBuilder, Value};
use crate::norm::folded_conv;
use crate::proto::NodeProto;
use crate::{Checkpoint, OnnxError};

/// A network under construction.
pub(crate) struct Layers<'a> {
    pub(crate) graph: GraphBuilder,
    pub(crate) checkpoint: &'a Checkpoint,
}

impl Layers<'_> {
    /// A 3x3 convolution with padding 1 and the BatchNorm after it.
    ///
    /// # Shapes
    /// `[c, h, w]` to `[out, ceil(h / stride), ceil(w / stride)]`.
    pub(crate) fn conv(
        &mut self,
        name: &str,
        norm: &str,
        x: &Value,
        out: usize,
        stride: usize,
    ) -> Result<Value, OnnxError> {
        let shape = [out, x.shape[0], 3, 3];
        let folded = folded_conv(self.checkpoint, name, norm, shape)?;
        let weight = self
            .graph
            .constant(format!("{name}.weight"), &shape, &folded.weight);
        let bias = self
            .graph
            .constant(format!("{name}.bias"), &[out], &folded.bias);
        let node = NodeProto::new("Conv", name, [&x.name, &weight, &bias], [name])
            .attr_ints("dilations", &[1, 1])
            .attr_int("group", 1)
            .attr_ints("kernel_shape", &[3, 3])
            .attr_ints("pads", &[1, 1, 1, 1])
            .attr_ints("strides", &[stride as i64, stride as i64]);
        Ok(self.graph.node(node, thinned(out, x, stride)))
    }

    /// An operator of one input, element by element.
    pub(crate) fn unary(&mut self, op: &str, name: &str, x: &Value) -> Value {
        let node = NodeProto::new(op, name, [&x.name], [name]);
        self.graph.node(node, x.shape.clone())
    }

    /// Two convolutions and the shortcut around them.
    ///
    /// # Shapes
    /// As [`Layers::conv`].
    pub(crate) fn block(
        &mut self,
        name: &str,
        x: &Value,
        out: usize,
        stride: usize,
    ) -> Result<Value, OnnxError> {
        let part = |part: &str| format!("{name}.{part}");
        let y = self.conv(&part("conv1"), &part("norm1"), x, out, stride)?;
        let y = self.unary("Relu", &part("relu1"), &y);
        let y = self.conv(&part("conv2"), &part("norm2"), &y, out, 1)?;
        let shortcut = self.shortcut(&part("shortcut"), x, out, stride);
        let add = part("add");
        let node = NodeProto::new("Add", &add, [&y.name, &shortcut.name], [&add]);
        let sum = self.graph.node(node, y.shape);
        Ok(self.unary("Relu", &part("relu2"), &sum))
    }

    /// The parameter-free shortcut (option A): every `stride`-th pixel, then zero channels on both sides.
    fn shortcut(&mut self, name: &str, x: &Value, out: usize, stride: usize) -> Value {
        let mut x = x.clone();
        if stride != 1 {
            x = self.slice(name, &x, stride);
        }
        if x.shape[0] != out {
            x = self.pad(name, &x, out);
        }
        x
    }

    /// `x[:, :, ::stride, ::stride]`.
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

    /// Zero channels up to `out`: half of them before, the rest after, the odd one among these.
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

    /// The mean over each channel's pixels.
    ///
    /// # Shapes
    /// `[c, h, w]` to `[c]`, named `feature`.
    pub(crate) fn pool(&mut self, x: &Value) -> Value {
        let channels = x.shape[0];
        let node = NodeProto::new("GlobalAveragePool", "pool", [&x.name], ["pool"]);
        let pooled = self.graph.node(node, vec![channels, 1, 1]);
        let node =
            NodeProto::new("Flatten", "flatten", [&pooled.name], ["feature"]).attr_int("axis", 1);
        self.graph.node(node, vec![channels])
    }
}

/// `[channels, h, w]` of what keeps every `stride`-th pixel of `x`.
fn thinned(channels: usize, x: &Value, stride: usize) -> Vec<usize> {
    vec![
        channels,
        x.shape[1].div_ceil(stride),
        x.shape[2].div_ceil(stride),
    ]
}
