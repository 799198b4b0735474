"""Cases on small files that ask for much work: the programs answer or refuse within the limits of time and memory."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from third_party_hostile import hostile


def work(name, nodes, constants=None, accepted=(0, 2), words=()):
    """A case whose network has the nodes `nodes(x)` after its first ReLU, which produces `x`; the last one produces `y`."""

    def change(model):
        graph = model.graph
        at = next(i for i, node in enumerate(graph.node) if node.op_type == "Relu")
        x = graph.node[at].output[0]
        for node in graph.node[at + 1 :]:
            node.input[:] = ["y" if name == x else name for name in node.input]
        rest = list(graph.node[at + 1 :])
        del graph.node[at + 1 :]
        graph.node.extend([*nodes(x), *rest])
        graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in (constants or {}).items())

    hostile(name, accepted=accepted, words=words)(change)


def in_a_row(x, count, step):
    """`step(i, a, b)` for each of `count` parts of a chain from `x` to `y`."""
    names = [x, *(f"row{i}" for i in range(count - 1)), "y"]
    for i, (a, b) in enumerate(zip(names, names[1:])):
        yield from step(i, a, b)


def ints(*values):
    return np.array(values, np.int64)


def large_constant(i, a, b):
    yield helper.make_node("ConstantOfShape", ["shape"], [f"large{i}"])
    yield helper.make_node("ReduceMean", [f"large{i}"], [f"mean{i}"], keepdims=0)
    yield helper.make_node("Add", [a, f"mean{i}"], [b])


work(
    "large_constants_in_a_row", lambda x: in_a_row(x, 40, large_constant), {"shape": ints(2**24)},
    accepted=(2,), words=("more memory or time",),
)  # fmt: skip


def squeezed(i, a, b):
    yield helper.make_node("Unsqueeze", [a, "last"], [f"longer{i}"])
    yield helper.make_node("Squeeze", [f"longer{i}", "last"], [b])


work("squeezes_of_the_last_axis", lambda x: in_a_row(x, 1000, squeezed), {"last": ints(-1)})


def branch(name, x, kind):
    node = helper.make_node(kind, [x], [f"{name}.y"])
    return helper.make_graph([node], name, [], [helper.make_empty_tensor_value_info(f"{name}.y")])


def chosen(i, a, b):
    yield helper.make_node("Shape", [a], [f"shape{i}"])
    yield helper.make_node("Gather", [f"shape{i}", "two"], [f"height{i}"])
    yield helper.make_node("Cast", [f"height{i}"], [f"flag{i}"], to=TensorProto.BOOL)
    branches = {f"{way}_branch": branch(f"{way}{i}", a, kind) for way, kind in (("then", "Relu"), ("else", "Exp"))}
    yield helper.make_node("If", [f"flag{i}"], [b], name=f"if{i}", **branches)


work("branches_chosen_by_shapes", lambda x: in_a_row(x, 1500, chosen), {"two": ints(2)[0]})


def wide_branch(x):
    nodes = [helper.make_node("Exp", [x], [f"e{i}"]) for i in range(100_000)]
    outputs = [helper.make_empty_tensor_value_info("e0")]
    wide = helper.make_graph(nodes, "wide", [], outputs)
    yield helper.make_node("If", ["yes"], ["y"], then_branch=wide, else_branch=branch("other", x, "Relu"))


work("branch_of_100000_nodes", wide_branch, {"yes": np.array(True)}, accepted=(2,), words=("nodes",))


def joined(x):
    """One Concat that reads its input 60,000 times, in the form of a quantized file."""
    yield helper.make_node("QuantizeLinear", [x, "scale", "zero"], ["q"])
    yield helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["d"])
    yield helper.make_node("Concat", ["d"] * 60_000, ["wide"], axis=3)
    yield helper.make_node("Slice", ["wide", "from", "to", "axis"], ["y"])


work(
    "concat_of_60000_inputs", joined,
    {"scale": np.float32(0.05), "zero": np.uint8(0), "from": ints(0), "to": ints(16), "axis": ints(3)},
)  # fmt: skip

SHARED = (np.eye(8, dtype=np.float32) + 0.001).reshape(8, 8, 1, 1)
work(
    "convolutions_that_share_a_weight_and_are_scaled",
    lambda x: in_a_row(x, 300, lambda i, a, b: [
        helper.make_node("Conv", [a, "shared"], [f"conv{i}"]),
        helper.make_node("Mul", [f"conv{i}", "factor"], [b]),
    ]),
    {"shared": SHARED, "factor": np.float32(0.999)},
)  # fmt: skip
work(
    "one_convolution_scaled_5000_times",
    lambda x: [
        helper.make_node("Conv", [x, "shared"], ["scaled"]),
        *in_a_row("scaled", 5000, lambda i, a, b: [helper.make_node("Mul", [a, "factor"], [b])]),
    ],
    {"shared": SHARED, "factor": np.float32(0.9999)},
)


@hostile("a_million_initializers", accepted=(2,), words=("initializers",))
def _initializers(model):
    tensor = numpy_helper.from_array(ints(0))
    for i in range(1_000_000):
        tensor.name = f"unused{i}"
        model.graph.initializer.append(tensor)


@hostile("a_large_function_called_5000_times", accepted=(2,), words=("functions",))
def _calls(model):
    """Inlined, the constant of the function would take 5 GB."""
    constant = helper.make_node("Constant", [], ["large"], value=numpy_helper.from_array(np.zeros(2**18, np.float32)))
    nodes = [constant, helper.make_node("ReduceMean", ["large"], ["mean"], keepdims=0), helper.make_node("Add", ["a", "mean"], ["b"])]
    opsets = [helper.make_opsetid("", 13)]
    model.functions.append(helper.make_function("local", "Shift", ["a"], ["b"], nodes, opsets))
    model.opset_import.append(helper.make_opsetid("local", 1))
    end = model.graph.output[0].name
    for node in model.graph.node:
        node.output[:] = ["before" if name == end else name for name in node.output]
    calls = in_a_row("before", 5000, lambda i, a, b: [helper.make_node("Shift", [a], [end if b == "y" else b], domain="local")])
    model.graph.node.extend(calls)
