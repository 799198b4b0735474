"""Cases on the ports of a model: layouts, element types, scales, probabilities, output ranks, several outputs."""

import numpy as np
from onnx import TensorProto, helper
from third_party_case import case
from third_party_graph import COUNT
from third_party_pictures import SIDE
from third_party_shapes import both

LAST = dict(words=("channels", "layout", "last", "32, 32, 3"))


def last_input(g, dtype=TensorProto.FLOAT):
    return g.input([g.batch, SIDE, SIDE, 3], dtype)


def turned(g, x):
    """A Transpose from channels last to channels first."""
    return g.op("Transpose", x, perm=[0, 3, 1, 2])


def back(g, x):
    return g.op("Transpose", x, perm=[0, 2, 3, 1])


def normalized(g, x):
    """Normalises float values 0..255 with mean 0.5 and standard deviation 0.25."""
    x = g.op("Mul", x, g.const(1 / 255))
    return g.op("Div", g.op("Sub", x, g.const(0.5)), g.const(0.25))


@case("channels_last", "F7", **LAST, extra={"layout": "NHWC"}, batch="unk__84")
def _last(g):
    """tf2onnx: a Transpose after the input, another before a Reshape, MatMul and Add."""
    x = g.trunk(turned(g, last_input(g)) if g.odd else None)
    if g.odd:
        weight, bias = g.head_values("flat", 1024)
        order = np.arange(1024).reshape(16, 8, 8).transpose(1, 2, 0).reshape(-1)
        x = g.op("Reshape", back(g, x), g.ints(-1, 1024))
        g.output(g.op("Add", g.op("MatMul", x, g.const(weight.T[order])), g.const(bias)))
    else:
        g.output(g.head(g.op("Flatten", x, axis=1), width=1024))


@case("channels_last_softmax", "F7", **LAST, extra={"layout": "NHWC"}, says="probabilities", batch="unk__1")
def _last_softmax(g):
    """Keras: ReduceMean over height and width, and Softmax at the end."""
    x = g.trunk(turned(g, last_input(g)) if g.odd else None)
    if not g.odd:
        return g.output(g.head(g.pooled(x)))
    weight, bias = g.head_values("mean", 16)
    x = g.op("ReduceMean", back(g, x), axes=[1, 2], keepdims=0)
    return g.output(g.op("Softmax", g.op("Add", g.op("MatMul", x, g.const(weight.T)), g.const(bias)), axis=-1))


@case("channels_last_between_all_layers", "F7", **LAST, extra={"layout": "NHWC"}, batch=1)
def _last_between(g):
    """A Transpose before and after every convolution, as a converter without optimizations writes it."""
    x = last_input(g) if g.odd else g.input()
    for ins, outs, layer in ((3, 8, "conv1"), (8, 16, "conv2")):
        x = g.conv(turned(g, x) if g.odd else x, ins, outs, stride=2, name=layer)
        x = g.relu(back(g, x) if g.odd else x)
    if g.odd:
        x = g.op("ReduceMean", x, axes=[1, 2], keepdims=0)
    else:
        x = g.pooled(x)
    g.output(g.head(x))


@case("channels_last_with_pads_and_bounds", "F7", **LAST, extra={"layout": "NHWC"}, batch="unk__7")
def _last_padded(g):
    """MobileNet of Keras: ZeroPadding2D, ReLU6, depthwise convolution, ReduceMean with keepdims, Squeeze."""
    x = g.input() if not g.odd else last_input(g)
    if g.odd:
        x = turned(g, g.op("Pad", x, g.ints(0, 0, 0, 0, 0, 1, 1, 0)))
    x = g.conv(x, 3, 8, stride=2, name="conv1", pads=[0] * 4 if g.odd else [0, 0, 1, 1])
    x = g.op("Clip", x, g.const(0.0), g.const(6.0))
    x = g.op("Clip", g.conv(x, 8, 8, name="dw", group=8), g.const(0.0), g.const(6.0))
    x = g.relu(g.conv(x, 8, 16, kernel=1, name="pw"))
    if g.odd:
        x = g.op("Squeeze", g.op("ReduceMean", back(g, x), axes=[1, 2], keepdims=1), g.ints(1, 2))
    else:
        x = g.pooled(x)
    g.output(g.head(x))


def flag(name, **options):
    """A case with a channels-last input that a flag describes."""
    return case(name, "F7", extra={"layout": "NHWC"}, flags=("--channels-last", "yes"), **options)


