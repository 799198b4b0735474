"""Cases on operators: activations, padding values, pools, and blocks of known networks."""

import numpy as np
from third_party_case import case

# Activations: both forms compute the same function.


def by_ops(kind, *constants, **attributes):
    return lambda g, x: g.op(kind, x, *map(g.const, constants), **attributes)


def hard_swish_by_parts(g, x, order="div"):
    clipped = g.op("Clip", g.op("Add", x, g.const(3.0)), g.const(0.0), g.const(6.0))
    if order == "mul":
        return g.op("Mul", g.op("Mul", clipped, g.const(1 / 6)), x)
    if order == "inside":
        return g.op("Mul", x, g.op("Div", clipped, g.const(6.0)))
    return g.op("Div", g.op("Mul", x, clipped), g.const(6.0))


def hard_sigmoid(g, x):
    return g.op("HardSigmoid", x, alpha=1 / 6, beta=0.5)


def hard_sigmoid_by_parts(g, x):
    return g.op("Clip", g.op("Add", g.op("Mul", x, g.const(1 / 6)), g.const(0.5)), g.const(0.0), g.const(1.0))


def swish(g, x):
    return g.op("Mul", x, g.op("Sigmoid", x))


def gelu_by_parts(g, x):
    error = g.op("Add", g.op("Erf", g.op("Div", x, g.const(np.sqrt(2)))), g.const(1.0))
    return g.op("Mul", g.op("Mul", x, error), g.const(0.5))


def gelu_by_tanh(g, x):
    cube = g.op("Mul", g.op("Pow", x, g.const(3.0)), g.const(0.044715))
    inner = g.op("Mul", g.op("Add", x, cube), g.const(np.sqrt(2 / np.pi)))
    return g.op("Mul", g.op("Mul", g.op("Add", g.op("Tanh", inner), g.const(1.0)), x), g.const(0.5))


def mish_by_parts(g, x):
    return g.op("Mul", x, g.op("Tanh", g.op("Softplus", x)))


# Name: opset of the odd form, activation of the plain form (opset 13), activation of the odd form.
ACTIVATIONS = {
    "hard_swish_op": (14, hard_swish_by_parts, by_ops("HardSwish")),
    "hard_swish_by_clip_div": (13, hard_swish_by_parts, hard_swish_by_parts),
    "hard_swish_by_clip_mul": (13, hard_swish_by_parts, lambda g, x: hard_swish_by_parts(g, x, "mul")),
    "hard_swish_by_div_inside": (13, hard_swish_by_parts, lambda g, x: hard_swish_by_parts(g, x, "inside")),
    "hard_swish_by_hard_sigmoid": (13, hard_swish_by_parts, lambda g, x: g.op("Mul", x, hard_sigmoid(g, x))),
    "hard_sigmoid": (13, hard_sigmoid_by_parts, hard_sigmoid),
    "sigmoid_alone": (13, by_ops("Sigmoid"), by_ops("Sigmoid")),
    "tanh": (13, by_ops("Tanh"), by_ops("Tanh")),
    "silu": (13, swish, swish),
    "silu_product_turned": (13, swish, lambda g, x: g.op("Mul", g.op("Sigmoid", x), x)),
    "leaky_relu": (13, by_ops("LeakyRelu", alpha=0.1), by_ops("LeakyRelu", alpha=0.1)),
    "leaky_relu_by_max": (13, by_ops("LeakyRelu", alpha=0.1), lambda g, x: g.op("Max", x, g.op("Mul", x, g.const(0.1)))),
    "prelu_of_one_number": (13, by_ops("LeakyRelu", alpha=0.25), by_ops("PRelu", [0.25])),
    "elu": (13, by_ops("Elu"), by_ops("Elu")),
    "selu": (13, by_ops("Selu"), by_ops("Selu")),
    "softplus": (13, by_ops("Softplus"), by_ops("Softplus")),
    "softsign": (13, by_ops("Softsign"), by_ops("Softsign")),
    "abs": (13, by_ops("Abs"), by_ops("Abs")),
    "mish_18": (18, mish_by_parts, by_ops("Mish")),
    "mish_by_parts": (13, mish_by_parts, mish_by_parts),
    "gelu_20": (20, gelu_by_parts, by_ops("Gelu")),
    "gelu_by_parts": (13, gelu_by_parts, gelu_by_parts),
    "gelu_tanh_20": (20, gelu_by_tanh, by_ops("Gelu", approximate="tanh")),
    "gelu_tanh_by_parts": (13, gelu_by_tanh, gelu_by_tanh),
}
for name, (opset, plain, odd) in ACTIVATIONS.items():

    @case(f"activation_{name}", "F2", opset=opset, ir=9 if opset > 18 else 8, agreement=0.93)
    def _activated(g, plain=plain, odd=odd):
        x, chosen = g.input(), odd if g.odd else plain
        x = chosen(g, g.conv(x, 3, 8, stride=2, name="conv1"))
        x = chosen(g, g.conv(x, 8, 16, stride=2, name="conv2"))
        g.output(g.head(g.pooled(x)))


