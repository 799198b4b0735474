"""Cases on damaged and hostile files: exit code 2, an error that names the place, bounded time and memory, no file."""

import numpy as np
import third_party_pictures as pictures
from onnx import TensorProto, helper, numpy_helper
from third_party_case import case
from third_party_run import RSS, SECONDS, preparation, quantize_flags

LARGE = {"2e20": 2**20, "2e31": 2**31, "2e40": 2**40, "2e62": 2**62}


def bounded(case, folder, _right, material, programs, found):
    """Every program ends with an exit code of `accepted`, without a panic, within the limits of time and memory."""
    model, out = folder / "case.onnx", folder / "int8.onnx"
    picture = material.pictures / "test" / pictures.CLASSES[0] / "000.png"
    flags = preparation(case, material.labels)
    commands = [
        ("tailfold", "classify", "--model", model, *flags, picture),
        ("tailfold", "info", "--model", model, *flags),
        ("tailfold", "quantize", "--model", model, *quantize_flags(case, material.labels),
         "--calibration", material.spec("train"), "--out", out),
    ]
    slowest = largest = 0
    for command in commands:
        done = programs.run(*command, patience=4 * SECONDS)
        slowest, largest = max(slowest, done.seconds), max(largest, done.rss)
        program = command[1] if command[0] == "tailfold" else "quantize"
        if done.panicked or done.status not in case.extra["accepted"]:
            found.fails(f"{program}: {done.reason()}")
        elif done.status == 2 and case.words and not any(word in done.err for word in case.words):
            found.fails(f"the message of {program} lacks {' or '.join(case.words)}: {done.reason()}")
        if done.seconds > SECONDS or done.rss > RSS:
            found.fails(f"{program} took {done.seconds:.1f} s and {done.rss / 2**20:.0f} MiB")
        if done.status == 2 and out.exists():
            found.fails(f"{program} refused the model but wrote a file")
    found.figures.append(f"{slowest:.1f} s, {largest / 2**20:.0f} MiB")


def hostile(name, words=(), accepted=(2,), base=None, raw=False, **options):
    """A case whose file is the model `base` after `change(model)`; with `raw`, the bytes that `change` returns."""

    def register(change):
        def after(folder, model):
            content = change(model)
            (folder / "case.onnx").write_bytes(content if raw else model.SerializeToString())

        extra = {"judge": bounded, "accepted": accepted}
        case(f"hostile_{name}", "bounds", after=after, outcome="refused", words=words, extra=extra, **options)(base or plain)
        return change

    return register


def plain(g):
    g.output(g.head(g.pooled(g.trunk())))


def with_pools(g):
    """A network with a node of each operator in MUTATIONS."""
    x = g.op("MaxPool", g.stem(), kernel_shape=[2, 2], strides=[1, 1], pads=[0, 0, 1, 1])
    x = g.op("AveragePool", x, kernel_shape=[2, 2], strides=[1, 1], pads=[0, 0, 1, 1])
    x = g.op("Transpose", g.op("Transpose", x, perm=[0, 2, 3, 1]), perm=[0, 3, 1, 2])
    x = g.op("Concat", x, x, axis=1)
    x = g.op("Pad", x, g.const([0, 0, 1, 1, 0, 0, 1, 1], "pad.ends", np.int64))
    x = g.relu(g.conv(x, 16, 16, stride=2, name="conv2"))
    x = g.op("ReduceMean", x, axes=[2, 3], keepdims=1)
    x = g.op("Reshape", g.op("Flatten", x, axis=1), g.const([-1, 16], "reshape.shape", np.int64))
    g.output(g.op("Softmax", g.head(x, name="raw"), axis=1))


def node_of(model, kind):
    return next(node for node in model.graph.node if node.op_type == kind)


def attribute(model, kind, name, value):
    node = node_of(model, kind)
    kept = [a for a in node.attribute if a.name != name]
    del node.attribute[:]
    node.attribute.extend([*kept, helper.make_attribute(name, value)])