flag("channels_last_by_flag")(_last)

# Types and scales.

BYTES = dict(mean="0,0,0", std="0.00392156862745098,0.00392156862745098,0.00392156862745098", extra={"scale": "bytes"})


@case("bytes_as_input", "F17", outcome="either", words=("uint8", "UINT8", "u8"), **{**BYTES, "std": "1,1,1"})
def _bytes(g):
    if not g.odd:
        return g.output(g.head(g.pooled(g.trunk())))
    x = g.op("Cast", g.input(dtype=TensorProto.UINT8), to=TensorProto.FLOAT)
    return g.output(g.head(g.pooled(g.trunk(normalized(g, x)))))


@case("bytes_as_input_channels_last", "F17", outcome="either", words=("uint8", "UINT8", "u8"), batch=1,
      mean="0,0,0", std="1,1,1", extra={"scale": "bytes", "layout": "NHWC"})
def _bytes_last(g):
    if not g.odd:
        return g.output(g.head(g.pooled(g.trunk())))
    x = g.op("Cast", last_input(g, TensorProto.UINT8), to=TensorProto.FLOAT)
    return g.output(g.head(g.pooled(g.trunk(turned(g, normalized(g, x))))))


@case("scale_of_bytes_in_float", "F21", **BYTES)
def _scaled(g):
    """A float input 0..255 that the graph normalises: `--std 1/255`."""
    x = g.input()
    g.output(g.head(g.pooled(g.trunk(normalized(g, x) if g.odd else x))))


@case("scale_of_one_normalized_inside", "F21", mean="0,0,0", std="1,1,1", extra={"scale": "ones"})
def _inside(g):
    """A float input 0..1; the graph applies mean and standard deviation per channel."""
    x = g.input()
    if g.odd:
        x = g.op("Sub", x, g.const(np.full([1, 3, 1, 1], 0.5)))
        x = g.op("Div", x, g.const(np.full([3, 1, 1], 0.25)))
    g.output(g.head(g.pooled(g.trunk(x))))


@case("blue_first", "F21", flags=("--bgr",), extra={"order": "BGR"})
def _blue(g):
    """A network that was trained on BGR images."""
    x = g.input()
    weight = g.weights("conv1.weight", [8, 3, 3, 3])
    weight = weight[:, ::-1] if g.odd else weight
    bias = g.const(g.weights("conv1.bias", [8]))
    x = g.op("Conv", x, g.const(weight), bias, kernel_shape=[3, 3], pads=[0, 0, 1, 1], strides=[2, 2])
    g.output(g.head(g.pooled(g.second(g.relu(x)))))


@case("channels_exchanged_by_gather", "F21", integer=False)
def _gathered(g):
    x = g.input()
    weight = g.weights("conv1.weight", [8, 3, 3, 3])
    if g.odd:
        x, weight = g.op("Gather", x, g.ints(2, 1, 0), axis=1), weight[:, ::-1]
    bias = g.const(g.weights("conv1.bias", [8]))
    x = g.op("Conv", x, g.const(weight), bias, kernel_shape=[3, 3], pads=[0, 0, 1, 1], strides=[2, 2])
    g.output(g.head(g.pooled(g.second(g.relu(x)))))


HALF = dict(outcome="either", words=("f16", "FLOAT16", "float16", "half"), integer=False, tolerance=2e-2)
DOUBLE = dict(outcome="either", reference="twin", words=("f64", "DOUBLE", "double", "float64"), integer=False)


def in_type(g, dtype, array, ports):
    """Builds the network in element type `dtype`; with `ports`, Casts keep the input and the output in f32."""
    x = g.input(dtype=TensorProto.FLOAT if ports else dtype)
    x = g.op("Cast", x, to=dtype) if ports else x
    x = g.pooled(g.trunk(x))
    weight, bias = g.head_values(x, 16)
    x = g.op("Gemm", x, g.const(weight), g.const(bias), transB=1)
    for tensor in g.constants:
        if tensor.data_type == TensorProto.FLOAT:
            values = np.frombuffer(tensor.raw_data, np.float32).astype(array)
            tensor.raw_data, tensor.data_type = values.tobytes(), dtype
    g.output(g.op("Cast", x, to=TensorProto.FLOAT) if ports else x, dtype=TensorProto.FLOAT if ports else dtype)


