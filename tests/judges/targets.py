"""Files of `tailfold quantize` for each runtime: valid ONNX that ONNX Runtime runs, in the form that the runtime requires,
with the top-1 classes of the float model. One model has a card, the other is third-party, with flags or prepared images.
"""

import numpy as np
import onnx
import onnx_checker
from evidence import FLOAT, finite
from foreign import MODEL, PREPROCESS, scored, shared_data, with_card
from nets import LITE, lite0, photos
from onnx import TensorProto, numpy_helper
from onnx_checker import LEVELS, Verdict

TARGETS = ["tract", "ort-x86", "tensorrt", "fp16"]
# Smallest accepted top-1 agreement with the float model, in the graph's own arithmetic. 8 bits change a few images near a
# decision boundary.
AGREEMENT = {"tract": 0.985, "ort-x86": 0.985, "tensorrt": 0.98, "fp16": 0.999}
# Images per run of ONNX Runtime, few because photographs are large.
BATCH = 50
CALIBRATION = "embedded?split=train"
# Photographs for calibration and for the comparison, and smallest accepted agreement, which is lower for a thousand classes.
PHOTOS, DECIDED, LITE_AGREEMENT = 60, 200, {"ort-x86": 0.95, "tensorrt": 0.92}
# The comparison must not use calibration photographs, on which agreement is higher.
CALIBRATED, JUDGED = slice(0, 200), slice(200, None)


def written(evidence, target, model, path, *arguments):
    """Quantizes `model` for `target` twice, checks that both files are equal and valid, and returns the model."""
    wanted = ["--precision", "fp16"] if target == "fp16" else ["--target", target]
    again = path.with_suffix(".again.onnx")
    for out in (path, again):
        evidence.run("tailfold", "quantize", "--model", model, *wanted, *arguments, "--out", out)
    if path.read_bytes() != again.read_bytes():
        raise Verdict(f"{target}: two runs wrote different bytes")
    found = onnx_checker.valid(path)
    FORMS[target](found, constants(found))
    return found


def constants(model):
    return {constant.name: numpy_helper.to_array(constant) for constant in model.graph.initializer}


def nodes(model, kind):
    found = [node for node in model.graph.node if node.op_type == kind]
    if not found:
        raise Verdict(f"there is no {kind}")
    return found


def biases(model):
    """Sources of the biases of Conv and Gemm nodes, by the name of the node's output."""
    makers = {output: node for node in model.graph.node for output in node.output}
    layers = [node for node in model.graph.node if node.op_type in ("Conv", "Gemm") and len(node.input) > 2]
    return [(makers, node) for node in layers]


def in_float(model, values):
    for makers, node in biases(model):
        if node.input[2] in makers or values[node.input[2]].dtype != np.float32:
            raise Verdict(f"the bias of {node.name} is not a float constant")


def tract_form(model, values):
    in_float(model, values)
    if any(values[node.input[2]].dtype != np.uint8 for node in nodes(model, "QuantizeLinear")):
        raise Verdict("an activation is not uint8")


def ort_form(model, values):
    """Checks that biases are int32, with the product of the scales of input and weight as their scale."""
    for makers, node in biases(model):
        x, w, b = (makers[name] for name in node.input)
        if values[b.input[0]].dtype != np.int32 or values[b.input[2]].any():
            raise Verdict(f"the bias of {node.name} is not int32 with zero point 0")
        if not np.array_equal(values[b.input[1]], values[x.input[1]] * values[w.input[1]]):
            raise Verdict(f"the bias of {node.name} has other scales than s_x * s_w")


def tensorrt_form(model, values):
    """Checks that all values are int8 with zero point 0, biases are float, and each consumer has its own Q/DQ pair."""
    in_float(model, values)
    for node in nodes(model, "QuantizeLinear") + nodes(model, "DequantizeLinear"):
        zeros = values[node.input[2]]
        if zeros.dtype != np.int8 or zeros.any():
            raise Verdict(f"{node.name} is not symmetric int8")
        readers = [other for other in model.graph.node if node.output[0] in other.input]
        if len(readers) != 1:
            raise Verdict(f"{node.name} has {len(readers)} readers")
        if node.op_type == "DequantizeLinear" and readers[0].op_type not in ("Conv", "Gemm", "MatMul", "Add"):
            raise Verdict(f"{node.name} is read by {readers[0].op_type}")


