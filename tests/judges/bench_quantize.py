"""Compares `tailfold quantize` with ONNX Runtime's `quantize_static`: accuracy of the files, and time to make them.

    .venv/bin/python tests/judges/bench_quantize.py [--rounds 3] [--markdown FILE] [--json FILE]

There are two published networks. EfficientNet-Lite0 runs on 500 photographs, every fifth of which is for calibration and
the others for evaluation. ResNet-20 runs on CIFAR-10, with calibration on training images and evaluation on all test
images. Both quantizers get the same float file with folded BatchNorms, and the same preprocessed images. Each file of ours
runs in its own runtime: files of `--target ort-x86` in ONNX Runtime, files of `--target tract` in tailfold. Needs the data
in TAILFOLD_DATA or ../shared/data. Exit status: 0 measured, 2 something is missing.
"""

import argparse
import csv
import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from evidence import DATA, MODELS, ROOT, Evidence, Skip
from foreign import CLASSES, MODEL, PREPROCESS, scored, shared_data, with_card
from nets import LITE, cifar, lite0
from onnx_checker import Verdict
from onnxruntime.quantization.shape_inference import quant_pre_process
from quantize_report import markdown
from quantize_verdicts import decisions
from quantizers import OBSERVERS, costs, files

# One of this many photographs is for calibration.
EVERY = 5
# Calibration images of CIFAR-10 per class: the default of tailfold quantize.
PER_CLASS = 32


@dataclass
class Net:
    """A network: its float file with and without metadata, preprocessed calibration images, and evaluation images."""

    name: str
    title: str
    plain: Path
    carded: Path
    card: callable
    calibration: Path
    calibration_images: int
    judged: str
    # Labels of the evaluation images, if the labels in the data spec are only placeholders.
    labels: np.ndarray | None


def prepared(evidence, name, title, model, card, calibration, judged, labels=None):
    """Writes the files of a network to the scratch folder; `calibration` and `judged` are data specs."""
    folder = evidence.scratch / name
    folder.mkdir()
    raw, plain, carded, images = (folder / file for file in ("raw.onnx", "float.onnx", "card.onnx", "images.f32"))
    onnx.save(model, raw)
    # ONNX Runtime recommends this step before its quantizer. Both quantizers get the result.
    quant_pre_process(raw, plain, skip_symbolic_shape=True)
    onnx.save(card(onnx.load(plain)), carded)
    inputs = scored(evidence, carded, calibration, f"{name}-calibration")["inputs"]
    inputs.astype("<f4").tofile(images)
    return Net(name, title, plain, carded, card, images, len(inputs), judged, labels)


def efficientnet(evidence, data):
    folder = data / "photos"
    with open(folder / "labels.csv", newline="") as file:
        rows = [(row["file"], int(row["label"])) for row in csv.DictReader(file)]
    calibration, judged = rows[::EVERY], [row for i, row in enumerate(rows) if i % EVERY]
    specs = []
    for part, chosen in (("calibration", calibration), ("judged", judged)):
        # The largest label of a list sets its number of classes, and the model has a thousand. So labels are placeholders.
        last = len(chosen) - 1
        lines = evidence.scratch / f"photos.{part}.txt"
        lines.write_text("".join(f"{file} {i * 999 // last}\n" for i, (file, _) in enumerate(chosen)))
        specs.append(f"list:{lines}@{folder}?empty=allow")
    labels = np.array([label for _, label in judged])

    def card(model):
        return with_card(model, "efficientnet-lite0", [str(i) for i in range(1000)], LITE)

    title = "EfficientNet-Lite0, photographs"
    return prepared(evidence, "efficientnet-lite0", title, lite0(data / "models"), card, *specs, labels)


def resnet(evidence, data):
    def card(model):
        return with_card(model, "resnet20", CLASSES, PREPROCESS)

    calibration = cifar(data, f"train&imbalance=100&per-class={PER_CLASS}")
    model = onnx.load(data / "models" / MODEL)
    return prepared(evidence, "resnet-20", "ResNet-20, CIFAR-10", model, card, calibration, cifar(data, "test"))


NETS = {"efficientnet-lite0": efficientnet, "resnet-20": resnet}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin-dir", type=Path, default=ROOT / "target/debug", help="folder of the programs")
    parser.add_argument("--rounds", type=int, default=3, help="times that each file is made, in turns (3)")
    parser.add_argument("--only", choices=NETS, nargs="+", default=list(NETS), help="these networks alone")
    parser.add_argument("--no-judging", action="store_true", help="times and memory alone")
    parser.add_argument("--machine", default="", help="what the results were measured on, for the record")
    parser.add_argument("--markdown", type=Path, help="file for the tables")
    parser.add_argument("--json", type=Path, help="file for all figures")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        evidence = Evidence(arguments.bin_dir.resolve(), MODELS, DATA, Path(scratch))
        report = {"schema": "tailfold.bench-quantize/1", "machine": arguments.machine, "rounds": arguments.rounds}
        try:
            report["networks"] = [measured(evidence, NETS[name], arguments) for name in arguments.only]
        except (Skip, Verdict) as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
    text = markdown(report, OBSERVERS)
    print(text)
    if arguments.markdown:
        arguments.markdown.write_text(text)
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=2) + "\n")
    return 0


def measured(evidence, net, arguments):
    net = net(evidence, shared_data())
    found = {"network": net.title, "calibration_images": net.calibration_images}
    found["costs"] = costs(evidence, net, arguments.rounds)
    if not arguments.no_judging:
        found.update(decisions(evidence, net, files(evidence, net)))
    return found


if __name__ == "__main__":
    sys.exit(main())