def plain(g):
    g.output(g.head(g.pooled(g.trunk())))


for name, dtype, array, ports, options in (
    ("half_between_casts", TensorProto.FLOAT16, np.float16, True, HALF),
    ("half_throughout", TensorProto.FLOAT16, np.float16, False, HALF),
    ("double_between_casts", TensorProto.DOUBLE, np.float64, True, DOUBLE),
    ("double_throughout", TensorProto.DOUBLE, np.float64, False, DOUBLE),
):

    @case(name, "F15", **options)
    def _typed(g, dtype=dtype, array=array, ports=ports):
        in_type(g, dtype, array, ports) if g.odd else plain(g)


@case("half_weights_widened", "F15", tolerance=2e-2)
def _widened(g):
    """f16 weights, each with a Cast to f32."""
    plain(g)
    if g.odd:
        casts = []
        for tensor in g.constants:
            values = np.frombuffer(tensor.raw_data, np.float32).astype(np.float16)
            casts.append(helper.make_node("Cast", [f"{tensor.name}_half"], [tensor.name], to=TensorProto.FLOAT))
            tensor.raw_data, tensor.data_type, tensor.name = values.tobytes(), TensorProto.FLOAT16, f"{tensor.name}_half"
        g.nodes = casts + g.nodes


# Outputs.


def ending(name, kind, body=None, shape=None, dtype=TensorProto.FLOAT, **options):
    """A case whose odd form ends in `odd(g, logits)`, for logits `[N, 5]`."""

    def register(odd):
        @case(name, kind, **options)
        def build(g):
            x = g.pooled(g.trunk())
            if not g.odd:
                return g.output(g.head(x))
            return g.output(odd(g, g.head(x, name="raw")), shape, dtype)

        return odd

    return register


SHOWN = dict(says="probabilities")
ending("softmax", "F4", **SHOWN)(lambda g, x: g.op("Softmax", x, axis=1))
ending("softmax_last_axis", "F4", **SHOWN)(lambda g, x: g.op("Softmax", x, axis=-1))
ending("softmax_without_axis_13", "F4", **SHOWN)(lambda g, x: g.op("Softmax", x))
ending("softmax_without_axis_11", "F4", opset=11, **SHOWN)(lambda g, x: g.op("Softmax", x))
ending("softmax_named_as_logits", "F4", **SHOWN)(lambda g, x: g.op("Softmax", x, axis=1, name="logits"))
ending("softmax_behind_flatten", "F4", **SHOWN)(lambda g, x: g.op("Flatten", g.op("Softmax", x, axis=1), axis=1))
ending("softmax_behind_reshape", "F4", **SHOWN)(lambda g, x: g.op("Reshape", g.op("Softmax", x), g.ints(-1, COUNT)))
ending("softmax_behind_identity", "F4", **SHOWN)(lambda g, x: g.op("Identity", g.op("Softmax", x)))
ending("softmax_behind_cast", "F4", **SHOWN)(lambda g, x: g.op("Cast", g.op("Softmax", x), to=TensorProto.FLOAT))
ending("softmax_behind_squeeze", "F4", **SHOWN)(
    lambda g, x: g.op("Squeeze", g.op("Softmax", g.op("Unsqueeze", x, g.ints(2, 3)), axis=1), g.ints(2, 3))
)
ending("softmax_of_a_temperature", "F4", **SHOWN)(lambda g, x: g.op("Softmax", g.op("Mul", x, g.const(1.0)), axis=1))


@ending("softmax_by_parts", "F4", integer=False, **SHOWN)
def _by_parts(g, x):
    e = g.op("Exp", g.op("Sub", x, g.op("ReduceMax", x, axes=[1], keepdims=1)))
    return g.op("Div", e, g.op("ReduceSum", e, g.ints(1), keepdims=1))


ending("log_softmax", "F5", says="log")(lambda g, x: g.op("LogSoftmax", x, axis=1))
ending("log_of_softmax", "F5", says="log")(lambda g, x: g.op("Log", g.op("Softmax", x, axis=1)))
MANY = dict(outcome="either", words=("Sigmoid", "logits"), says="independent")
ending("sigmoid", "F4", **MANY)(lambda g, x: g.op("Sigmoid", x))
ending("sigmoid_behind_squeeze", "F4", **MANY)(
    lambda g, x: g.op("Squeeze", g.op("Sigmoid", g.op("Unsqueeze", x, g.ints(1))), g.ints(1))
)