MUTATIONS = [
    *((kind, name, label, value)
      for kind, names in {
          "Conv": ("pads", "strides", "dilations", "kernel_shape"),
          "MaxPool": ("pads", "strides", "kernel_shape"),
          "AveragePool": ("pads", "strides", "kernel_shape"),
      }.items()
      for name in names
      for label, value in {
          "one_number": [1],
          "three_numbers": [1, 1, 1],
          "zero": [0] * (4 if name == "pads" else 2),
          "negative": [-5] * (4 if name == "pads" else 2),
          **{label: [n] * (4 if name == "pads" else 2) for label, n in LARGE.items()},
      }.items()
      if (name, label) != ("pads", "zero")),
    *(("Conv", "group", label, value) for label, value in {"zero": 0, "negative": -1, "three": 3, "2e40": 2**40}.items()),
    ("Flatten", "axis", "5", 5),
    ("Flatten", "axis", "negative_9", -9),
    ("Transpose", "perm", "axis_9", [0, 2, 9, 1]),
    ("Transpose", "perm", "twice", [0, 1, 1, 3]),
    ("Transpose", "perm", "short", [0, 1]),
    ("ReduceMean", "axes", "4", [4]),
    ("ReduceMean", "axes", "negative_2e62", [-(2**62)]),
    ("Softmax", "axis", "7", 7),
    ("Concat", "axis", "9", 9),
    ("Concat", "axis", "0", 0),
]
for kind, name, label, value in MUTATIONS:

    # A stride larger than the image is valid: the output has one pixel.
    accepted = (0, 2) if name == "strides" and label in LARGE else (2,)

    @hostile(f"{kind.lower()}_{name}_{label}", words=(kind, kind.lower()), base=with_pools, accepted=accepted)
    def _mutated(model, kind=kind, name=name, value=value):
        attribute(model, kind, name, value)


def constant(model, name, values):
    tensor = next(t for t in model.graph.initializer if t.name == name)
    tensor.CopyFrom(numpy_helper.from_array(np.asarray(values), name))


for label, ends in {
    "2e20": [0, 0, 2**20, 2**20, 0, 0, 0, 0],
    "2e40": [0, 0, 2**40, 0, 0, 0, 0, 0],
    "negative_2e62": [0, 0, -(2**62), 0, 0, 0, 0, 0],
    "of_the_batch": [2**31, 0, 0, 0, 0, 0, 0, 0],
    "of_three_numbers": [0, 0, 1],
}.items():

    @hostile(f"pad_input_{label}", words=("Pad", "pad"), base=with_pools)
    def _pads(model, ends=ends):
        constant(model, "pad.ends", np.array(ends, np.int64))


for label, shape in {"2e40": [-1, 2**40], "two_rests": [-1, -1], "negative": [-7, 16], "other": [3, 7]}.items():

    @hostile(f"reshape_{label}", words=("Reshape", "reshape"), base=with_pools)
    def _reshape(model, shape=shape):
        constant(model, "reshape.shape", np.array(shape, np.int64))


def chain(model, count, kind="Relu"):
    """Inserts `count` nodes in a row before the output."""
    end = model.graph.output[0].name
    for node in model.graph.node:
        node.output[:] = ["before" if name == end else name for name in node.output]
    names = ["before", *(f"c{i}" for i in range(count - 1)), end]
    model.graph.node.extend(helper.make_node(kind, [a], [b], name=f"chain{i}") for i, (a, b) in enumerate(zip(names, names[1:])))


# A long chain is not harmful by itself: an answer within the limits is accepted too.
hostile("chain_of_3000", accepted=(0, 2))(lambda model: chain(model, 3000))
hostile("chain_of_100000", accepted=(0, 2))(lambda model: chain(model, 100_000))
hostile("chain_of_20000_identities", accepted=(0, 2))(lambda model: chain(model, 20_000, "Identity"))


