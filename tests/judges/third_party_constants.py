"""Cases on constants: computed and shared weights, batch normalization as separate nodes, dropout, and last layers."""

import numpy as np
from onnx import TensorProto, helper
from third_party_case import case
from third_party_graph import COUNT
from third_party_shapes import both

# Weights that a node computes from constants.


def second_weight(name, kind, **options):
    """A case whose second convolution has the weight `odd(g, w)` in the odd form, and the constant `w` otherwise."""

    def register(odd):
        @case(name, kind, **options)
        def build(g):
            x = g.stem()
            values = g.weights("conv2.weight", [16, 8, 3, 3])
            weight = odd(g, values) if g.odd else g.const(values)
            bias = g.const(g.weights("conv2.bias", [16]))
            x = g.relu(g.op("Conv", x, weight, bias, kernel_shape=[3, 3], pads=[0, 0, 1, 1], strides=[2, 2]))
            g.output(g.head(g.pooled(x)))

        return odd

    return register


second_weight("weight_constant_node", "F1")(lambda g, w: g.node_constant(w))
second_weight("weight_behind_identity", "F5")(lambda g, w: g.op("Identity", g.const(w)))
second_weight("weight_behind_two_identities", "F5")(lambda g, w: g.op("Identity", g.op("Identity", g.const(w))))
second_weight("weight_behind_reshape", "F5")(lambda g, w: g.op("Reshape", g.const(w.reshape(16, -1)), g.ints(16, 8, 3, 3)))
second_weight("weight_behind_transpose", "F5")(
    lambda g, w: g.op("Transpose", g.const(w.transpose(2, 3, 1, 0)), perm=[3, 2, 0, 1])
)
second_weight("weight_behind_unsqueeze", "F5", opset=11)(
    lambda g, w: g.op("Squeeze", g.op("Unsqueeze", g.const(w), axes=[0]), axes=[0])
)
second_weight("weight_cast_from_double", "F15")(lambda g, w: g.op("Cast", g.const(w, dtype=np.float64), to=TensorProto.FLOAT))
second_weight("weight_times_a_constant", "F6")(lambda g, w: g.op("Mul", g.const(w / 2), g.const(2.0)))
second_weight("weight_concatenated", "F6")(lambda g, w: g.op("Concat", g.const(w[:5]), g.const(w[5:]), axis=0))
second_weight("weight_sliced", "F6")(
    lambda g, w: g.op("Slice", g.const(np.concatenate([w, w])), g.ints(0), g.ints(16), g.ints(0))
)
second_weight("weight_standardized", "F6", integer=False, tolerance=1e-3)(
    lambda g, w: g.op("Add", g.op("Sub", g.const(w), g.const(w.mean(axis=(1, 2, 3), keepdims=True))),
                      g.const(w.mean(axis=(1, 2, 3), keepdims=True)))
)


@case("constant_of_shape", "F6")
def _of_shape(g):
    """Weights and a bias from ConstantOfShape, as in the light models of the onnx package."""
    x = g.stem()
    if g.odd:
        filling = helper.make_tensor("value", TensorProto.FLOAT, [1], [0.05])
        weight = g.op("ConstantOfShape", g.ints(8, 8, 3, 3), value=filling)
        bias = g.op("ConstantOfShape", g.node_constant([8], np.int64))
    else:
        weight, bias = g.const(np.full([8, 8, 3, 3], 0.05)), g.const(np.zeros(8))
    mixed = g.op("Conv", x, weight, bias, kernel_shape=[3, 3], pads=[1] * 4)
    g.output(g.head(g.pooled(g.second(g.op("Add", mixed, x)))))


@case("weight_expanded", "F6")
def _expanded(g):
    x = g.stem()
    values = g.weights("dw.weight", [1, 1, 3, 3], 0.3)
    weight = g.op("Expand", g.const(values), g.ints(8, 1, 3, 3)) if g.odd else g.const(np.repeat(values, 8, axis=0))
    x = g.relu(g.op("Conv", x, weight, kernel_shape=[3, 3], pads=[1] * 4, group=8))
    g.output(g.head(g.pooled(g.second(x))))


@case("weights_also_inputs", "F1", ir=3, opset=11)
def _ir3(g):
    """Format version 3: every initializer is also an input of the graph."""
    g.output(g.head(g.pooled(g.trunk())))
    if g.odd:
        g.inputs += [helper.make_tensor_value_info(t.name, t.data_type, t.dims) for t in g.constants]


