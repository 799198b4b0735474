"""Cases on equivalent forms of padding, Clip, means, the step from `[N, C, 1, 1]` to `[N, C]`, and If."""

import numpy as np
from onnx import TensorProto, helper
from third_party_case import case


def both(name, kind, trunk=None, **options):
    """A case whose odd form computes the features `[N, 16]` by `odd(g, x)` from the trunk `[N, 16, 8, 8]`."""

    def register(odd):
        @case(name, kind, **options)
        def build(g):
            x = (trunk or type(g).trunk)(g)
            x = odd(g, x) if g.odd else g.pooled(x)
            g.output(g.head(x))

        return odd

    return register


@case("plain", "F3")
def _plain(g):
    g.output(g.head(g.pooled(g.trunk())))


# Padding.


def padded(name, kind, **options):
    """A case whose odd form pads the input of both convolutions by `odd(g, x, pads)`."""

    def register(odd):
        @case(name, kind, **options)
        def build(g):
            x, pads = g.input(), [0, 0, 1, 1]
            for ins, outs, layer in ((3, 8, "conv1"), (8, 16, "conv2")):
                if g.odd:
                    x = g.conv(odd(g, x, pads), ins, outs, stride=2, name=layer, pads=[0] * 4)
                else:
                    x = g.conv(x, ins, outs, stride=2, name=layer, pads=pads)
                x = g.relu(x)
            g.output(g.head(g.pooled(x)))

        return odd

    return register


def ends(pads):
    return [0, 0, *pads[:2], 0, 0, *pads[2:]]


@padded("pad_nodes", "F2")
def _pad(g, x, pads):
    return g.op("Pad", x, g.ints(*ends(pads)))


@padded("pad_nodes_with_zero_filling", "F2", opset=11)
def _pad_filling(g, x, pads):
    return g.op("Pad", x, g.ints(*ends(pads)), g.const(0.0), mode="constant")


@padded("pad_nodes_with_axes_18", "F2", opset=18)
def _pad_axes(g, x, pads):
    return g.op("Pad", x, g.ints(*pads), "", g.ints(-2, 3))


@padded("pad_nodes_of_constant_nodes", "F2", opset=17)
def _pad_constant(g, x, pads):
    return g.op("Pad", x, g.node_constant(ends(pads), np.int64), g.node_constant(0.0))


@padded("pad_channels_last", "F2")
def _pad_last(g, x, pads):
    turned = g.op("Transpose", x, perm=[0, 2, 3, 1])
    turned = g.op("Pad", turned, g.ints(0, *pads[:2], 0, 0, *pads[2:], 0))
    return g.op("Transpose", turned, perm=[0, 3, 1, 2])


for auto, pads in (("SAME_UPPER", [0, 0, 1, 1]), ("SAME_LOWER", [1, 1, 0, 0]), ("VALID", [0, 0, 0, 0])):

    @case(f"conv_auto_pad_{auto.lower()}", "F2")
    def _auto(g, auto=auto, pads=pads):
        x = g.input()
        for ins, outs, layer in ((3, 8, "conv1"), (8, 16, "conv2")):
            spelled = dict(auto_pad=auto) if g.odd else dict(pads=pads)
            x = g.relu(g.conv(x, ins, outs, stride=2, name=layer, **spelled))
        g.output(g.head(g.pooled(x)))


@case("conv_same_upper_dilated", "F25", outcome="either", words=("dilation", "auto_pad", "SAME_UPPER"), reference="twin")
def _dilated(g):
    x = g.stem()
    spelled = dict(auto_pad="SAME_UPPER") if g.odd else dict(pads=[2, 2, 2, 2])
    x = g.relu(g.conv(x, 8, 16, name="conv2", dilations=[2, 2], **spelled))
    g.output(g.head(g.pooled(x)))


@case("conv_attributes_left_out", "F2")
def _bare(g):
    """A Conv without attributes: the weight gives the kernel, and the defaults give the rest."""
    x = g.stem()
    x = g.conv(x, 8, 16, name="conv2", pads=[0] * 4)
    if g.odd:
        node = g.nodes[-1]
        del node.attribute[:]
    g.output(g.head(g.pooled(g.relu(x))))


# Bounds.


