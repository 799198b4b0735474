"""Networks with layer normalization and attention: operators without an integer kernel run in float."""

import numpy as np
from third_party_case import case
from third_party_operators import gelu_by_parts, gelu_by_tanh
from third_party_pictures import SIDE

WIDTH = 12


def layer_norm(g, x, name, parts=False):
    """Layer normalization over the last axis; with `parts`, in the form of exporters before opset 17."""
    scale, shift = g.const(np.linspace(0.7, 1.3, WIDTH), f"{name}.g"), g.const(np.linspace(-0.1, 0.1, WIDTH), f"{name}.b")
    if not parts:
        return g.op("LayerNormalization", x, scale, shift, axis=-1, epsilon=1e-6)
    middle = g.op("Sub", x, mean(g, x, -1, 1))
    variance = mean(g, g.op("Pow", middle, g.const(2.0)), -1, 1)
    normed = g.op("Div", middle, g.op("Sqrt", g.op("Add", variance, g.const(1e-6))))
    return g.op("Add", g.op("Mul", normed, scale), shift)


def mean(g, x, axis, keepdims):
    if g.opset < 18:
        return g.op("ReduceMean", x, axes=[axis], keepdims=keepdims)
    return g.op("ReduceMean", x, g.ints(axis), keepdims=keepdims)


def dense(g, x, ins, outs, name):
    weight = g.const(g.weights(f"{name}.w", [outs, ins]).T, f"{name}.w")
    return g.op("Add", g.const(g.weights(f"{name}.b", [outs]), f"{name}.b"), g.op("MatMul", x, weight))


def gelu(g, x, how):
    if how == "op":
        return g.op("Gelu", x)
    return gelu_by_tanh(g, x) if how == "tanh" else gelu_by_parts(g, x)


def convnext(g, parts, how):
    """Two blocks of ConvNeXt: 7 x 7 depthwise convolution, layer norm over channels, dense layers, layer scale, sum."""
    x = g.conv(g.input(), 3, WIDTH, kernel=4, stride=4, name="stem", pads=[0] * 4)
    for block in ("a", "b"):
        y = g.conv(x, WIDTH, WIDTH, kernel=7, name=f"{block}.dw", group=WIDTH)
        y = layer_norm(g, g.op("Transpose", y, perm=[0, 2, 3, 1]), f"{block}.ln", parts)
        y = gelu(g, dense(g, y, WIDTH, 4 * WIDTH, f"{block}.1"), how)
        y = g.op("Mul", dense(g, y, 4 * WIDTH, WIDTH, f"{block}.2"), g.const(np.linspace(0.2, 0.6, WIDTH)))
        x = g.op("Add", x, g.op("Transpose", y, perm=[0, 3, 1, 2]))
    x = g.op("Transpose", g.op("GlobalAveragePool", x), perm=[0, 2, 3, 1])
    return g.op("Flatten", layer_norm(g, x, "last.ln", parts), axis=1)


def attention(g, x, name, heads=2, fused=False):
    """Self-attention over `[N, T, WIDTH]`."""
    size = WIDTH // heads
    if fused:
        both = g.op("Reshape", dense(g, x, WIDTH, 3 * WIDTH, f"{name}.qkv"), g.ints(0, -1, 3, heads, size))
        both = g.op("Transpose", both, perm=[2, 0, 3, 1, 4])
        q, k, v = (g.op("Gather", both, g.const(i, dtype=np.int64), axis=0) for i in range(3))
    else:
        parts = [g.op("Reshape", dense(g, x, WIDTH, WIDTH, f"{name}.{p}"), g.ints(0, -1, heads, size)) for p in "qkv"]
        q, k, v = (g.op("Transpose", part, perm=[0, 2, 1, 3]) for part in parts)
    scores = g.op("Mul", g.op("MatMul", q, g.op("Transpose", k, perm=[0, 1, 3, 2])), g.const(size**-0.5))
    x = g.op("Transpose", g.op("MatMul", g.op("Softmax", scores, axis=-1), v), perm=[0, 2, 1, 3])
    return dense(g, g.op("Reshape", x, g.ints(0, -1, WIDTH)), WIDTH, WIDTH, f"{name}.o")


