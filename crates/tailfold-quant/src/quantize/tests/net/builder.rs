//! Builds the graph of a plan, with weights from its seed.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tailfold_onnx::Model;
use tailfold_onnx::proto::{
    DataType, Dimension, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto,
    ValueInfoProto,
};

use super::{Bias, Conv, Op, Plan};

/// An image-shaped value of the network: its name, and `[channels, height, width]`.
type Value = (String, [usize; 3]);

struct Builder {
    rng: ChaCha8Rng,
    graph: GraphProto,
}

impl Plan {
    pub(crate) fn model(&self) -> Model {
        let tensor = |name: &str, dims: &[usize]| {
            let mut shape = vec![Dimension::symbol("N")];
            shape.extend(dims.iter().map(|&d| Dimension::fixed(d)));
            ValueInfoProto::tensor(name, DataType::Float, shape)
        };
        let mut builder = Builder {
            rng: ChaCha8Rng::seed_from_u64(self.seed),
            graph: GraphProto {
                name: Some("random".to_owned()),
                input: vec![tensor("image", &self.image)],
                output: vec![tensor("logits", &[self.classes])],
                ..GraphProto::default()
            },
        };
        let mut values = vec![("image".to_owned(), self.image)];
        for step in &self.steps {
            let read = match &step.read {
                Some(index) => index.get(&values),
                None => &values[values.len() - 1],
            };
            let made = builder.step(&step.op, read.clone(), &values);
            values.push(made);
        }
        let (last, [c, h, w]) = values.swap_remove(values.len() - 1);
        let mut features = c * h * w;
        let mut row = last;
        if self.pooled {
            row = builder.node("GlobalAveragePool", &[&row], |n| n);
            features = c;
        }
        row = builder.node("Flatten", &[&row], |n| n);
        if let Some(hidden) = self.hidden {
            row = builder.gemm(&row, [hidden, features], Bias::Row);
            row = builder.node("Relu", &[&row], |n| n);
            features = hidden;
        }
        builder.gemm(&row, [self.classes, features], self.bias);
        if let Some(head) = builder.graph.node.last_mut() {
            head.output = vec!["logits".to_owned()];
        }
        let proto = ModelProto {
            ir_version: Some(8),
            opset_import: vec![OperatorSetIdProto {
                domain: None,
                version: Some(17),
            }],
            graph: Some(builder.graph),
            ..ModelProto::default()
        };
        Model::from_proto(proto, "random").unwrap()
    }
}

impl Builder {
    fn node(
        &mut self,
        op: &str,
        inputs: &[&str],
        with: impl FnOnce(NodeProto) -> NodeProto,
    ) -> String {
        let name = format!("{}{}", op.to_lowercase(), self.graph.node.len());
        let node = NodeProto::new(op, &name, inputs.iter().copied(), [&name]);
        self.graph.node.push(with(node));
        name
    }

    fn constant(&mut self, dims: &[usize], values: &[f32]) -> String {
        let name = format!("constant{}", self.graph.initializer.len());
        let tensor = TensorProto::new(&name, dims, values);
        self.graph.initializer.push(tensor);
        name
    }

    fn random(&mut self, dims: &[usize], spread: f32) -> String {
        let values: Vec<f32> = (0..dims.iter().product())
            .map(|_| self.rng.random_range(-spread..spread))
            .collect();
        self.constant(dims, &values)
    }