@case("weights_also_inputs_listed_first", "F1", ir=8)
def _inputs_first(g):
    g.output(g.head(g.pooled(g.trunk())))
    if g.odd:
        g.inputs = [helper.make_tensor_value_info(t.name, t.data_type, t.dims) for t in g.constants] + g.inputs


@case("shared_weight_and_bias", "F13", agreement=0.9)
def _shared(g):
    x, branches = g.stem(), []
    weight, bias = g.const(g.weights("shared.w", [8, 8, 3, 3])), g.const(g.weights("shared.b", [8]))
    for factor in (0.25, 1.0, 6.0):
        y = g.op("Mul", x, g.const(factor))
        if not g.odd:
            weight, bias = g.const(g.weights("shared.w", [8, 8, 3, 3])), g.const(g.weights("shared.b", [8]))
        branches.append(g.relu(g.op("Conv", y, weight, bias, kernel_shape=[3, 3], pads=[1] * 4)))
    g.output(g.head(g.pooled(g.op("Concat", *branches, axis=1)), width=24))


@case("shared_weight_with_other_biases", "F13")
def _tied(g):
    x = g.stem()
    for layer in range(2):
        weight = g.const(g.weights("tied.w", [8, 8, 3, 3]), "tied.w" if g.odd else f"tied{layer}.w")
        bias = g.const(g.weights(f"tied{layer}.b", [8]))
        x = g.op("Add", x, g.relu(g.op("Conv", x, weight, bias, kernel_shape=[3, 3], pads=[1] * 4)))
    g.output(g.head(g.pooled(g.second(x))))


# Normalizations.


@case("norm_by_mul_and_add", "F2")
def _by_parts(g):
    x = g.conv(g.input(), 3, 8, stride=2, name="conv1", bias=False)
    scale, shift = np.linspace(0.6, 1.4, 8), np.linspace(-0.2, 0.3, 8)
    if g.odd:
        axes = g.ints(1, 2)
        x = g.op("Mul", x, g.op("Unsqueeze", g.const(scale), axes))
        x = g.op("Add", x, g.op("Unsqueeze", g.const(shift), axes))
    else:
        zeros, ones = g.const(np.zeros(8)), g.const(np.ones(8))
        x = g.op("BatchNormalization", x, g.const(scale), g.const(shift), zeros, ones, epsilon=0.0)
    g.output(g.head(g.pooled(g.second(g.relu(x)))))


@case("norm_by_sub_div_mul_add", "F2", integer=False)
def _by_more_parts(g):
    x = g.conv(g.input(), 3, 8, stride=2, name="conv1", bias=False)
    parts = [np.linspace(*ends, 8).reshape(8, 1, 1) for ends in ((-0.3, 0.3), (0.7, 1.5), (0.6, 1.4), (-0.2, 0.3))]
    if g.odd:
        for kind, values in zip(("Sub", "Div", "Mul", "Add"), parts):
            x = g.op(kind, x, g.const(values))
    else:
        mean, deviation, scale, shift = (part.reshape(8) for part in parts)
        values = [g.const(v) for v in (scale, shift, mean, deviation**2)]
        x = g.op("BatchNormalization", x, *values, epsilon=0.0)
    g.output(g.head(g.pooled(g.second(g.relu(x)))))


def normed(name, body, **options):
    @case(name, "F2", **options)
    def build(g):
        """Both forms are the same, with BatchNormalization nodes, and every layer has to be integer."""
        g.output(g.head(g.pooled(g.second(body(g, g.input())))))

    return build


def preactivation(g, x):
    """DenseNet and ResNet v2: batch normalization of a sum, before the activation."""
    x = g.conv(x, 3, 8, stride=2, name="conv1")
    y = g.conv(g.relu(g.norm(x, 8, "bn1")), 8, 8, name="conv3")
    return g.relu(g.norm(g.op("Add", y, x), 8, "bn2"))


def twice(g, x):
    x = g.norm(g.norm(g.conv(x, 3, 8, stride=2, name="conv1"), 8, "bn1"), 8, "bn2")
    return g.norm(g.relu(x), 8, "bn3")


def another_reader(g, x):
    x = g.conv(x, 3, 8, stride=2, name="conv1")
    return g.op("Add", g.relu(g.norm(x, 8, "bn1")), g.relu(x))


