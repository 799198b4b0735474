"""Makes the networks for `cargo xtask bench --suite`, quantized by ONNX Runtime: float, U8S8, S8S8 and images.

    .venv/bin/python tests/judges/nets.py --out runs/nets [--bin-dir target/debug] [--only resnet-20]

ResNet-20 and EfficientNet-Lite0 are published and trained. ResNet-8, ResNet-32 and MobileNetV2 come from this
repository's own chain, trained for one epoch (nets/*.toml), which is enough for timing but not for accuracy. Needs the
data in TAILFOLD_DATA or ../shared/data. Exit status: 0 all made, 2 something is missing.
"""

import argparse
import json
import logging
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import zstandard
from evidence import DATA, MODELS, ROOT, Evidence, Skip
from foreign import CLASSES, KINDS, MODEL, PREPROCESS, Images, scored, shared_data, with_card
from onnx_checker import Verdict
from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

# Published preprocessing of EfficientNet-Lite0: shorter side 256, centre crop 224, (x - 127) / 128.
LITE = {
    "channels": 3,
    "height": 224,
    "width": 224,
    "resize": {"short_side": 256, "filter": "bicubic"},
    "mean": [127 / 255] * 3,
    "std": [128 / 255] * 3,
}
LITE_FILE = "efficientnet_lite0_imagenet_bn_op13.onnx.zst"
# Calibration images per class (CIFAR), calibration photographs, and timed images.
PER_CLASS, PHOTOS, TIMED = 10, 24, 8
# Photographs for the BatchNorm statistics of an untrained network.
BATCHNORM = 160
TRAINED_BRIEFLY = "random initial weights, one epoch of this repository's own training: only for timing"


@dataclass
class Net:
    title: str
    weights: str
    # Function of the evidence, the folder of the data and the file to write.
    make: callable
    cifar: bool


def published(architecture, classes, preprocess, read):
    """A published file with added metadata about preprocessing."""

    def make(evidence, data, out):
        onnx.save(with_card(read(data / "models"), architecture, classes, preprocess), out)

    return make


def trained(config, spec, *options):
    """Trains and exports with our own chain. An existing run is not trained again."""

    def make(evidence, data, out):
        run = out.with_name("run")
        if not (run / "manifest.toml").is_file():
            config_file = ROOT / f"tests/judges/nets/{config}.toml"
            evidence.run("tailfold-train", "--config", config_file, "--data", spec(evidence, data), "--out", run, *options)
        evidence.run("xtask", "export", "--run", run, "--out", out)

    return make


def cifar(data, split):
    return f"cifar10:{data / 'cifar10-lt'}?split={split}"


def photos(evidence, data, limit, part=slice(None)):
    """Photographs, or a part of them, as images of 1000 classes. The labels are placeholders."""
    folder = data / "photos"
    files = sorted(path.name for path in folder.glob("*.jpg"))[part]
    lines = evidence.scratch / f"photos.{part.start}.txt"
    last = max(len(files) - 1, 1)
    lines.write_text("".join(f"{file} {i * 999 // last}\n" for i, file in enumerate(files)))
    return f"list:{lines}@{folder}?empty=allow&limit={limit}"


def resnet(depth):
    make = trained("cifar-resnet", lambda _, data: cifar(data, "train&imbalance=100"), "--set", f"network.depth={depth}")
    return Net(f"ResNet-{depth}, 32 x 32", TRAINED_BRIEFLY, make, cifar=True)


def lite0(folder):
    with open(folder / LITE_FILE, "rb") as file:
        return onnx.load_from_string(zstandard.ZstdDecompressor().stream_reader(file).read())


NETS = {
    "resnet-8": resnet(8),
    "resnet-20": Net(
        "ResNet-20, 32 x 32",
        "published, trained on CIFAR-10",
        published("resnet20", CLASSES, PREPROCESS, lambda folder: onnx.load(folder / MODEL)),
        cifar=True,
    ),
    "resnet-32": resnet(32),
    "mobilenet-v2": Net(
        "MobileNetV2, 224 x 224",
        "random initial weights, 20 small training steps on 160 photographs for the statistics of BatchNorm: practically untrained, only for timing",
        trained("mobilenet-v2", lambda evidence, data: photos(evidence, data, BATCHNORM)),
        cifar=False,
    ),
    "efficientnet-lite0": Net(
        "EfficientNet-Lite0, 224 x 224",
        "published, trained on ImageNet",
        published("efficientnet-lite0", [str(i) for i in range(1000)], LITE, lite0),
        cifar=False,
    ),
}


def make(evidence, data, name, folder):
    net = NETS[name]
    folder.mkdir(parents=True, exist_ok=True)
    raw, plain = folder / "raw.onnx", folder / "float.onnx"
    net.make(evidence, data, raw)
    # BatchNorm is folded for all contenders.
    quant_pre_process(raw, plain, skip_symbolic_shape=True)
    keep_card(raw, plain)
    if net.cifar:
        calibration = cifar(data, f"train&imbalance=100&per-class={PER_CLASS}")
        timed = cifar(data, "test&per-class=1")
    else:
        calibration, timed = photos(evidence, data, PHOTOS), photos(evidence, data, PHOTOS + TIMED)
    inputs = scored(evidence, plain, calibration, f"{name}-calibration")["inputs"]
    entry = onnx.load(plain).graph.input[0].name
    for kind, activations in KINDS.items():
        path = folder / f"{kind.lower()}.onnx"
        options = dict(quant_format=QuantFormat.QDQ, per_channel=True, weight_type=QuantType.QInt8)
        quantize_static(plain, path, Images(entry, inputs), activation_type=activations, **options)
        keep_card(plain, path)
        evidence.run("tailfold", "info", "--model", path, "--require-integer")
    images = scored(evidence, plain, timed, f"{name}-timed")["inputs"][-TIMED:]
    images.astype("<f4").tofile(folder / "images.f32")
    about = {"title": net.title, "weights": net.weights, "calibration_images": len(inputs)}
    (folder / "net.json").write_text(json.dumps(about, indent=2) + "\n")


def keep_card(source, target):
    """Copies the metadata of `source`, which ONNX Runtime's tools drop."""
    model = onnx.load(target)
    del model.metadata_props[:]
    model.metadata_props.extend(onnx.load(source).metadata_props)
    onnx.save(model, target)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder to write, one of its own for each network")
    parser.add_argument("--bin-dir", type=Path, default=ROOT / "target/debug", help="folder of the programs")
    parser.add_argument("--only", choices=NETS, nargs="+", default=list(NETS), help="these networks alone")
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as scratch:
        evidence = Evidence(arguments.bin_dir.resolve(), MODELS, DATA, Path(scratch))
        try:
            data = shared_data()
            for name in arguments.only:
                make(evidence, data, name, arguments.out / name)
                print(f"{name}: {NETS[name].weights}", flush=True)
        except (Skip, Verdict) as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
