"""Cases on the model file: external data, format versions, opsets, names, functions, and files that are quantized."""

import os

import numpy as np
import onnx
import third_party_pictures as pictures
from onnx import TensorProto, helper, numpy_helper
from third_party_case import case
from third_party_graph import Graph, answers


def plain(g):
    g.output(g.head(g.pooled(g.trunk())))


# External data.


def placed(folder, model, location, gap=0, length=True, first=0, only=None):
    """Writes `case.onnx` with external data at `location`; returns the data, with `gap` bytes between tensors."""
    data = bytearray(b"\x55" * first)
    for tensor in model.graph.initializer:
        if only and tensor.name not in only:
            continue
        content = tensor.raw_data
        entries = dict(location=location, offset=str(len(data)), **({"length": str(len(content))} if length else {}))
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in entries.items():
            tensor.external_data.add(key=key, value=value)
        data += content + b"\x55" * gap
    (folder / "case.onnx").write_bytes(model.SerializeToString())
    return bytes(data)


def beside(location, **options):
    def after(folder, model):
        data = placed(folder, model, location, **options)
        path = folder / location
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    return after


case("external_beside", "F1", after=beside("weights.bin"))(plain)
case("external_unaligned", "F1", after=beside("weights.bin", gap=3, first=1))(plain)
case("external_in_a_folder_below", "F1", after=beside("values/weights.bin"))(plain)
case("external_location_with_a_dot", "F1", after=beside("./weights.bin"))(plain)
case("external_name_with_spaces", "F1", after=beside("my weights é.bin"))(plain)
case("external_one_of_all", "F1", after=beside("w.data", only={"conv2.weight"}))(plain)
case("external_named_as_the_output", "F1", after=beside("int8.onnx.data"))(plain)
case("external_named_as_the_model", "F1", after=beside("case.onnx.data", gap=4096))(plain)


@case("external_without_length", "F1", after=beside("head.bin", only={"head.weight"}, length=False))
def _without_length(g):
    plain(g)


def outside(folder, model):
    (folder.parent / "outside.bin").write_bytes(placed(folder, model, "../outside.bin"))


def absolute(folder, model):
    path = (folder / "elsewhere" / "weights.bin").resolve()
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(placed(folder, model, str(path)))


def linked(folder, model):
    """Puts a symbolic link in the model's folder that leads to a file outside of it."""
    (folder.parent / "target.bin").write_bytes(placed(folder, model, "weights.bin"))
    (folder / "weights.bin").unlink(missing_ok=True)
    os.symlink("../target.bin", folder / "weights.bin")


def cut(folder, model):
    (folder / "weights.bin").write_bytes(placed(folder, model, "weights.bin")[:-40])


def missing(folder, model):
    placed(folder, model, "weights.bin")


REFUSED = dict(outcome="refused")
case("external_outside_of_the_folder", "F1", after=outside, words=("outside.bin",), **REFUSED)(plain)
case("external_absolute", "F1", after=absolute, words=("weights.bin",), **REFUSED)(plain)
case("external_behind_a_link", "F1", after=linked, outcome="either", words=("weights.bin",), reference="twin")(plain)
case("external_cut", "F1", after=cut, words=("weights.bin",), **REFUSED)(plain)
case("external_missing", "F1", after=missing, words=("weights.bin",), **REFUSED)(plain)


# Format versions, opsets, and names.


def version(number):
    def after(folder, model):
        model.ir_version = number
        (folder / "case.onnx").write_bytes(model.SerializeToString())

    return after


for number in (4, 5, 6, 7, 9, 10, 11, 12):
    case(f"format_{number}", "F26", after=version(number), reference="case")(plain)
case("format_99", "F26", after=version(99), outcome="either", words=("99",), reference="twin")(plain)
for number in (7, 8, 9, 10):
    # Old opsets run. The quantizer may refuse them if the message names `version_converter`.
    case(f"opset_{number}", "F28", opset=number, ir=3, quantize_words=("version_converter",))(plain)
for number in (11, 12, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26):
    newer = dict(quantize_words=("opset",), ir=12) if number > 21 else dict(ir=10)
    case(f"opset_{number}", "F28", opset=number, **newer)(plain)
case("opset_2000", "F28", after=lambda folder, model: old(folder, model, 2000), words=("2000",), **REFUSED)(plain)


def old(folder, model, opset):
    model.opset_import[0].version = opset
    (folder / "case.onnx").write_bytes(model.SerializeToString())