def vit(g, parts, how, fused=False, token=True):
    """A vision transformer of one block: patches, class token by Expand, position embedding, attention, MLP."""
    x = g.conv(g.input(), 3, WIDTH, kernel=4, stride=4, name="patch", pads=[0] * 4)
    count = (SIDE // 4) ** 2
    x = g.op("Transpose", g.op("Reshape", x, g.ints(0, WIDTH, count)), perm=[0, 2, 1])
    if token:
        size = g.op("Gather", g.op("Shape", x), g.ints(0), axis=0)
        shape = g.op("Concat", size, g.ints(1, WIDTH), axis=0)
        x = g.op("Concat", g.op("Expand", g.const(g.weights("cls", [1, 1, WIDTH]), "cls"), shape), x, axis=1)
    x = g.op("Add", x, g.const(g.weights("pos", [1, count + token, WIDTH], 0.1), "pos"))
    x = g.op("Add", x, attention(g, layer_norm(g, x, "ln1", parts), "attn", fused=fused))
    y = gelu(g, dense(g, layer_norm(g, x, "ln2", parts), WIDTH, 4 * WIDTH, "mlp.1"), how)
    x = layer_norm(g, g.op("Add", x, dense(g, y, 4 * WIDTH, WIDTH, "mlp.2")), "ln3", parts)
    return mean(g, x, 1, 0)


# Operators without an integer kernel run in float, so not every layer has to be integer.
FLOAT = dict(integer=False, agreement=0.93)


def network(name, body, odd, plain, opset, plain_opset=17, **options):
    @case(name, "F6", opset=opset, plain_opset=plain_opset, ir=10 if opset > 18 else 8, **{**FLOAT, **options})
    def build(g):
        g.output(g.head(body(g, *(odd if g.odd else plain)), width=WIDTH))


network("convnext_layernorm_17", convnext, (False, "parts"), (True, "parts"), 17)
network("convnext_gelu_20", convnext, (False, "op"), (False, "parts"), 20)
network("convnext_gelu_tanh_21", convnext, (False, "tanh"), (False, "tanh"), 21)
network("convnext_by_parts_13", convnext, (True, "parts"), (False, "parts"), 13)
network("vit_by_parts_13", vit, (True, "parts"), (False, "parts"), 13)
network("vit_layernorm_17", vit, (False, "parts", True), (False, "parts", True), 17)
network("vit_gelu_20", vit, (False, "op", True), (False, "parts", True), 20)
network("vit_without_token_18", vit, (False, "parts", False, False), (False, "parts", False, False), 18)


@case("group_norm_21", "F6", opset=21, ir=10, plain_opset=13, **FLOAT)
def _group(g):
    """GroupNormalization; its plain form is InstanceNormalization between two reshapes."""
    x = g.stem()
    scale, shift = np.linspace(0.7, 1.3, 8), np.linspace(-0.2, 0.2, 8)
    if g.odd:
        x = g.op("GroupNormalization", x, g.const(scale), g.const(shift), num_groups=2, epsilon=1e-5)
    else:
        y = g.op("Reshape", x, g.ints(0, 2, -1))
        y = g.op("InstanceNormalization", y, g.const(np.ones(2)), g.const(np.zeros(2)), epsilon=1e-5)
        y = g.op("Reshape", y, g.ints(-1, 8, 16, 16))
        x = g.op("Add", g.op("Mul", y, g.const(scale.reshape(8, 1, 1))), g.const(shift.reshape(8, 1, 1)))
    g.output(g.head(g.pooled(g.second(x))))


@case("windows_of_attention", "F6", opset=17, plain_opset=17, **FLOAT)
def _windows(g):
    """Swin: windows by reshapes to six axes, and a cyclic shift by Slice and Concat."""
    x = g.conv(g.input(), 3, WIDTH, kernel=4, stride=4, name="patch", pads=[0] * 4)
    x = g.op("Transpose", x, perm=[0, 2, 3, 1])
    parts = [g.op("Slice", x, g.ints(i), g.ints(j), g.ints(1)) for i, j in ((2, 99), (0, 2))]
    y = g.op("Concat", *parts, axis=1)
    y = g.op("Transpose", g.op("Reshape", y, g.ints(-1, 2, 4, 2, 4, WIDTH)), perm=[0, 1, 3, 2, 4, 5])
    y = attention(g, layer_norm(g, g.op("Reshape", y, g.ints(-1, 16, WIDTH)), "ln1"), "attn")
    y = g.op("Transpose", g.op("Reshape", y, g.ints(-1, 2, 2, 4, 4, WIDTH)), perm=[0, 1, 3, 2, 4, 5])
    x = layer_norm(g, g.op("Add", x, g.op("Reshape", y, g.ints(-1, 8, 8, WIDTH))), "ln2")
    g.output(g.head(g.op("ReduceMean", x, axes=[1, 2], keepdims=0), width=WIDTH))