def bounded(name, kind, low=0.0, high=6.0, **options):
    def register(odd):
        @case(name, kind, **options)
        def build(g):
            x = g.input()
            for ins, outs, layer in ((3, 8, "conv1"), (8, 16, "conv2")):
                x = g.conv(x, ins, outs, stride=2, name=layer)
                if g.odd:
                    x = odd(g, x)
                else:
                    bounds = [g.const(low), g.const(high)] if high is not None else []
                    x = g.op("Clip", x, *bounds) if bounds else g.relu(x)
            g.output(g.head(g.pooled(x)))

        return odd

    return register


bounded("clip_constant_nodes", "F1")(lambda g, x: g.op("Clip", x, g.node_constant(0), g.node_constant(6)))
bounded("clip_value_float", "F1")(lambda g, x: g.op("Clip", x, *[g.op("Constant", value_float=v) for v in (0.0, 6.0)]))
bounded("clip_attributes_10", "F28", opset=10, ir=5, quantize_words=("version_converter",))(lambda g, x: g.op("Clip", x, min=0.0, max=6.0))
bounded("clip_low_alone", "F2", high=None)(lambda g, x: g.op("Clip", x, g.const(0.0)))
bounded("clip_empty_high", "F2", high=None)(lambda g, x: g.op("Clip", x, g.const(0.0), ""))
bounded("clip_high_infinite", "F19", high=None)(lambda g, x: g.op("Clip", x, g.const(0.0), g.const(np.inf)))
bounded("clip_high_largest_float", "F19", high=None)(
    lambda g, x: g.op("Clip", x, g.const(0.0), g.const(np.finfo(np.float32).max))
)
bounded("clip_bounds_cast_from_double", "F6")(
    lambda g, x: g.op("Clip", x, *[g.op("Cast", g.const(v, dtype=np.float64), to=TensorProto.FLOAT) for v in (0, 6)])
)
bounded("relu_then_min", "F2")(lambda g, x: g.op("Min", g.relu(x), g.const(6.0)))
bounded("max_then_min", "F2")(lambda g, x: g.op("Min", g.op("Max", x, g.const([0.0])), g.const([[[6.0]]])))

# Means over height and width.


def mean(g, x, axes, keepdims, **attributes):
    """A ReduceMean: its axes are an attribute before opset 18, and an input from then on."""
    if g.opset < 18:
        return g.op("ReduceMean", x, axes=axes, keepdims=keepdims, **attributes)
    return g.op("ReduceMean", x, g.ints(*axes), keepdims=keepdims, **attributes)


both("mean_attribute_13", "F2")(lambda g, x: mean(g, x, [2, 3], 0))
both("mean_attribute_11_backwards", "F2", opset=11)(lambda g, x: mean(g, x, [-1, -2], 0))
both("mean_mixed_axes_17", "F2", opset=17)(lambda g, x: mean(g, x, [3, -2], 0))
both("mean_input_18", "F2", opset=18)(lambda g, x: mean(g, x, [2, 3], 0))
both("mean_input_negative_20", "F2", opset=20, ir=9)(lambda g, x: mean(g, x, [-1, -2], 0, noop_with_empty_axes=1))
both("mean_keeps_then_flatten_18", "F2", opset=18)(lambda g, x: g.op("Flatten", mean(g, x, [2, 3], 1), axis=1))
both("mean_keeps_then_reshape_21", "F2", opset=21, ir=10)(
    lambda g, x: g.op("Reshape", mean(g, x, [-1, -2], 1), g.ints(-1, 16))
)
both("mean_keeps_then_squeeze_13", "F2")(lambda g, x: g.op("Squeeze", mean(g, x, [2, 3], 1), g.ints(2, 3)))
both("mean_one_axis_at_a_time_18", "F2", opset=18)(lambda g, x: mean(g, mean(g, x, [3], 0), [2], 0))
both("mean_first_axis_first_13", "F2")(lambda g, x: mean(g, mean(g, x, [2], 0), [2], 0))
both("mean_axes_of_constant_node_19", "F2", opset=19, ir=9)(
    lambda g, x: g.op("ReduceMean", x, g.op("Constant", value_ints=[2, 3]), keepdims=0)
)
both("mean_channels_last", "F2")(lambda g, x: mean(g, g.op("Transpose", x, perm=[0, 2, 3, 1]), [1, 2], 0))
both("mean_of_flattened_places", "F2")(lambda g, x: mean(g, g.op("Reshape", x, g.ints(0, 0, -1)), [2], 0))
both("sum_and_division", "F2")(
    lambda g, x: g.op("Div", g.op("ReduceSum", x, g.ints(2, 3), keepdims=0), g.const(64.0))
)
both("average_pool_of_the_whole", "F2")(
    lambda g, x: g.op("Flatten", g.op("AveragePool", x, kernel_shape=[8, 8], strides=[1, 1]), axis=1)
)