def changed(name, kind="F1", **options):
    """A case whose file is the plain model after `change(model)`."""

    def register(change):
        def after(folder, model):
            change(model)
            (folder / "case.onnx").write_bytes(model.SerializeToString())

        case(name, kind, after=after, **options)(plain)
        return change

    return register


@changed("domain_written_out")
def _domain(model):
    """`ai.onnx` is another name of the empty domain."""
    model.opset_import[0].domain = "ai.onnx"
    for node in model.graph.node:
        node.domain = "ai.onnx"


@changed("unused_domains_imported")
def _domains(model):
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    model.opset_import.append(helper.make_opsetid("ai.onnx.ml", 3))


@changed("nodes_without_names")
def _nameless(model):
    for node in model.graph.node:
        node.name = ""


@changed("nodes_of_one_name", outcome="either", words=("name",), reference="twin")
def _one_name(model):
    for node in model.graph.node:
        node.name = "node"


@changed("names_with_slashes_and_letters")
def _letters(model):
    names = {value.name: f"/модель/{i} {value.name}:0" for i, value in enumerate([*model.graph.input, *model.graph.output])}
    for node in model.graph.node:
        for values in (node.input, node.output):
            for i, value in enumerate(values):
                names.setdefault(value, f"/модель/{value}:0")
                values[i] = names[value]
    for value in [*model.graph.input, *model.graph.output, *model.graph.initializer]:
        value.name = names[value.name]


@changed("nodes_and_constants_unread")
def _unread(model):
    graph = model.graph
    graph.initializer.append(numpy_helper.from_array(np.ones(7, np.float32), "nobody"))
    graph.node.append(helper.make_node("Sqrt", ["nobody"], ["dead"], name="dead"))
    graph.node.append(helper.make_node("Identity", [graph.input[0].name], ["dead2"], name="dead2"))


@changed("metadata_of_another_tool")
def _metadata(model):
    model.metadata_props.add(key="framework", value="other")
    model.metadata_props.add(key="tailfoldish", value="{")
    model.doc_string = "line\nline"
    for node in model.graph.node:
        node.doc_string = "File layer.py, line 1, in forward\n" * 20
        node.metadata_props.add(key="pkg.torch.onnx.stack_trace", value="...")


@changed("shapes_of_inner_values_given")
def _value_info(model):
    inferred = onnx.shape_inference.infer_shapes(model)
    model.graph.value_info.extend(inferred.graph.value_info)


@changed("output_shape_not_given")
def _no_shape(model):
    model.graph.output[0].type.tensor_type.ClearField("shape")


@changed("weights_as_float_data")
def _float_data(model):
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        tensor.CopyFrom(helper.make_tensor(tensor.name, TensorProto.FLOAT, values.shape, values.reshape(-1).tolist()))


@changed("nodes_in_another_order", outcome="either", words=("order", "before", "sort"), reference="twin")
def _order(model):
    nodes = list(model.graph.node)[::-1]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


@case("functions_of_the_model", "F6", opset=17, ir=9, outcome="either", words=("function", "custom"), integer=False)
def _functions(g):
    """A local function of the file, as PyTorch's newer exporter can write it."""
    if not g.odd:
        return plain(g)
    body = [helper.make_node("Mul", ["x", "half"], ["y"]), helper.make_node("Add", ["y", "y"], ["z"])]
    constant = helper.make_node("Constant", [], ["half"], value_float=0.5)
    imports = [helper.make_opsetid("", g.opset)]
    g.functions.append(helper.make_function("local", "Same", ["x"], ["z"], [constant, *body], imports))
    g.imports["local"] = 1
    x = g.op("Same", g.stem(), domain="local")
    return g.output(g.head(g.pooled(g.second(x))))


@case("operator_of_nobody", "F6", outcome="refused", words=("Mystery",))
def _mystery(g):
    x = g.stem()
    if g.odd:
        g.imports["nobody"] = 1
        x = g.op("Mystery", x, domain="nobody")
    g.output(g.head(g.pooled(g.second(x))))


# Quantized files of other tools.


class Ranges:
    """Largest magnitude and lowest value of each tensor of the plain form, on 40 generated images."""

    def __init__(self, g):
        scratch = pictures_inputs()
        model = g.model()
        names = [output for node in model.graph.node for output in node.output]
        for name in names:
            model.graph.output.append(helper.make_empty_tensor_value_info(name))
        self.largest = {name: float(np.abs(answers(model, scratch, name)).max()) for name in names}
        self.lowest = {name: float(answers(model, scratch, name).min()) for name in names}
        self.largest["input"], self.lowest["input"] = float(np.abs(scratch).max()), float(scratch.min())