@case("activation_prelu", "F2")
def _prelu(g):
    x = g.input()
    for ins, outs, layer in ((3, 8, "conv1"), (8, 16, "conv2")):
        slope = np.linspace(0.05, 0.4, outs).reshape(outs, 1, 1)
        x = g.op("PRelu", g.conv(x, ins, outs, stride=2, name=layer), g.const(slope))
    x = g.relu(g.conv(x, 16, 16, name="conv3"))
    g.output(g.head(g.pooled(x)))


# Padding with values other than zero.


def filled(name, kind, fill=None, mode="constant", pool=False, **options):
    """A Pad node before a MaxPool over values of both signs (`pool`), or before a convolution."""

    @case(name, kind, **options)
    def build(g):
        if pool:
            x = g.conv(g.input(), 3, 8, name="conv1")
            if g.odd:
                x = g.op("Pad", x, g.ints(0, 0, 1, 1, 0, 0, 1, 1), g.const(np.float32(fill)), mode=mode)
            x = g.op("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], **({} if g.odd else {"pads": [1] * 4}))
            return g.output(g.head(g.pooled(g.second(x))))
        filling = [g.const(np.float32(fill))] if fill is not None else []
        x = g.op("Pad", g.input(), g.ints(0, 0, 2, 2, 0, 0, 2, 2), *filling, mode=mode)
        x = g.relu(g.conv(x, 3, 8, stride=2, name="conv1", pads=[0, 0, 1, 1]))
        return g.output(g.head(g.pooled(g.second(x))))


filled("pad_lowest_float_before_maxpool", "F2", fill=np.finfo(np.float32).min, pool=True)
filled("pad_minus_infinity_before_maxpool", "F19", fill=-np.inf, pool=True)
filled("pad_beyond_the_range", "F16", fill=9.0, integer=False)
filled("pad_within_the_range", "F16", fill=0.5)
filled("pad_edge", "F2", mode="edge")
filled("pad_reflect", "F2", mode="reflect")

# Pools.


def pool(name, kind="AveragePool", opset=13, ir=8, **attributes):
    @case(f"pool_{name}", "F2", opset=opset, ir=ir, reference="case")
    def build(g):
        """Both forms are the same; every layer has to be integer."""
        x = g.op(kind, g.stem(), **attributes)
        g.output(g.head(g.pooled(g.second(x))))


BY_TWO = dict(kernel_shape=[3, 3], strides=[2, 2])
pool("average_plain", kernel_shape=[2, 2], strides=[2, 2])
pool("average_padding_counts", **BY_TWO, pads=[1] * 4, count_include_pad=1)
pool("average_padding_does_not_count", **BY_TWO, pads=[1] * 4)
pool("average_ceil", **BY_TWO, ceil_mode=1)
pool("average_ceil_and_padding_counts_19", opset=19, ir=9, **BY_TWO, pads=[1] * 4, ceil_mode=1, count_include_pad=1)
pool("average_asymmetrical", **BY_TWO, pads=[0, 0, 1, 1])
pool("average_same_upper", **BY_TWO, auto_pad="SAME_UPPER")
pool("average_long", kernel_shape=[2, 4], strides=[1, 2])
pool("max_same_lower", "MaxPool", **BY_TWO, auto_pad="SAME_LOWER")
pool("max_ceil", "MaxPool", **BY_TWO, ceil_mode=1)
pool("max_dilated", "MaxPool", kernel_shape=[2, 2], strides=[2, 2], dilations=[2, 2])
pool("max_opset_8", "MaxPool", opset=11, **BY_TWO, pads=[1] * 4, storage_order=0)


@case("pool_max_indices_unread", "F2")
def _indices(g):
    x = g.op("MaxPool", g.stem(), outputs=2 if g.odd else 1, **BY_TWO)
    g.output(g.head(g.pooled(g.second(x[0] if g.odd else x))))


# Blocks.


def block(name, kind="F2", width=16, **options):
    """A case with two equal forms; `body(g, x)` gives the features of `[N, 8, 16, 16]`."""

    def register(body):
        @case(f"block_{name}", kind, **options)
        def build(g):
            g.output(g.head(body(g, g.stem()), width=width))

        return body

    return register


@block("fire")
def _fire(g, x):
    """The fire modules of SqueezeNet: two branches and a Concat."""
    for layer in ("a", "b"):
        ins = 8 if layer == "a" else 16
        s = g.relu(g.conv(x, ins, 4, kernel=1, name=f"{layer}.squeeze"))
        parts = [g.relu(g.conv(s, 4, 8, kernel=k, name=f"{layer}.expand{k}")) for k in (1, 3)]
        x = g.op("Concat", *parts, axis=1)
    return g.pooled(x)


@block("lcnet", opset=14, plain_opset=14)
def _lcnet(g, x):
    """PP-LCNet: HardSwish after each convolution, and squeeze-and-excite with HardSigmoid."""
    x = g.op("HardSwish", g.conv(x, 8, 8, name="dw", group=8))
    x = g.op("HardSwish", g.conv(x, 8, 16, kernel=1, name="pw"))
    x = g.op("HardSwish", g.conv(x, 16, 16, stride=2, name="dw2", group=16))
    return g.pooled(g.op("Mul", x, hard_sigmoid(g, excited(g, x))))


def excited(g, x):
    s = g.op("GlobalAveragePool", x)
    s = g.relu(g.conv(s, 16, 4, kernel=1, name="se1"))
    return g.conv(s, 4, 16, kernel=1, name="se2")


@block("squeeze_and_excite")
def _excite(g, x):
    x = swish(g, g.conv(x, 8, 16, stride=2, name="conv2"))
    return g.pooled(g.op("Mul", g.op("Sigmoid", excited(g, x)), x))


@block("squeeze_and_excite_by_dense_layers")
def _dense_excite(g, x):
    """Squeeze-and-excite of older timm and Keras: dense layers between reshapes."""
    x = g.second(x)
    s = g.pooled(x)
    first, second = (g.const(g.weights(n, [16, 16], 0.3)) for n in ("se1", "se2"))
    s = g.op("Sigmoid", g.op("MatMul", g.relu(g.op("MatMul", s, first)), second))
    return g.pooled(g.op("Mul", x, g.op("Reshape", s, g.ints(-1, 16, 1, 1))))


@block("channel_shuffle")
def _shuffle(g, x):
    """ShuffleNet v2: Split, layers on one half, Concat, and a channel shuffle."""
    for layer in range(2):
        halves = g.op("Split", x, outputs=2, axis=1)
        y = g.relu(g.conv(halves[1], 4, 4, kernel=1, name=f"a{layer}"))
        y = g.relu(g.conv(g.conv(y, 4, 4, name=f"b{layer}", group=4), 4, 4, kernel=1, name=f"c{layer}"))
        x = g.op("Concat", halves[0], y, axis=1)
        x = g.op("Reshape", x, g.ints(-1, 2, 4, 16, 16))
        x = g.op("Reshape", g.op("Transpose", x, perm=[0, 2, 1, 3, 4]), g.ints(-1, 8, 16, 16))
    return g.pooled(g.second(x))


@block("slices_and_sum_of_three")
def _slices(g, x):
    parts = [g.op("Slice", x, g.ints(i), g.ints(i + 4), g.ints(1)) for i in (0, 2, 4)]
    return g.pooled(g.relu(g.conv(g.op("Sum", *parts), 4, 16, name="conv2")))


@block("residual_with_projection")
def _residual(g, x):
    y = g.conv(g.relu(g.conv(x, 8, 16, stride=2, name="a")), 16, 16, name="b")
    return g.pooled(g.relu(g.op("Add", y, g.conv(x, 8, 16, kernel=1, stride=2, name="c"))))


@block("ghost", width=16)
def _ghost(g, x):
    """GhostNet: a Concat of channels and of a cheap depthwise convolution of them."""
    y = g.relu(g.conv(x, 8, 8, kernel=1, name="primary"))
    return g.pooled(g.op("Concat", y, g.relu(g.conv(y, 8, 8, name="cheap", group=8)), axis=1))


@block("focus", width=16)
def _focus(g, x):
    """The focus layer of YOLO: a Concat of every second pixel at four offsets."""
    parts = [g.op("Slice", x, g.ints(i, j), g.ints(99, 99), g.ints(2, 3), g.ints(2, 2)) for i in (0, 1) for j in (0, 1)]
    return g.pooled(g.relu(g.conv(g.op("Concat", *parts, axis=1), 32, 16, name="conv2")))


@block("local_response_norm", integer=False)
def _lrn(g, x):
    """Local response normalization, as in Caffe's GoogLeNet."""
    return g.pooled(g.second(g.op("LRN", x, size=5, alpha=1e-4, beta=0.75, bias=1.0)))


@block("instance_norm", integer=False)
def _instance(g, x):
    x = g.op("InstanceNormalization", x, g.const(np.linspace(0.7, 1.3, 8)), g.const(np.zeros(8)))
    return g.pooled(g.second(x))


@block("depth_to_space", width=16, integer=False)
def _depth(g, x):
    return g.pooled(g.second(g.conv(g.op("DepthToSpace", g.conv(x, 8, 32, name="a"), blocksize=2), 8, 8, name="b")))


@block("resize_nearest", integer=False)
def _resize(g, x):
    x = g.op("Resize", x, "", g.const([1.0, 1.0, 2.0, 2.0]), mode="nearest", nearest_mode="floor",
             coordinate_transformation_mode="asymmetric")
    return g.pooled(g.second(x))


@block("transposed_convolution", integer=False)
def _transposed(g, x):
    weight = g.const(g.weights("up", [8, 8, 2, 2], 0.2))
    return g.pooled(g.second(g.op("ConvTranspose", x, weight, strides=[2, 2], kernel_shape=[2, 2])))


@block("grouped_convolution")
def _grouped(g, x):
    return g.pooled(g.relu(g.conv(x, 8, 16, stride=2, name="conv2", group=2)))


@block("convolution_of_one_dimension", integer=False)
def _one_dimension(g, x):
    x = g.op("Reshape", x, g.ints(0, 8, 256))
    weight = g.const(g.weights("c1d", [16, 8, 3]))
    x = g.relu(g.op("Conv", x, weight, pads=[1, 1], strides=[2], kernel_shape=[3]))
    return g.op("ReduceMean", x, axes=[2], keepdims=0)


@case("channels_a_thousand_apart", "F23", extra={"warns": "equalize"})
def _apart(g):
    """The same function with channels whose scales differ by a factor of 1000."""
    factors = np.logspace(-2, 1, 8).astype(np.float32) if g.odd else np.ones(8, np.float32)
    first = g.const(g.weights("conv1.weight", [8, 3, 3, 3]) * factors[:, None, None, None])
    bias = g.const(g.weights("conv1.bias", [8]) * factors)
    x = g.relu(g.op("Conv", g.input(), first, bias, kernel_shape=[3, 3], pads=[0, 0, 1, 1], strides=[2, 2]))
    second = g.const(g.weights("conv2.weight", [16, 8, 3, 3]) / factors[None, :, None, None])
    x = g.op("Conv", x, second, g.const(g.weights("conv2.bias", [16])), kernel_shape=[3, 3], pads=[0, 0, 1, 1], strides=[2, 2])
    g.output(g.head(g.pooled(g.relu(x))))