# From four axes to two.

GAP = "GlobalAveragePool"
both("squeeze_axes_input", "F2")(lambda g, x: g.op("Squeeze", g.op(GAP, x), g.ints(2, 3)))
both("squeeze_axes_input_negative", "F2", opset=21, ir=10)(lambda g, x: g.op("Squeeze", g.op(GAP, x), g.ints(-1, -2)))
both("squeeze_axes_attribute_11", "F2", opset=11)(lambda g, x: g.op("Squeeze", g.op(GAP, x), axes=[2, 3]))
both("squeeze_one_at_a_time", "F2")(
    lambda g, x: g.op("Squeeze", g.op("Squeeze", g.op(GAP, x), g.ints(3)), g.node_constant([2], np.int64))
)
both("flatten_negative_axis", "F2")(lambda g, x: g.op("Flatten", g.op(GAP, x), axis=-3))
both("flatten_without_axis", "F2")(lambda g, x: g.op("Flatten", g.op(GAP, x)))
both("reshape_zero_and_rest", "F2")(lambda g, x: g.op("Reshape", g.op(GAP, x), g.ints(0, -1)))
both("reshape_rest_and_width", "F2")(lambda g, x: g.op("Reshape", g.op(GAP, x), g.ints(-1, 16)))
both("reshape_of_a_batch_of_one", "F2", batch=1)(lambda g, x: g.op("Reshape", g.op(GAP, x), g.ints(1, 16)))
both("flatten_then_identity", "F2")(lambda g, x: g.op("Identity", g.pooled(x)))
both("unsqueeze_and_squeeze", "F2")(
    lambda g, x: g.op("Squeeze", g.op("Unsqueeze", g.pooled(x), g.ints(1)), g.ints(1))
)


@both("reshape_of_the_batch_by_shape_and_gather", "F2")
def _view(g, x):
    """`x.view(x.size(0), -1)` by PyTorch's older exporter."""
    size = g.op("Gather", g.op("Shape", x), g.const(0, dtype=np.int64), axis=0)
    size = g.op("Unsqueeze", size, g.ints(0))
    return g.op("Reshape", g.op(GAP, x), g.op("Concat", size, g.ints(-1), axis=0))


@both("reshape_of_the_batch_by_slice", "F2", opset=15)
def _view_15(g, x):
    size = g.op("Slice", g.op("Shape", x, start=0, end=2), g.ints(0), g.ints(1), g.ints(0))
    return g.op("Reshape", g.op(GAP, x), g.op("Concat", size, g.node_constant([16], np.int64), axis=0))


# A branch of an If.

IF = dict(outcome="either", words=("If",), integer=False)


def squeeze_branch(g, x, axis, name):
    attributes = dict(axes=[axis]) if g.opset < 13 else {}
    inputs = [x] if g.opset < 13 else [x, g.ints(axis)]
    node = helper.make_node("Squeeze", inputs, [name], **attributes)
    return helper.make_graph([node], name, [], [helper.make_tensor_value_info(name, TensorProto.FLOAT, None)])


def identity_branch(x, name):
    node = helper.make_node("Identity", [x], [name])
    return helper.make_graph([node], name, [], [helper.make_tensor_value_info(name, TensorProto.FLOAT, None)])


@both("if_squeeze_11", "F24", opset=11, **IF)
def _if_squeeze(g, x):
    x = g.op(GAP, x)
    for axis in (3, 2):
        length = g.op("Gather", g.op("Shape", x), g.const([axis], dtype=np.int64), axis=0)
        one = g.op("Squeeze", g.op("Equal", length, g.const([1], dtype=np.int64)))
        names = g.fresh("then"), g.fresh("else")
        branches = squeeze_branch(g, x, axis, names[0]), identity_branch(x, names[1])
        x = g.op("If", one, then_branch=branches[0], else_branch=branches[1])
    return x


for truth in (True, False):

    @both(f"if_constant_{str(truth).lower()}", "F24", **IF)
    def _if_constant(g, x, truth=truth):
        x = g.op("Squeeze", g.op(GAP, x), g.ints(3))
        branches = squeeze_branch(g, x, 2, g.fresh("s")), identity_branch(x, g.fresh("i"))
        chosen = branches if truth else branches[::-1]
        return g.op("If", g.node_constant(truth, np.bool_), then_branch=chosen[0], else_branch=chosen[1])
