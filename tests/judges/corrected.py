"""Recomputes the accuracy corrections of `tailfold quantize` with NumPy and ONNX Runtime, for the shipped model and 4-bit weights."""

import numpy as np
import onnx
from evidence import FLOAT, finite
from foreign import scored
from onnx import numpy_helper
from onnx_checker import LEVELS, Verdict, session

CALIBRATION = "embedded?split=train&per-class=24"
COARSE = ["--weight-bits", "4", "--observer", "minmax"]
NEAREST = ["--rounding", "nearest", "--correct"]
# Largest accepted error of a layer, relative to rounding to the nearest value. The two sides sample different windows.
LEAST_GAIN = 0.5
# Largest accepted remainder, after re-balancing, of the largest difference of a mean probability from the float network.
# Re-balancing corrects a class only as far as its images give evidence.
LEFT = 0.2


def images(evidence):
    """Calibration images as inputs, and their file."""
    path = evidence.scratch / "corrected.f32"
    inputs = scored(evidence, evidence.file(FLOAT), CALIBRATION, "corrected.images")["inputs"]
    inputs.astype("<f4").tofile(path)
    return inputs, path


def quantized(evidence, calibration, name, *flags):
    out = evidence.scratch / f"corrected.{name}.onnx"
    evidence.run(
        "tailfold", "quantize", "--model", evidence.file(FLOAT), "--calibration-f32", calibration, *COARSE, *flags, "--out", out
    )
    return onnx.load(out)


def answers(model, inputs, names):
    runner = session(model, LEVELS["plain"])
    entry = runner.get_inputs()[0].name
    parts = [runner.run(names, {entry: inputs[i : i + 50]}) for i in range(0, len(inputs), 50)]
    return [np.concatenate(part) for part in zip(*parts)]


def weights(model):
    """Dequantized weights of a quantized file, by name."""
    constants = {constant.name: numpy_helper.to_array(constant) for constant in model.graph.initializer}
    found = {}
    for name, codes in constants.items():
        if name.endswith(".codes") and codes.dtype == np.int8:
            weight = name.removesuffix(".codes")
            scales = constants[f"{weight}.scale"].reshape([-1] + [1] * (codes.ndim - 1))
            found[weight] = codes * scales
    return found


def layer_errors(float_model, rounded, inputs):
    """Mean squared error of each layer's sums on the float network's inputs, with only its weights taken from `rounded`."""
    model = onnx.ModelProto()
    model.CopyFrom(float_model)
    constants = {constant.name: numpy_helper.to_array(constant) for constant in model.graph.initializer}
    names = []
    for node in list(model.graph.node):
        if node.op_type not in ("Conv", "Gemm") or node.input[1] not in rounded:
            continue
        lost = f"{node.input[1]}.lost"
        difference = (rounded[node.input[1]] - constants[node.input[1]]).astype(np.float32)
        model.graph.initializer.append(numpy_helper.from_array(difference, lost))
        twin = onnx.NodeProto()
        twin.CopyFrom(node)
        twin.name, twin.output[0] = f"{node.name}.lost", f"{lost}.sums"
        del twin.input[:]
        twin.input.extend([node.input[0], lost])
        model.graph.node.append(twin)
        model.graph.output.append(onnx.helper.make_empty_tensor_value_info(twin.output[0]))
        names.append(twin.output[0])
    # Means are removed, because the bias corrects them.
    axes = {2: (0,), 4: (0, 2, 3)}
    return {name: float(sums.var(axis=axes[sums.ndim]).mean()) for name, sums in zip(names, answers(model, inputs, names))}


def rounding_reduces_error(evidence):
    inputs, calibration = images(evidence)
    models = [
        quantized(evidence, calibration, name, *flags)
        for name, flags in (("nearest", [*NEAREST, "none"]), ("adaptive", ["--correct", "bias"]))
    ]
    nearest, adaptive = (layer_errors(evidence.model(FLOAT), weights(model), inputs) for model in models)
    if len(nearest) < 8 or nearest.keys() != adaptive.keys():
        raise Verdict(f"rounding to nearest has the layers {sorted(nearest)}, adaptive rounding {sorted(adaptive)}")
    ratios = {name.split(".weight")[0]: adaptive[name] / nearest[name] for name in nearest}
    worst = max(ratios, key=ratios.get)
    figures = f"{len(ratios)} layers: error of their sums at most {ratios[worst]:.2f} of the error of rounding to nearest ({worst})"
    # This condition also catches NaN.
    if not ratios[worst] < LEAST_GAIN:
        raise Verdict(f"{figures}, required less than {LEAST_GAIN}")
    return f"{figures}, least {min(ratios.values()):.2f}"


def masses(logits):
    finite(logits, "a logit by ONNX Runtime")
    powers = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).mean(axis=0)


def balance_is_kept(evidence):
    inputs, calibration = images(evidence)
    models = {
        "float": evidence.model(FLOAT),
        "nearest": quantized(evidence, calibration, "plain", *NEAREST, "none"),
        "re-balanced": quantized(evidence, calibration, "balanced", *NEAREST, "rebalance"),
    }
    found = {name: masses(answers(model, inputs, None)[0]) for name, model in models.items()}
    off = {name: float(np.abs(found[name] - found["float"]).max()) for name in ("nearest", "re-balanced")}
    figures = f"{len(inputs)} images: mean probabilities off by at most " + ", ".join(
        f"{value:.1e} {name}" for name, value in off.items()
    )
    if not off["re-balanced"] < LEFT * off["nearest"]:
        raise Verdict(f"{figures}, required less than {LEFT} of the former")
    return figures
