"""Checks that a briefly trained and exported network of every family gives the training's scores in ONNX Runtime."""

import numpy as np
import onnx_checker
from evidence import finite, largest_difference
from graphs import ARGUMENTS
from onnx import TensorProto
from onnx_checker import LEVELS, Verdict
from safetensors.numpy import load_file

# ResNet-152 is ResNet-50 with more blocks. Only tests/it/networks/golden.rs compares it with PyTorch.
NETWORKS = ["resnet50", "resnext50", "mobilenet-v2", "efficientnet-lite0"]
CLASSES = 3
IMAGES = 4
# Rows and columns. The size is not square, and some of its halves are odd.
SIZE = 64, 44
SEED = 20_260_302
# Largest accepted difference, relative to the largest score: about fifty layers of f32 additions in another order.
TOLERANCE = 1e-4

CONFIG = """
name = "judged"
data = "folder:{data}"
epochs = 1
batch = 4
loss = "ce"
network = {{ kind = "{kind}", head = {{ kind = "linear" }} }}
optimizer = {{ learning_rate = 0.01, weight_decay = 1e-4 }}
views = {{ classifier = 1 }}
"""


def write_images(folder):
    rng = np.random.default_rng(SEED)
    for label in range(CLASSES):
        (folder / str(label)).mkdir(parents=True)
        for image in range(IMAGES):
            pixels = rng.integers(0, 256, (*SIZE, 3), dtype=np.uint8)
            head = f"P6 {SIZE[1]} {SIZE[0]} 255\n".encode()
            (folder / str(label) / f"{image}.ppm").write_bytes(head + pixels.tobytes())


def network_agrees(evidence, kind):
    folder = evidence.scratch / kind
    write_images(folder / "images")
    config, run, graph = folder / "config.toml", folder / "run", folder / "network.onnx"
    config.write_text(CONFIG.format(kind=kind, data=folder / "images"))
    evidence.run("tailfold-train", "--config", config, "--out", run)
    evidence.run("xtask", "export", "--run", run, "--out", graph)
    model = onnx_checker.valid(graph)
    onnx_checker.judge(model, ARGUMENTS)
    golden = load_file(run / "golden/golden.safetensors")
    inputs, scores = golden["inputs"], golden["scores"]
    if inputs.shape[1:] != (3, *SIZE) or scores.shape != (len(inputs), CLASSES) or not len(inputs):
        raise Verdict(f"goldens of shapes {inputs.shape} and {scores.shape}, expected (n, 3, {SIZE[0]}, {SIZE[1]}) and (n, {CLASSES})")
    finite(scores, "a golden score")
    allowed = TOLERANCE * float(np.abs(scores).max())
    figures = [f"{len(model.graph.node)} nodes", f"{weights(model)} weights", f"{len(inputs)} images"]
    for name, level in LEVELS.items():
        found = onnx_checker.session(model, level).run(None, {model.graph.input[0].name: inputs})[0]
        finite(found, f"a logit by ONNX Runtime ({name})")
        distance = largest_difference(scores, found)
        if distance > allowed:
            raise Verdict(f"ONNX Runtime ({name}) differs by {distance:.2e} in a logit, allowed {allowed:.2e}")
        figures.append(f"{name}: logits within {distance:.1e}")
    return "; ".join(figures)


def weights(model):
    """Number of floats in the graph's constants."""
    floats = (tensor for tensor in model.graph.initializer if tensor.data_type == TensorProto.FLOAT)
    return sum(int(np.prod(tensor.dims)) for tensor in floats)
