//! Random quantized networks, in the form that a quantizer would write.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tailfold_onnx::proto::{
    DataType, Dimension, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto,
    ValueInfoProto,
};
use tailfold_onnx::{Element, Model};

/// A graph under construction, and its random number generator.
pub(super) struct Net {
    pub(super) rng: ChaCha8Rng,
    pub(super) graph: GraphProto,
    next: usize,
}

impl Net {
    pub(super) fn new(seed: u64, image: [usize; 3]) -> Self {
        let dims = [1, image[0], image[1], image[2]].map(Dimension::fixed);
        let graph = GraphProto {
            name: Some("net".to_owned()),
            input: vec![ValueInfoProto::tensor(
                "image",
                DataType::Float,
                dims.to_vec(),
            )],
            ..GraphProto::default()
        };
        Self {
            rng: ChaCha8Rng::seed_from_u64(seed),
            graph,
            next: 0,
        }
    }

    pub(super) fn model(mut self, output: &str, shape: &[usize]) -> Model {
        let dims = shape.iter().map(|&d| Dimension::fixed(d)).collect();
        self.graph.output = vec![ValueInfoProto::tensor(output, DataType::Float, dims)];
        let proto = ModelProto {
            ir_version: Some(8),
            opset_import: vec![OperatorSetIdProto {
                domain: Some(String::new()),
                version: Some(13),
            }],
            graph: Some(self.graph),
            ..ModelProto::default()
        };
        Model::from_proto(proto, "net").unwrap()
    }

    pub(super) fn name(&mut self, stem: &str) -> String {
        self.next += 1;
        format!("{stem}{}", self.next)
    }

    pub(super) fn constant<T: Element>(
        &mut self,
        stem: &str,
        dims: &[usize],
        values: &[T],
    ) -> String {
        let name = self.name(stem);
        self.graph
            .set_initializer(TensorProto::new(&name, dims, values));
        name
    }

    pub(super) fn push(&mut self, op: &str, inputs: &[&str]) -> String {
        self.push_with(op, inputs, |node| node)
    }

    pub(super) fn push_with(
        &mut self,
        op: &str,
        inputs: &[&str],
        with: impl FnOnce(NodeProto) -> NodeProto,
    ) -> String {
        let name = self.name(&op.to_lowercase());
        let node = NodeProto::new(op, &name, inputs.iter().copied(), [&name]);
        self.graph.node.push(with(node));
        name
    }

    /// Returns a scale that is sometimes a power of two, so that results fall on ties.
    pub(super) fn scale(&mut self, about: f32) -> f32 {
        if self.rng.random_bool(0.4) {
            about.log2().round().exp2()
        } else {
            about * self.rng.random_range(0.7_f32..1.4)
        }
    }

    /// Appends QuantizeLinear and DequantizeLinear to `x`: unsigned or signed, symmetric or asymmetric.
    pub(super) fn quantized(&mut self, x: &str, about: f32) -> String {
        let scale = self.scale(about);
        let scale = self.constant("scale", &[], &[scale]);
        let zero = match self.rng.random_range(0..4) {
            0 => self.constant::<u8>("zero", &[], &[0]),
            1 => self.constant::<i8>("zero", &[], &[0]),
            2 => {
                let zero = self.rng.random();
                self.constant::<u8>("zero", &[], &[zero])
            }
            _ => {
                let zero = self.rng.random();
                self.constant::<i8>("zero", &[], &[zero])
            }
        };
        self.pair(x, &scale, &zero)
    }

    pub(super) fn pair(&mut self, x: &str, scale: &str, zero: &str) -> String {
        let codes = self.push("QuantizeLinear", &[x, scale, zero]);
        self.push("DequantizeLinear", &[&codes, scale, zero])
    }

    /// Adds int8 or uint8 weights with one scale per filter or one for all; the first axis of `dims` is the
    /// filter.
    pub(super) fn weights(&mut self, dims: &[usize]) -> String {
        let count = dims.iter().product();
        let by_channel = self.rng.random_bool(0.7);
        let scales = if by_channel { dims[0] } else { 1 };
        let values: Vec<f32> = (0..scales).map(|_| self.scale(0.01)).collect();
        let shape: &[usize] = if by_channel { &dims[..1] } else { &[] };
        let scale = self.constant("weight_scale", shape, &values);
        let (codes, zero) = if self.rng.random_bool(0.8) {
            let codes: Vec<i8> = (0..count).map(|_| self.rng.random()).collect();
            let zeros = vec![0_i8; scales];
            (
                self.constant("weight", dims, &codes),
                self.constant("weight_zero", shape, &zeros),
            )
        } else {
            let codes: Vec<u8> = (0..count).map(|_| self.rng.random()).collect();
            let zeros: Vec<u8> = (0..scales).map(|_| self.rng.random()).collect();
            (
                self.constant("weight", dims, &codes),
                self.constant("weight_zero", shape, &zeros),
            )
        };
        self.push_with("DequantizeLinear", &[&codes, &scale, &zero], |n| {
            n.attr_int("axis", 0)
        })
    }