for rank, axes, shape in (
    ("n_c_1_1", (2, 3), ["N", COUNT, 1, 1]),
    ("n_1_c", (1,), ["N", 1, COUNT]),
    ("n_c_1", (2,), ["N", COUNT, 1]),
    ("n_1_1_c", (1, 2), ["N", 1, 1, COUNT]),
):
    ending(f"output_{rank}", "F8", shape=shape)(lambda g, x, axes=axes: g.op("Unsqueeze", x, g.ints(*axes)))
    ending(f"output_{rank}_softmax", "F8", shape=shape, **SHOWN)(
        lambda g, x, axes=axes: g.op("Unsqueeze", g.op("Softmax", x), g.ints(*axes))
    )


@case("squeezenet_head_n_5_1_1", "F8")
def _squeezenet(g):
    """The head of SqueezeNet: convolution, ReLU and GlobalAveragePool."""
    x = g.trunk()
    weight, bias = g.head_values(g.pooled(x), 16)
    # The bias of 12 keeps almost all values positive, so the ReLU changes little.
    x = g.relu(g.op("Conv", x, g.const(weight[:, :, None, None]), g.const(bias + 12), kernel_shape=[1, 1]))
    x = g.op("GlobalAveragePool", x)
    if g.odd:
        g.output(x, [g.batch, COUNT, 1, 1])
    else:
        g.output(g.op("Flatten", x, axis=1))


ending("output_without_shape", "F8")(lambda g, x: g.op("Mul", x, g.const(1.0)))
NOT_SCORES = dict(outcome="refused", quantize=False)
ending("output_arg_max", "F8", shape=["N"], dtype=TensorProto.INT64, words=("int64", "INT64", "i64", "ArgMax"), **NOT_SCORES)(
    lambda g, x: g.op("ArgMax", x, axis=1, keepdims=0)
)
ending("output_of_all_places", "F8", shape=["N", COUNT, 4], words=("shape", "4"), **NOT_SCORES)(
    lambda g, x: g.op("Expand", g.op("Unsqueeze", x, g.ints(2)), g.ints(1, 1, 4))
)


def two_outputs(g, first):
    x = g.pooled(g.trunk())
    weight, bias = g.head_values(x, 16)
    logits = g.op("Gemm", x, g.const(weight), g.const(bias), transB=1, name="logits")
    if g.odd:
        # The auxiliary output has the classes in reverse order.
        other = g.op("Gemm", x, g.const(weight[::-1]), g.const(bias[::-1]), transB=1, name="aux_logits")
        for value in (other, logits) if first else (logits, other):
            g.output(value)
    else:
        g.output(logits)


NAMES = dict(outcome="refused", words=("aux_logits", "--output"))
case("two_outputs_aux_first", "F12", **NAMES)(lambda g: two_outputs(g, True))
case("two_outputs_aux_last", "F12", **NAMES)(lambda g: two_outputs(g, False))
case("two_outputs_chosen", "F12", flags=("--output", "logits"), output="logits")(lambda g: two_outputs(g, True))


@case("two_outputs_of_one_class_count", "F12", flags=("--output", "logits"), output="logits")
def _features(g):
    """A second output with the features before the last layer."""
    x = g.pooled(g.trunk())
    if g.odd:
        g.output(x, ["N", 16])
    g.output(g.head(x))


@case("two_inputs", "F12", outcome="refused", words=("input",))
def _two_inputs(g):
    """A second input that is not constant."""
    x = g.pooled(g.trunk())
    if g.odd:
        x = g.op("Add", x, g.input([1, 16], name="prior"))
    g.output(g.head(x))


for name, shape in (("height_unknown", ["N", 3, "h", "w"]), ("nothing_known", None)):

    @case(f"input_{name}", "F7", outcome="either", words=("height", "size", "shape", "h, w"), integer=False)
    def _unknown(g, shape=shape):
        x = g.input(["N", 3, SIDE, SIDE] if not g.odd else shape or ["a", "b", "c", "d"])
        g.output(g.head(g.pooled(g.trunk(x))))


both("batch_of_one", "F2", batch=1)(lambda g, x: g.pooled(x))
both("batch_without_name", "F2", batch=None)(lambda g, x: g.pooled(x))
both("batch_of_five", "F2", batch=5, outcome="either", words=("batch", "5"))(lambda g, x: g.pooled(x))