def dense(g, x):
    """A block of DenseNet: batch normalization of a concatenation."""
    x = g.relu(g.conv(x, 3, 4, stride=2, name="conv1"))
    y = g.conv(g.relu(g.norm(x, 4, "bn1")), 4, 4, name="conv3")
    return g.relu(g.norm(g.op("Concat", x, y, axis=1), 8, "bn2"))


def on_the_input(g, x):
    return g.relu(g.conv(g.norm(x, 3, "bn0"), 3, 8, stride=2, name="conv1"))


normed("norm_before_activation", preactivation)
normed("norm_twice_and_after_relu", twice)
normed("norm_beside_another_reader", another_reader)
normed("norm_of_a_concatenation", dense)
normed("norm_on_the_input", on_the_input)
for opset in (9, 14, 15):
    normed(f"norm_opset_{opset}", twice, opset=opset, ir=4, quantize_words=("version_converter",) if opset < 11 else ())


@case("depthwise_empty_bias", "F10")
def _empty_bias(g):
    x = g.relu(g.norm(g.conv(g.input(), 3, 8, stride=2, name="conv1", bias=False), 8, "bn1"))
    weight = g.const(g.weights("dw.weight", [8, 1, 3, 3]), "dw.w")
    x = g.op("Conv", x, weight, *([""] if g.odd else []), group=8, kernel_shape=[3, 3], pads=[1] * 4)
    x = g.relu(g.norm(x, 8, "bn2"))
    x = g.norm(g.conv(x, 8, 32, kernel=1, name="conv3", bias=False), 32, "bn3")
    g.output(g.head(g.pooled(g.relu(x)), width=32))


@case("conv_empty_bias", "F10")
def _conv_empty_bias(g):
    x = g.stem()
    weight = g.const(g.weights("conv2.weight", [16, 8, 3, 3]))
    x = g.op("Conv", x, weight, *([""] if g.odd else []), kernel_shape=[3, 3], pads=[1] * 4, strides=[2, 2])
    g.output(g.head(g.pooled(g.relu(x))))


@case("norm_behind_the_dense_layer", "F2", integer=False)
def _norm_dense(g):
    """BatchNorm1d on `[N, 16]`."""
    x = g.norm(g.pooled(g.trunk()), 16, "bn1")
    g.output(g.head(g.op("Identity", x) if g.odd else x))


for mode, outputs in ((1, 3), (1, 1)):

    @case(f"norm_training_mode_{outputs}_outputs", "F20", outcome="refused", words=("training",), opset=15)
    def _training(g, outputs=outputs):
        x = g.conv(g.input(), 3, 8, stride=2, name="conv1")
        x = g.norm(x, 8, "bn")
        if g.odd:
            node = g.nodes[-1]
            node.attribute.append(helper.make_attribute("training_mode", 1))
            node.output.extend([g.fresh("running") for _ in range(outputs - 1)])
        g.output(g.head(g.pooled(g.second(g.relu(x)))))


# Dropout.

both("dropout_training_false", "F6")(
    lambda g, x: g.op("Dropout", g.pooled(x), g.const(0.5), g.const(False, dtype=np.bool_))
)
both("dropout_training_false_by_constant_node", "F6", opset=17)(
    lambda g, x: g.op("Dropout", g.pooled(x), g.node_constant(0.5), g.node_constant(False, np.bool_))
)
both("dropout_ratio_alone", "F1")(lambda g, x: g.op("Dropout", g.pooled(x), g.const(0.2)))
both("dropout_without_ratio", "F1")(lambda g, x: g.op("Dropout", g.pooled(x)))
both("dropout_empty_ratio", "F1")(lambda g, x: g.op("Dropout", g.pooled(x), ""))
both("dropout_ratio_attribute_11", "F1", opset=11)(lambda g, x: g.op("Dropout", g.pooled(x), ratio=0.4))
both("dropout_mask_unread", "F1")(lambda g, x: g.op("Dropout", g.pooled(x), outputs=2)[0])
both("dropout_before_the_pool", "F1")(lambda g, x: g.pooled(g.op("Dropout", x)))
both("dropout_training", "F20", outcome="refused", words=("training", "Dropout"))(
    lambda g, x: g.op("Dropout", g.pooled(x), g.const(0.2), g.const(True, dtype=np.bool_))
)

# Last layers.