@hostile("doubled_30_times", accepted=(0, 1, 2))
def _doubled(model):
    """Each node reads the node before it twice: the number of paths doubles, the number of nodes does not."""
    end, last = model.graph.output[0].name, "before"
    for node in model.graph.node:
        node.output[:] = ["before" if name == end else name for name in node.output]
    for i in range(60):
        name = end if i == 59 else f"d{i}"
        model.graph.node.append(helper.make_node("Mul" if i % 2 else "Add", [last, last], [name], name=f"double{i}"))
        last = name


@hostile("cycle", words=("cycle", "circle", "order", "before", "defined"))
def _cycle(model):
    node_of(model, "Relu").input[0] = node_of(model, "GlobalAveragePool").output[0]


@hostile("reads_itself", words=("cycle", "circle", "itself", "before", "defined"))
def _itself(model):
    node_of(model, "Relu").input[0] = node_of(model, "Relu").output[0]


@hostile("reads_nothing", words=("nowhere",))
def _nothing(model):
    node_of(model, "Relu").input[0] = "nowhere"


@hostile("written_twice", words=("twice", "second", "already", "more than once", "two nodes"))
def _twice(model):
    model.graph.node.append(helper.make_node("Relu", ["input"], [node_of(model, "Relu").output[0]], name="again"))


@hostile("no_input_of_a_node", words=("Conv",))
def _inputless(model):
    del node_of(model, "Conv").input[:]


@hostile("no_output_of_a_node", words=("Relu", "relu", "output", "logits"))
def _outputless(model):
    del node_of(model, "Relu").output[:]


hostile("no_nodes")(lambda model: model.graph.ClearField("node"))
hostile("no_outputs", words=("output",))(lambda model: model.graph.ClearField("output"))
hostile("no_inputs", words=("input",))(lambda model: model.graph.ClearField("input"))
hostile("no_graph")(lambda model: model.ClearField("graph"))
hostile("no_opset", words=("opset", "operator"))(lambda model: model.ClearField("opset_import"))


@hostile("output_of_nobody", words=("nobody",))
def _nobody(model):
    model.graph.output[0].name = "nobody"


for label, number in {"2e40": 2**40, "negative": -3, "zero": 0}.items():

    @hostile(f"opset_{label}", words=("opset",))
    def _opset(model, number=number):
        model.opset_import[0].version = number


for label, sizes in {"2e31": [1, 3, 2**31, 2**31], "2e62": [1, 3, 2**62, 2**62], "zero": [1, 3, 0, 0], "negative": [1, 3, -32, 32],
                     "channels_2e40": [1, 2**40, 32, 32], "batch_2e40": [2**40, 3, 32, 32]}.items():

    @hostile(f"input_{label}", words=("input", "size", "shape", "channels"), accepted=(0, 2) if "batch" in label else (2,))
    def _sizes(model, sizes=sizes):
        shape = model.graph.input[0].type.tensor_type.shape
        for length, size in zip(shape.dim, sizes):
            length.Clear()
            length.dim_value = size


def tensor_of(model, name="conv2.weight"):
    return next(tensor for tensor in model.graph.initializer if tensor.name == name)


WEIGHT = dict(words=("conv2.weight",))
for label, lengths in {"2e40": [2**40], "overflow": [2**32, 2**32], "negative": [-16, -8, 3, 3], "other": [16, 8, 3, 2]}.items():

    @hostile(f"weight_claims_{label}", **WEIGHT)
    def _claims(model, lengths=lengths):
        tensor_of(model).dims[:] = lengths


@hostile("weight_without_values_claims_2e40", **WEIGHT)
def _empty_claims(model):
    tensor = tensor_of(model)
    tensor.dims[:] = [2**20, 2**20]
    tensor.ClearField("raw_data")


@hostile("weight_cut", **WEIGHT)
def _cut(model):
    tensor_of(model).raw_data = tensor_of(model).raw_data[:-3]


@hostile("weight_of_an_unknown_type", **WEIGHT)
def _type(model):
    tensor_of(model).data_type = 77


