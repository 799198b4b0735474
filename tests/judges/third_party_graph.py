"""Builds small classifiers node by node, in a plain form and in an odd form, as some exporter writes the same network.

A network is a function of a `Graph`. Its weights depend on a fixed seed and their names, so both forms have the same
weights. Least squares on the features of generated images give the last layer, so that it separates the classes.
"""

import zlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from third_party_pictures import CLASSES, SIDE

SEED = 20_261_130
# Margin of the right class in the logits that the last layer is fitted to, and the weight of the ridge penalty.
MARGIN, RIDGE = 10.0, 4e-3
COUNT = len(CLASSES)


class Graph:
    """A graph under construction; its methods add nodes and return the name of their (first) output."""

    def __init__(self, odd, head=None, opset=13, ir=8, batch="N"):
        self.odd, self.solved, self.opset, self.ir, self.batch = odd, head, opset, ir, batch
        self.nodes, self.constants, self.inputs, self.outputs, self.functions = [], [], [], [], []
        self.features, self.count = None, 0
        self.imports = {"": opset}

    # Names and constants.

    def fresh(self, stem="v"):
        self.count += 1
        return f"{stem}{self.count}"

    def weights(self, name, shape, scale=None):
        """Random f32 weights with He's standard deviation, or 0.1 for a vector; the seed depends on `name`."""
        rng = np.random.default_rng([SEED, zlib.crc32(name.encode())])
        scale = scale or (np.sqrt(2 / np.prod(shape[1:])) if len(shape) > 1 else 0.1)
        return (rng.standard_normal(shape) * scale).astype(np.float32)

    def const(self, values, name=None, dtype=np.float32):
        """Adds an initializer, unless there is one called `name`."""
        name = name or self.fresh("const")
        if name not in {tensor.name for tensor in self.constants}:
            self.constants.append(numpy_helper.from_array(np.asarray(values, dtype=dtype), name))
        return name

    def ints(self, *values):
        return self.const(np.array(values), dtype=np.int64)

    # Nodes.

    def op(self, kind, *inputs, outputs=1, name=None, domain="", **attributes):
        names = [name or self.fresh()] + [self.fresh("extra") for _ in range(outputs - 1)]
        node = helper.make_node(kind, list(inputs), names, name=f"{kind.lower()}_{names[0]}", domain=domain, **attributes)
        self.nodes.append(node)
        return names[0] if outputs == 1 else names

    def node_constant(self, values, dtype=np.float32):
        """Adds a Constant node, as PyTorch's older exporter writes constants."""
        return self.op("Constant", value=numpy_helper.from_array(np.asarray(values, dtype=dtype)))

    def input(self, shape=None, dtype=TensorProto.FLOAT, name="input"):
        shape = [self.batch, 3, SIDE, SIDE] if shape is None else shape
        self.inputs.append(helper.make_tensor_value_info(name, dtype, shape))
        return name

    def output(self, value, shape=None, dtype=TensorProto.FLOAT):
        self.outputs.append(helper.make_tensor_value_info(value, dtype, [self.batch, COUNT] if shape is None else shape))
        return value

    # Layers in the plain form.

    def conv(self, x, ins, outs, kernel=3, stride=1, name="conv", bias=True, group=1, pads=None, **attributes):
        low = (kernel - 1) // 2
        pads = [low, low, kernel - 1 - low, kernel - 1 - low] if pads is None else pads
        weight = self.const(self.weights(f"{name}.weight", [outs, ins // group, kernel, kernel]), f"{name}.weight")
        inputs = [x, weight] + ([self.const(self.weights(f"{name}.bias", [outs]), f"{name}.bias")] if bias else [])
        spelled = dict(kernel_shape=[kernel, kernel], strides=[stride, stride], group=group)
        spelled |= {} if "auto_pad" in attributes else {"pads": pads}
        return self.op("Conv", *inputs, **{**spelled, **attributes})

    def relu(self, x):
        return self.op("Relu", x)

    def stem(self, x=None, pads=None):
        """Convolution from 3 to 8 channels with stride 2, and ReLU: `[N, 8, 16, 16]`."""
        return self.relu(self.conv(x or self.input(), 3, 8, stride=2, name="conv1", pads=pads))

    def second(self, x):
        """Convolution from 8 to 16 channels with stride 2, and ReLU: `[N, 16, 8, 8]`."""
        return self.relu(self.conv(x, 8, 16, stride=2, name="conv2"))

    def trunk(self, x=None):
        return self.second(self.stem(x))

    def norm(self, x, channels, name, **attributes):
        rng = np.random.default_rng([SEED, zlib.crc32(name.encode())])
        scale, shift = rng.uniform(0.6, 1.4, channels), rng.normal(0, 0.2, channels)
        mean, variance = rng.normal(0, 0.4, channels), rng.uniform(0.4, 2.0, channels)
        values = [self.const(v, f"{name}.{k}") for k, v in zip(("g", "b", "m", "v"), (scale, shift, mean, variance))]
        return self.op("BatchNormalization", x, *values, **{"epsilon": 1e-3, **attributes})

    def pooled(self, x):
        return self.op("Flatten", self.op("GlobalAveragePool", x), axis=1)

    def head_values(self, x, width):
        """Weight `[classes, width]` and bias `[classes]` of the last layer, which reads `x`; zeros before the fit."""
        self.features = x
        if self.solved is None:
            return np.zeros([COUNT, width], np.float32), np.zeros(COUNT, np.float32)
        return self.solved

    def head(self, x, width=16, name=None):
        weight, bias = self.head_values(x, width)
        inputs = [x, self.const(weight, "head.weight"), self.const(bias, "head.bias")]
        return self.op("Gemm", *inputs, transB=1, name=name or "logits")

    # The file.

    def model(self):
        graph = helper.make_graph(self.nodes, "net", self.inputs, self.outputs, self.constants)
        imports = [helper.make_opsetid(domain, version) for domain, version in self.imports.items()]
        return helper.make_model(
            graph, opset_imports=imports, ir_version=self.ir, producer_name="third_party", functions=self.functions
        )


def session(model):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    content = model if isinstance(model, (bytes, str)) else model.SerializeToString()
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def answers(model, inputs, output=None):
    """ONNX Runtime's values of an output for `inputs`; a fixed batch makes several runs."""
    runner = session(model)
    entry = runner.get_inputs()[0]
    step = entry.shape[0] if isinstance(entry.shape[0], int) else len(inputs)
    names = [output] if output else None
    return np.concatenate(
        [runner.run(names, {entry.name: inputs[i : i + step]})[0] for i in range(0, len(inputs), step)]
    )


def solve_head(build, inputs, labels, **options):
    """Fits the last layer of the plain form to the features of the training images."""
    graph = Graph(odd=False, **options)
    build(graph)
    model = graph.model()
    model.graph.output.append(helper.make_empty_tensor_value_info(graph.features))
    x = answers(model, inputs, graph.features).reshape(len(inputs), -1).astype(np.float64)
    wanted = np.full([len(x), COUNT], -MARGIN / 2)
    wanted[np.arange(len(x)), labels] = MARGIN / 2
    middle, spread = x.mean(axis=0), x.std(axis=0)
    # Channels with little variance would get large weights, which 8 bits cannot represent well.
    spread = spread + 0.1 * spread.max()
    z = (x - middle) / spread
    weight = np.linalg.solve(z.T @ z + RIDGE * len(x) * np.eye(z.shape[1]), z.T @ wanted).T / spread
    bias = wanted.mean(axis=0) - weight @ middle
    return weight.astype(np.float32), bias.astype(np.float32)


def twins(build, inputs, labels, plain_opset=13, **options):
    """The plain model in `plain_opset` and the odd model in the opset of `options`, with the same last layer."""
    head = solve_head(build, inputs, labels, opset=plain_opset)
    plain, odd = Graph(False, head, opset=plain_opset), Graph(True, head, **options)
    build(plain), build(odd)
    return plain.model(), odd.model()