def half_form(model, _values):
    ports = [port.type.tensor_type.elem_type for port in [*model.graph.input, *model.graph.output]]
    if set(ports) != {TensorProto.FLOAT}:
        raise Verdict("an input or output is not f32")
    if not any(constant.data_type == TensorProto.FLOAT16 for constant in model.graph.initializer):
        raise Verdict("no constant is f16")


FORMS = {"tract": tract_form, "ort-x86": ort_form, "tensorrt": tensorrt_form, "fp16": half_form}


def answers(model, inputs, level="plain"):
    runner = onnx_checker.session(model, LEVELS[level])
    name = runner.get_inputs()[0].name
    parts = [runner.run(None, {name: inputs[i : i + BATCH]})[0] for i in range(0, len(inputs), BATCH)]
    found = np.concatenate(parts)
    if len(found) != len(inputs):
        raise Verdict(f"{len(found)} answers to {len(inputs)} images")
    finite(found, "a logit by ONNX Runtime")
    return found.argmax(axis=1)


def agreement(target, model, float_model, inputs, least=AGREEMENT):
    expected = answers(float_model, inputs)
    shares = {level: float((answers(model, inputs, level) == expected).mean()) for level in LEVELS}
    figures = f"{len(inputs)} images: " + ", ".join(f"{level} {100 * share:.2f} %" for level, share in shares.items())
    # Optimizations may replace the graph's own arithmetic, so the limit holds only for the plain graph.
    if shares["plain"] < least[target]:
        raise Verdict(f"{figures}; required for plain {100 * least[target]:g} %")
    return figures


def target_agrees(evidence, target):
    path = evidence.scratch / f"target.{target}.onnx"
    model = written(evidence, target, evidence.file(FLOAT), path, "--calibration", CALIBRATION)
    return agreement(target, model, evidence.model(FLOAT), evidence.said(FLOAT)["inputs"])


def published_resnet20_agrees(evidence, target):
    """A published ResNet-20 without metadata gives the same constants from images and from preprocessed images."""
    data = shared_data()
    images = f"cifar10:{data / 'cifar10-lt'}"
    published = data / "models" / MODEL
    carded = evidence.scratch / "published.onnx"
    onnx.save(with_card(onnx.load(published)), carded)
    calibration = f"{images}?split=train&imbalance=100&per-class=10"
    inputs = scored(evidence, carded, calibration, "published.calibration")["inputs"]
    prepared = evidence.scratch / "calibration.f32"
    inputs.astype("<f4").tofile(prepared)
    flags = [f"--{key}={','.join(map(str, PREPROCESS[key]))}" for key in ("mean", "std")]
    models = [
        written(evidence, target, published, evidence.scratch / f"published.{target}.{way}.onnx", *arguments)
        for way, arguments in (
            ("images", ["--calibration", calibration, *flags]),
            ("prepared", ["--calibration-f32", prepared]),
        )
    ]
    a, b = map(constants, models)
    if a.keys() != b.keys() or any(not np.array_equal(a[key], b[key]) for key in a):
        raise Verdict("images and the same images, preprocessed, give different constants")
    test = scored(evidence, carded, f"{images}?split=test&limit=2000", "published.test")["inputs"]
    return agreement(target, models[0], onnx.load(published), test)


def lite0_agrees(evidence, target):
    """A published EfficientNet-Lite0, whose separate BatchNorms are folded into its convolutions."""
    data = shared_data()
    published, carded = evidence.scratch / "lite0.onnx", evidence.scratch / "lite0.card.onnx"
    float_model = lite0(data / "models")
    onnx.save(float_model, published)
    onnx.save(with_card(lite0(data / "models"), "efficientnet-lite0", [str(i) for i in range(1000)], LITE), carded)
    flags = [f"--{key}={','.join(map(str, LITE[key]))}" for key in ("mean", "std")]
    calibration = ["--calibration", photos(evidence, data, PHOTOS, CALIBRATED), *flags, "--resize", "256:bicubic"]
    model = written(evidence, target, published, evidence.scratch / f"lite0.{target}.onnx", *calibration)
    if any(node.op_type == "BatchNormalization" for node in model.graph.node):
        raise Verdict("there is still a BatchNormalization")
    inputs = scored(evidence, carded, photos(evidence, data, DECIDED, JUDGED), "lite0.images")["inputs"]
    return agreement(target, model, float_model, inputs, LITE_AGREEMENT)