def pictures_inputs():
    rng = np.random.default_rng(pictures.SEED)
    images = [np.asarray(pictures.picture(label % 5, rng), np.float32) for label in range(40)]
    return ((np.stack(images).transpose(0, 3, 1, 2) / 255 - pictures.MEAN) / pictures.STD).astype(np.float32)


def quantize(g, zero_points=True, signed=False, axis=None, transposed=True, per_tensor=False):
    """Builds the plain form with a QuantizeLinear/DequantizeLinear pair before each layer with weights."""
    plain_graph = Graph(False, g.solved, opset=g.opset, ir=g.ir)
    plain(plain_graph)
    ranges, values = Ranges(plain_graph), {t.name: numpy_helper.to_array(t) for t in plain_graph.constants}
    x = g.input()

    def pair(x, name):
        low, high = ranges.lowest[name], ranges.largest[name]
        if signed:
            scale, zero, dtype = max(-low, high) / 127, 0, np.int8
        else:
            low = min(low, 0.0)
            scale, dtype = (high - low) / 255, np.uint8
            zero = int(np.round(-low / scale))
        point = zero_points or zero != 0
        constants = [g.const(scale), *([g.const(zero, dtype=dtype)] if point else [])]
        return g.op("DequantizeLinear", g.op("QuantizeLinear", x, *constants), *constants)

    def weight(name):
        w = values[name]
        turned = name == "head.weight" and not transposed
        around = tuple(range(1, w.ndim))
        scale = np.abs(w).max(axis=None if per_tensor else around) / 127
        spread = np.asarray(scale).reshape(-1, *[1] * (w.ndim - 1)) if not per_tensor else scale
        codes = np.clip(np.round(w / spread), -127, 127).astype(np.int8)
        codes, at = (codes.T, 1) if turned else (codes, 0)
        where = {} if per_tensor else {"axis": at if axis is None else at - w.ndim}
        zero = g.const(np.zeros_like(scale, dtype=np.int8) if not per_tensor else 0, dtype=np.int8)
        return g.op("DequantizeLinear", g.const(codes, dtype=np.int8), g.const(scale), zero, **where)

    for node in plain_graph.nodes:
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        if node.op_type in ("Conv", "Gemm"):
            bias = g.const(values[node.input[2]])
            if node.op_type == "Gemm" and not transposed:
                attributes["transB"] = 0
            inputs = [pair(x, node.input[0]), weight(node.input[1]), bias]
            x = g.op(node.op_type, *inputs, name="logits" if node.op_type == "Gemm" else None, **attributes)
        else:
            x = g.op(node.op_type, x, **attributes)
    g.head_values(x, 16)
    g.output(x)


def refuses_again(case, folder, right, material, programs, found):
    """A quantized file gives ONNX Runtime's logits, runs with integers only, and is refused by the quantizer."""
    from third_party_check import classified, logits
    from third_party_run import preparation, quantize_flags

    model, flags = folder / "case.onnx", preparation(case, material.labels)
    classified(case, model, flags, right, material, programs, found, 0.96)
    logits(case, folder, right, material, programs, found)
    found.ended(programs.run("tailfold", "info", "--model", model, "--require-integer", *flags))
    for precision in ("int8", "fp16"):
        out = folder / f"again.{precision}.onnx"
        done = programs.run(
            "tailfold", "quantize", "--model", model, *quantize_flags(case, material.labels),
            "--precision", precision, "--calibration", material.spec("train"), "--out", out,
        )
        if done.status != 2 or "already quantized" not in done.err or out.exists():
            found.fails(f"{precision} of a quantized file: {done.reason()}")


# One quantization step is 2 % of the largest logit here, and the two runtimes round ties differently.
QDQ = dict(tolerance=3e-2, reference="case", extra={"judge": refuses_again})
for name, options in (
    ("no_zero_point", dict(zero_points=False)),
    ("tensorrt", dict(signed=True)),
    ("negative_axis", dict(axis=-1)),
    ("gemm_without_transB", dict(transposed=False)),
    ("weights_by_tensor", dict(per_tensor=True)),
    ("by_tensor_without_zero_points", dict(per_tensor=True, zero_points=False)),
):

    @case(f"qdq_{name}", "F11", **QDQ)
    def _quantized(g, options=options):
        quantize(g, **options) if g.odd else plain(g)