@hostile("weight_of_integers", words=("conv2.weight", "Conv", "conv"))
def _integers(model):
    tensor_of(model).CopyFrom(numpy_helper.from_array(np.ones([16, 8, 3, 3], np.int32), "conv2.weight"))


for label, number in {"nan": np.nan, "infinite": np.inf}.items():

    @hostile(f"weight_{label}", **WEIGHT)
    def _poisoned(model, number=number):
        values = numpy_helper.to_array(tensor_of(model)).copy()
        values[3, 2, 1, 0] = number
        tensor_of(model).CopyFrom(numpy_helper.from_array(values, "conv2.weight"))


@hostile("weight_named_twice", **WEIGHT)
def _named_twice(model):
    model.graph.initializer.append(tensor_of(model))


def external(model, **entries):
    tensor = tensor_of(model)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in entries.items():
        tensor.external_data.add(key=key, value=str(value))


BIG = 4 * 16 * 8 * 9
for label, entries in {
    "offset_2e62": dict(location="case.onnx", offset=2**62, length=BIG),
    "offset_negative": dict(location="case.onnx", offset=-4, length=BIG),
    "offset_of_letters": dict(location="case.onnx", offset="four", length=BIG),
    "length_2e62": dict(location="case.onnx", offset=0, length=2**62),
    "length_of_another_tensor": dict(location="case.onnx", offset=0, length=16),
    "device": dict(location="../../../../../../../../dev/zero", offset=0, length=BIG),
    "folder": dict(location=".", offset=0, length=BIG),
    "without_location": dict(offset=0, length=BIG),
    "empty_location": dict(location="", offset=0, length=BIG),
}.items():
    hostile(f"external_{label}", **WEIGHT)(lambda model, entries=entries: external(model, **entries))

for label, build in {
    "expand": lambda g, x: g.op("Expand", x, g.ints(1, 1, 2**20, 2**20)),
    "tile": lambda g, x: g.op("Tile", x, g.ints(1, 1, 2**15, 2**15)),
    "resize": lambda g, x: g.op("Resize", x, "", g.const([1.0, 1.0, 2**20, 2**20])),
    "constant_of_shape": lambda g, x: g.op("Add", x, g.op("ConstantOfShape", g.ints(2**20, 2**20))),
    "range": lambda g, x: g.op("Add", x, g.op("Cast", g.op("Range", *[g.const(v, dtype=np.int64) for v in (0, 2**40, 1)]), to=1)),
    "slice_by_no_step": lambda g, x: g.op("Slice", x, g.ints(0), g.ints(4), g.ints(2), g.ints(0)),
    "gather_outside": lambda g, x: g.op("Gather", x, g.ints(99), axis=1),
    "split_too_much": lambda g, x: g.op("Split", x, g.ints(7, 99), outputs=2, axis=1)[0],
    "scale_of_zero": lambda g, x: g.op("QuantizeLinear", x, g.const(0.0), g.const(0, dtype=np.uint8)),
}.items():

    def _huge(g, build=build):
        x = g.stem()
        x = g.op("Cast", build(g, x), to=TensorProto.FLOAT) if g.odd else x
        g.output(g.head(g.pooled(x), width=8))

    hostile(f"operator_{label}", base=_huge)(lambda model: None)


@hostile("nested_3000_deep", raw=True)
def _nested(model):
    """Subgraphs nested 3,000 deep: a recursive reader overflows its stack."""
    content = b""
    for _ in range(3000):
        for field in (0x0A, 0x32, 0x2A):
            content = bytes([field]) + varint(len(content)) + content
    return b"\x3a" + varint(len(content)) + content


def varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


hostile("empty_file", raw=True)(lambda model: b"")
hostile("text_file", raw=True)(lambda model: b"version https://example.org/spec/v1\noid sha256:00\nsize 1\n")
hostile("half_of_a_file", raw=True)(lambda model: model.SerializeToString()[: model.ByteSize() // 2])
hostile("zeros", raw=True)(lambda model: bytes(100_000))
hostile("length_beyond_the_end", raw=True)(lambda model: b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f" + model.SerializeToString())
