"""Files of ONNX Runtime's own quantizer run with integers from end to end, with the top-1 classes of ONNX Runtime.

Needs the shared data, which a fresh clone does not have: a published ResNet-20 and CIFAR-10's test images.
"""

import json
import logging
import os
from pathlib import Path

import numpy as np
import onnx
from evidence import ROOT, Skip, finite
from onnx_checker import LEVELS, Verdict, session
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from safetensors.numpy import load_file

MODEL = "cifar10_resnet20_op13.onnx"
CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
PREPROCESS = {
    "channels": 3,
    "height": 32,
    "width": 32,
    "mean": (0.485, 0.456, 0.406),
    "std": (0.229, 0.224, 0.225),
}
# Calibration images per class, from the training images.
CALIBRATION = 10
# Smallest accepted top-1 agreement on the 10,000 test images.
AGREEMENT = 0.999
KINDS = {"U8S8": QuantType.QUInt8, "S8S8": QuantType.QInt8}


class Images(CalibrationDataReader):
    def __init__(self, name, images):
        self.rest = iter([{name: image[None]} for image in images])

    def get_next(self):
        return next(self.rest, None)


def shared_data():
    folder = Path(os.environ.get("TAILFOLD_DATA", ROOT.parent / "shared/data"))
    if not (folder / "models" / MODEL).is_file():
        if folder.is_dir() or "TAILFOLD_DATA" in os.environ:
            raise FileNotFoundError(f"the data folder {folder} has no models/{MODEL}")
        raise Skip(f"there is no {MODEL} (../shared/data, TAILFOLD_DATA)")
    return folder


def with_card(model, architecture="resnet20", classes=CLASSES, preprocess=PREPROCESS):
    """Adds tailfold's metadata about classes and preprocessing to `model`, and returns it."""
    card = {
        "name": architecture,
        "architecture": architecture,
        "classes": json.dumps(classes),
        # Equal counts are placeholders, because neither file has counts.
        "train_counts": json.dumps([5000] * len(classes)),
        "preprocess": json.dumps(preprocess),
        "checkpoint_sha256": "0" * 64,
    }
    for key, value in card.items():
        model.metadata_props.add(key=f"tailfold.{key}", value=value)
    return model


def scored(evidence, model, spec, name):
    """`logits` and their `inputs`, computed by tailfold."""
    out = evidence.scratch / f"{name}.safetensors"
    evidence.run("tailfold", "logits", "--model", model, "--data", spec, "--inputs", "--out", out)
    return load_file(out)


def foreign_agrees(evidence, kind):
    data = shared_data()
    images = f"cifar10:{data / 'cifar10-lt'}"
    plain = evidence.scratch / "resnet20.onnx"
    onnx.save(with_card(onnx.load(data / "models" / MODEL)), plain)
    calibration = scored(evidence, plain, f"{images}?split=train&imbalance=100&per-class={CALIBRATION}", "calibration")
    path = evidence.scratch / f"resnet20.{kind}.onnx"
    entry = onnx.load(plain).graph.input[0].name
    reader = Images(entry, calibration["inputs"])
    options = dict(quant_format=QuantFormat.QDQ, per_channel=True, weight_type=QuantType.QInt8)
    # The warning recommends a preparation that this file does not need, because its BatchNorms are folded.
    logging.disable(logging.WARNING)
    quantize_static(plain, path, reader, activation_type=KINDS[kind], **options)
    if not onnx.load(path).metadata_props:
        onnx.save(with_card(onnx.load(path)), path)
    evidence.run("tailfold", "info", "--model", path, "--require-integer")
    said = scored(evidence, path, f"{images}?split=test", kind)
    finite(said["logits"], "a logit by tailfold")
    runner = session(onnx.load(path), LEVELS["plain"])
    inputs = said["inputs"]
    parts = [runner.run(None, {entry: inputs[i : i + 250]})[0] for i in range(0, len(inputs), 250)]
    found = np.concatenate(parts)
    finite(found, "a logit by ONNX Runtime")
    if len(found) != 10_000 or said["logits"].shape != found.shape:
        raise Verdict(f"logits of shapes {said['logits'].shape} and {found.shape}, expected 10,000 images in both")
    share = float((said["logits"].argmax(axis=1) == found.argmax(axis=1)).mean())
    scale = logit_scale(path)
    steps = np.abs(said["logits"] - found) / scale
    top = [100 * float((logits.argmax(axis=1) == said["labels"]).mean()) for logits in (said["logits"], found)]
    figures = (
        f"{len(found)} images: agreement {100 * share:.2f} %, accuracy {top[0]:.2f} % against {top[1]:.2f} %, "
        f"logits equal {100 * float((steps < 0.5).mean()):.1f} %, within a step {100 * float((steps < 1.5).mean()):.2f} %, "
        f"at most {steps.max():.0f} steps apart"
    )
    if share < AGREEMENT:
        raise Verdict(f"{figures}; required agreement {100 * AGREEMENT:g} %")
    return figures


def logit_scale(path):
    """Scale of the quantized logits."""
    graph = onnx.load(path).graph
    maker = next(node for node in graph.node if graph.output[0].name in node.output)
    constants = {constant.name: constant for constant in graph.initializer}
    return float(onnx.numpy_helper.to_array(constants[maker.input[1]]))