def last(name, kind="F2", body=None, **options):
    """A case whose last layer is `odd(g, x, weight, bias)` of features `x` `[N, 16]` in the odd form."""

    def register(odd):
        @case(name, kind, **options)
        def build(g):
            x = g.pooled(g.trunk())
            if g.odd:
                g.output(odd(g, x, *g.head_values(x, 16)))
            else:
                g.output(g.head(x))

        return odd

    return register


last("gemm_alpha_and_beta")(
    lambda g, x, w, b: g.op("Gemm", x, g.const(w / 2), g.const(b * 4), alpha=2.0, beta=0.25, transB=1)
)
last("gemm_alpha_alone")(lambda g, x, w, b: g.op("Gemm", x, g.const(w / 3), g.const(b), alpha=3.0, transB=1))
last("gemm_without_transB")(lambda g, x, w, b: g.op("Gemm", x, g.const(w.T), g.const(b)))
last("gemm_bias_of_two_axes")(lambda g, x, w, b: g.op("Gemm", x, g.const(w), g.const(b[None]), transB=1))
last("gemm_without_bias_then_add")(lambda g, x, w, b: g.op("Add", g.op("Gemm", x, g.const(w), transB=1), g.const(b)))
last("gemm_empty_bias_then_add")(lambda g, x, w, b: g.op("Add", g.op("Gemm", x, g.const(w), "", transB=1), g.const(b)))
last("matmul_and_add")(lambda g, x, w, b: g.op("Add", g.op("MatMul", x, g.const(w.T)), g.const(b)))
last("add_before_matmul_of_names")(lambda g, x, w, b: g.op("Add", g.const(b), g.op("MatMul", x, g.const(w.T))))
last("matmul_add_of_two_axes")(lambda g, x, w, b: g.op("Add", g.op("MatMul", x, g.const(w.T)), g.const(b[None])))
last("matmul_sub")(lambda g, x, w, b: g.op("Sub", g.op("MatMul", x, g.const(w.T)), g.const(-b)))
last("matmul_weight_behind_transpose")(
    lambda g, x, w, b: g.op("Add", g.op("MatMul", x, g.op("Transpose", g.const(w), perm=[1, 0])), g.const(b))
)
last("matmul_weight_behind_reshape", "F5")(
    lambda g, x, w, b: g.op("Add", g.op("MatMul", x, g.op("Reshape", g.const(w.T[:, None]), g.ints(16, COUNT))), g.const(b[None]))
)
last("matmul_of_three_axes")(
    lambda g, x, w, b: g.op(
        "Squeeze", g.op("Add", g.op("MatMul", g.op("Unsqueeze", x, g.ints(1)), g.const(w.T)), g.const(b)), g.ints(1)
    )
)
last("einsum", integer=False)(
    lambda g, x, w, b: g.op("Add", g.op("Einsum", x, g.const(w), equation="nc,kc->nk"), g.const(b))
)
last("conv_as_the_last_layer")(
    lambda g, x, w, b: g.op(
        "Flatten", g.op("Conv", g.op("Unsqueeze", x, g.ints(2, 3)), g.const(w[:, :, None, None]), g.const(b)), axis=1
    )
)
last("temperature_by_division", "F5")(
    lambda g, x, w, b: g.op("Div", g.op("Gemm", x, g.const(w * 2), g.const(b * 2), transB=1), g.const(2.0))
)
last("temperature_by_product", "F5")(
    lambda g, x, w, b: g.op("Mul", g.const([0.5]), g.op("Gemm", x, g.const(w * 2), g.const(b * 2), transB=1))
)
last("output_by_identity")(lambda g, x, w, b: g.op("Identity", g.op("Gemm", x, g.const(w), g.const(b), transB=1)))


@case("confident_ten_fold", "F5")
def _confident(g):
    """Logits of about 80: a bias hardly changes the class masses."""
    x = g.pooled(g.trunk())
    weight, bias = g.head_values(x, 16)
    g.output(g.op("Gemm", x, g.const(weight * 10), g.const(bias * 10), transB=1))


@case("flattened_image_before_the_dense_layer", "F2")
def _flattened(g):
    """The end of LeNet: max pooling, and a dense layer over the flattened image."""
    x = g.op("MaxPool", g.trunk(), kernel_shape=[2, 2], strides=[2, 2])
    x = g.op("Reshape", x, g.ints(-1, 256)) if g.odd else g.op("Flatten", x, axis=1)
    g.output(g.head(x, width=256))