    fn step(&mut self, op: &Op, (read, shape): Value, values: &[Value]) -> Value {
        match op {
            Op::Conv(conv) => self.conv(conv, &read, shape),
            Op::Relu => (self.node("Relu", &[&read], |n| n), shape),
            Op::Clip(low, high) => {
                let ends = [low, high].map(|end| end.map(|end| self.constant(&[], &[end])));
                let [low, high] = ends.map(Option::unwrap_or_default);
                (self.node("Clip", &[&read, &low, &high], |n| n), shape)
            }
            Op::Add(other) => {
                let fits: Vec<&Value> = values.iter().filter(|(_, s)| *s == shape).collect();
                let (other, _) = other.get(&fits);
                (self.node("Add", &[&read, other], |n| n), shape)
            }
            Op::AddConstant => {
                let constant = self.random(&[shape[0], 1, 1], 0.5);
                (self.node("Add", &[&read, &constant], |n| n), shape)
            }
            Op::MaxPool(side, stride) => {
                let [c, h, w] = shape;
                let out = [h, w].map(|size| (size - 1) / stride + 1);
                let pads = [side / 2, side / 2, side - 1 - side / 2, side - 1 - side / 2];
                let name = self.node("MaxPool", &[&read], |n| {
                    n.attr_ints("kernel_shape", &[int(*side); 2])
                        .attr_ints("strides", &[int(*stride); 2])
                        .attr_ints("pads", &pads.map(int))
                });
                (name, [c, out[0], out[1]])
            }
        }
    }

    fn conv(&mut self, conv: &Conv, read: &str, [channels, h, w]: [usize; 3]) -> Value {
        let [rows, columns] = conv.kernel;
        let group = if conv.depthwise { channels } else { 1 };
        let filters = if conv.depthwise {
            channels
        } else {
            conv.filters
        };
        let dims = [filters, channels / group, rows, columns];
        let weights = self.weights(dims, conv);
        let bias = conv.biased.then(|| self.random(&[filters], 0.5));
        let mut inputs = vec![read, &weights];
        inputs.extend(bias.as_deref());
        let pads = [
            rows / 2,
            columns / 2,
            rows - 1 - rows / 2,
            columns - 1 - columns / 2,
        ];
        let name = self.node("Conv", &inputs, |n| {
            n.attr_ints("kernel_shape", &conv.kernel.map(int))
                .attr_ints("strides", &[int(conv.stride); 2])
                .attr_ints("pads", &pads.map(int))
                .attr_int("group", int(group))
        });
        let [h, w] = [h, w].map(|size| (size - 1) / conv.stride + 1);
        (name, [filters, h, w])
    }

    /// Returns the name of a convolution's weights, `[filters, channels per group, rows, columns]`.
    fn weights(&mut self, dims: [usize; 4], conv: &Conv) -> String {
        let mut nodes = self.graph.node.iter().filter(|n| n.is("Conv"));
        let fits = |node: &&NodeProto| {
            let weights = self.graph.find_initializer(&node.input[1]);
            weights.is_some_and(|w| w.shape().is_ok_and(|s| s == dims))
        };
        if let Some(earlier) = nodes.find(fits).filter(|_| conv.shared) {
            return earlier.input[1].clone();
        }
        let [filters, rest @ ..] = dims;
        let one: usize = rest.iter().product();
        let spread = 2.0 / one as f32;
        let mut values: Vec<f32> = (0..filters * one)
            .map(|_| self.rng.random_range(-spread..spread))
            .collect();
        if conv.dead {
            values[..one].fill(0.0);
        }
        self.constant(&dims, &values)
    }

    fn gemm(&mut self, read: &str, [outputs, inputs]: [usize; 2], bias: Bias) -> String {
        let weights = self.random(&[outputs, inputs], 2.0 / inputs as f32);
        let bias = match bias {
            Bias::Absent => None,
            Bias::Scalar => Some(self.random(&[], 0.5)),
            Bias::One => Some(self.random(&[1], 0.5)),
            Bias::Row => Some(self.random(&[outputs], 0.5)),
            Bias::Matrix => Some(self.random(&[1, outputs], 0.5)),
        };
        let mut all = vec![read, &weights];
        all.extend(bias.as_deref());
        self.node("Gemm", &all, |n| n.attr_int("transB", 1))
    }
}

fn int(n: usize) -> i64 {
    i64::try_from(n).unwrap()
}
