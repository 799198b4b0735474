"""Compares every available runtime on the same images: top-5 classes, and differences of logits.

    .venv/bin/python tests/judges/runtimes.py --markdown docs/bench/runtimes.md [--aarch64 'EMULATOR -cpu cortex-a53 TAILFOLD']

Runs `tailfold classify` and `tailfold logits` on the float and the INT8 model: tract in float, the integer kernels, tract
with integer kernels, ONNX Runtime by default and with exact sums, and the program for 64-bit ARM in an emulator.
"""

import argparse
import json
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime
from safetensors.numpy import load_file

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "models/fashion-lt"
FLOAT, INT8 = MODELS / "fashion-lt.onnx", MODELS / "fashion-lt.int8.onnx"
DATA = "embedded?split=test&per-class=20"


def run(command, *arguments):
    done = subprocess.run([*command, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True)
    if done.returncode not in (0, 1):
        sys.exit(f"{command} {arguments}: {done.stderr}")
    return done.stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", type=Path, default=ROOT / "target/debug/tailfold")
    parser.add_argument("--aarch64", default="", help="command that starts tailfold for 64-bit ARM")
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("image", type=Path, nargs="?", help="image whose top-5 is shown; one of the test set without")
    arguments = parser.parse_args()
    here = [str(arguments.program)]
    library = next((Path(onnxruntime.__file__).parent / "capi").glob("libonnxruntime.so.*"))
    ort = ["--backend", "ort", "--ort-library", library]
    runtimes = [
        ("tract, float", here, FLOAT, ["--backend", "tract-stock"]),
        ("integer kernels, INT8", here, INT8, ["--backend", "integer"]),
        ("tract around the integer kernels, INT8", here, INT8, ["--backend", "tract"]),
        ("unmodified tract, INT8", here, INT8, ["--backend", "tract-stock"]),
        ("ONNX Runtime, float", here, FLOAT, ort),
        ("ONNX Runtime, INT8", here, INT8, ort),
        ("ONNX Runtime, INT8, saturating", here, INT8, [*ort, "--ort-saturating"]),
    ]
    if arguments.aarch64:
        arm = shlex.split(arguments.aarch64)
        runtimes.append(("integer kernels, INT8, 64-bit ARM", arm, INT8, ["--backend", "integer"]))
    lines, logits = [], {}
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        image = arguments.image or sample(here, scratch)
        for name, command, model, options in runtimes:
            out = scratch / "logits.safetensors"
            run(command, "logits", "--model", model, "--data", DATA, "--out", out, *options)
            logits[name] = load_file(out)["logits"].astype(np.float64)
            said = json.loads(run(command, "classify", "--json", "--top", 5, "--model", model, *options, image))
            top = said["images"][0]["top"]
            lines.append((name, ", ".join(f"{g['name']} {100 * g['probability']:.2f}" for g in top)))
    float_, ours = logits[runtimes[0][0]], logits[runtimes[1][0]]
    table = [
        "| runtime, model | top-5, % | top-1 agreement with tract in float, % | largest logit difference to tract in float | to the integer kernels |",
        "| --- | --- | ---: | ---: | ---: |",
    ]
    for name, top in lines:
        own = logits[name]
        alike = 100 * np.mean(own.argmax(1) == float_.argmax(1))
        to_float, to_ours = np.abs(own - float_).max(), np.abs(own - ours).max()
        table.append(f"| {name} | {top} | {alike:.1f} | {to_float:.2e} | {to_ours:.2e} |")
    print("\n".join(table))
    if arguments.markdown:
        text = f"# Runtimes on the same images\n\nThe five most likely classes of one image, and the logits of {len(float_)} test images "
        text += "(`tests/judges/runtimes.py`).\n\n"
        arguments.markdown.write_text(text + "\n".join(table) + "\n")


def sample(command, scratch):
    """Writes an image of the test set as PNG."""
    from PIL import Image

    out = scratch / "inputs.safetensors"
    run(command, "logits", "--model", FLOAT, "--data", "embedded?split=test&limit=1", "--inputs", "--out", out)
    card = json.loads(run(command, "info", "--json", "--model", FLOAT))["preprocess"]
    pixels = load_file(out)["inputs"][0, 0] * card["std"][0] + card["mean"][0]
    path = scratch / "sample.png"
    Image.fromarray(np.rint(pixels * 255).clip(0, 255).astype(np.uint8)).save(path)
    return path


if __name__ == "__main__":
    main()