    /// Adds a float or int32 bias of `filters` values, or no bias.
    pub(super) fn bias(&mut self, filters: usize) -> Option<String> {
        match self.rng.random_range(0..3) {
            0 => None,
            1 => {
                let values: Vec<f32> = (0..filters)
                    .map(|_| self.rng.random_range(-1.0..1.0))
                    .collect();
                Some(self.constant("bias", &[filters], &values))
            }
            _ => {
                let codes: Vec<i32> = (0..filters)
                    .map(|_| self.rng.random_range(-2000..2000))
                    .collect();
                let scales: Vec<f32> = (0..filters).map(|_| self.scale(0.001)).collect();
                let codes = self.constant("bias", &[filters], &codes);
                let scales = self.constant("bias_scale", &[filters], &scales);
                let zeros = self.constant("bias_zero", &[filters], &vec![0_i32; filters]);
                Some(
                    self.push_with("DequantizeLinear", &[&codes, &scales, &zeros], |n| {
                        n.attr_int("axis", 0)
                    }),
                )
            }
        }
    }

    /// Appends the division of the row `x` by its length, with `epsilon` added to the sum of squares.
    pub(super) fn unit(&mut self, x: &str, epsilon: f32) -> String {
        let squares = self.push_with("ReduceSumSquare", &[x], |n| {
            n.attr_ints("axes", &[1]).attr_int("keepdims", 1)
        });
        let epsilon = self.constant("epsilon", &[1], &[epsilon]);
        let terms = if self.rng.random_bool(0.5) {
            [&squares[..], &epsilon]
        } else {
            [&epsilon[..], &squares]
        };
        let sum = self.push("Add", &terms);
        let length = self.push("Sqrt", &[&sum]);
        self.push("Div", &[x, &length])
    }

    /// Appends a Transpose of height and width, which has no integer kernel.
    pub(super) fn turned(&mut self, x: &str) -> String {
        self.push_with("Transpose", &[x], |n| n.attr_ints("perm", &[0, 1, 3, 2]))
    }

    /// Appends a ReLU, a clip, or no activation.
    pub(super) fn activated(&mut self, x: String) -> String {
        match self.rng.random_range(0..4) {
            0 => self.push("Relu", &[&x]),
            1 => {
                let low = self.constant("low", &[], &[0.0_f32]);
                let high = self.constant("high", &[], &[6.0_f32]);
                self.push("Clip", &[&x, &low, &high])
            }
            _ => x,
        }
    }

    /// Appends a random elementwise function of `x`, of one or several operators.
    pub(super) fn function(&mut self, x: &str) -> String {
        let alpha = self.rng.random_range(0.05_f32..0.5);
        let mut number = |dims: &[usize], value: f32| self.constant("number", dims, &[value]);
        let [one, three, six, half] = [1.0, 3.0, 6.0, 0.5].map(|v| number(&[], v));
        let (slope, root, zero) = (
            number(&[1, 1, 1], alpha),
            number(&[1], 2.0_f32.sqrt()),
            number(&[], 0.0),
        );
        let with_alpha = |n: NodeProto| n.attr_float("alpha", alpha);
        match self.rng.random_range(0..15) {
            0 => self.push("HardSwish", &[x]),
            1 => {
                let moved = self.push("Add", &[x, &three]);
                let gate = self.push("Clip", &[&moved, &zero, &six]);
                let product = self.push("Mul", &[x, &gate]);
                self.push("Div", &[&product, &six])
            }
            2 => {
                let gate = self.push("Sigmoid", &[x]);
                self.push("Mul", &[x, &gate])
            }
            3 => self.push_with("LeakyRelu", &[x], with_alpha),
            4 => {
                let halved = self.push("Mul", &[&half, x]);
                let part = self.push("Div", &[x, &root]);
                let error = self.push("Erf", &[&part]);
                let sum = self.push("Add", &[&error, &one]);
                self.push("Mul", &[&halved, &sum])
            }
            5 => self.push_with("Elu", &[x], with_alpha),
            6 => self.push("PRelu", &[x, &slope]),
            7 => {
                let plus = self.push("Softplus", &[x]);
                let gate = self.push("Tanh", &[&plus]);
                self.push("Mul", &[&gate, x])
            }
            8 => {
                let size = self.push("Abs", &[x]);
                self.push("Sqrt", &[&size])
            }
            9 => {
                let two = self.constant("two", &[], &[2_i64]);
                self.push("Pow", &[x, &two])
            }
            10 => {
                let low = self.push("Max", &[&slope, x]);
                self.push("Min", &[&low, &six, &three])
            }
            11 => self.push("Sub", &[&one, x]),
            12 => {
                let turned = self.push("Neg", &[x]);
                let power = self.push("Exp", &[&turned]);
                let sum = self.push("Add", &[&power, &one]);
                self.push("Div", &[&one, &sum])
            }
            13 => self.push_with("HardSigmoid", &[x], |n| {
                with_alpha(n).attr_float("beta", 0.25)
            }),
            _ => {
                let code = self.constant("code", &[], &[200_u8]);
                let none = self.constant("zero", &[], &[30_u8]);
                let factor = self.push("DequantizeLinear", &[&code, &slope, &none]);
                self.push("Mul", &[x, &factor])
            }
        }
    }

    pub(super) fn conv(
        &mut self,
        x: &str,
        [channels, filters]: [usize; 2],
        kernel: usize,
        [stride, group]: [usize; 2],
    ) -> String {
        let weights = self.weights(&[filters, channels / group, kernel, kernel]);
        let bias = self.bias(filters);
        let inputs: Vec<&str> = [x, &weights].into_iter().chain(bias.as_deref()).collect();
        let int = |n: usize| i64::try_from(n).unwrap();
        // Uneven padding that keeps the size.
        let pads = [0, kernel / 2, kernel - 1, kernel - 1 - kernel / 2].map(int);
        self.push_with("Conv", &inputs, |n| {
            n.attr_ints("strides", &[int(stride); 2])
                .attr_ints("pads", &pads)
                .attr_int("group", int(group))
        })
    }
}
