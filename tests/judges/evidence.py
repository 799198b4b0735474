"""Shared by the checks: the programs, the two models, and their results in tailfold and in ONNX Runtime."""

import hashlib
import json
import os
import subprocess
from functools import cache
from pathlib import Path

import numpy as np
import onnx
from onnx_checker import LEVELS, Verdict, session
from safetensors.numpy import load_file

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "models/fashion-lt"
DATA = MODELS / "data"
FLOAT = "fashion-lt.onnx"
INT8 = "fashion-lt.int8.onnx"
TEST = "embedded?split=test"

# Environment of `xtask` as cargo starts it, but with `true` in place of cargo, because the programs are built already.
XTASK = {"CARGO_MANIFEST_DIR": str(ROOT / "xtask"), "CARGO": "true"}

# Time limit of a program in seconds.
PATIENCE = 600
# Images per run of ONNX Runtime, if the graph has a dynamic batch.
BATCH = 250


class Skip(Exception):
    """The reason why a check is skipped."""


class Evidence:
    """Folders and results computed from them; every result is computed once."""

    def __init__(self, bins, models, data, scratch):
        self.bins, self.models, self.data, self.scratch = bins, models, data, scratch
        self.model, self.said, self.answers = cache(self._model), cache(self._said), cache(self._answers)

    def run(self, name, *arguments, accepted=(0,)):
        """Runs one of our programs and returns its stdout; an exit status outside `accepted` is a failure."""
        program = self.bins / (name + (".exe" if os.name == "nt" else ""))
        if not program.is_file():
            raise Verdict(f"there is no {program}: run `cargo build --workspace --bins`")
        done = subprocess.run(
            [program, *map(str, arguments)],
            cwd=ROOT,
            env={**os.environ, "TAILFOLD_EMBEDDED": str(self.data), **XTASK},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        if done.returncode not in accepted:
            why = next((line for line in done.stderr.splitlines() if line.startswith("error")), done.stderr)
            raise Verdict(f"`{name} {' '.join(map(str, arguments))}` ended with status {done.returncode}: {why}")
        return done.stdout

    def file(self, name):
        path = self.models / name
        if not path.is_file():
            raise Verdict(f"there is no {path}")
        return path

    def sha256(self, name):
        return hashlib.sha256(self.file(name).read_bytes()).hexdigest()

    def _model(self, name):
        return onnx.load(self.file(name))

    def card(self, name, key):
        """A value of the model's metadata: JSON, or a plain string."""
        for entry in self.model(name).metadata_props:
            if entry.key == f"tailfold.{key}":
                return json.loads(entry.value) if entry.value[:1] in "[{" else entry.value
        raise Verdict(f"{name} has no metadata `tailfold.{key}`")

    def _said(self, name):
        """`inputs [n, c, h, w]`, `logits [n, classes]` and `labels [n]` of the test images, computed by tailfold."""
        out = self.scratch / f"{name}.safetensors"
        self.run("tailfold", "logits", "--model", self.file(name), "--data", TEST, "--inputs", "--out", out)
        said = load_file(out)
        images, classes = len(said["labels"]), len(self.card(name, "classes"))
        if images == 0:
            raise Verdict(f"tailfold scored no image with {name}")
        if said["logits"].shape != (images, classes) or len(said["inputs"]) != images:
            shapes = {key: value.shape for key, value in said.items()}
            raise Verdict(f"tailfold wrote {shapes} for {images} images and {classes} classes")
        if (said["labels"] >= classes).any():
            raise Verdict(f"a label is {said['labels'].max()}, but there are {classes} classes")
        finite(said["inputs"], f"an input of {name}")
        finite(said["logits"], f"a logit of {name} by tailfold")
        return said

    def _answers(self, name, level, tensor="logits"):
        """Values of `tensor` in ONNX Runtime for the same inputs; `level` is a key of LEVELS."""
        model = onnx.ModelProto()
        model.CopyFrom(self.model(name))
        if tensor not in [output.name for output in model.graph.output]:
            model.graph.output.append(onnx.helper.make_empty_tensor_value_info(tensor))
        runner = session(model, LEVELS[level])
        entry = runner.get_inputs()[0]
        batch = entry.shape[0] if isinstance(entry.shape[0], int) else BATCH
        inputs = self.said(name)["inputs"]
        parts = [runner.run([tensor], {entry.name: inputs[i : i + batch]})[0] for i in range(0, len(inputs), batch)]
        values = np.concatenate(parts)
        expected = self.said(name)["logits"].shape
        if tensor == "logits" and values.shape != expected:
            raise Verdict(f"ONNX Runtime gives logits of shape {values.shape}, tailfold {expected}")
        finite(values, f"a value of `{tensor}` of {name} by ONNX Runtime ({level})")
        return values


def finite(values, what):
    """Checks that `values [n, ...]` are finite. Call it first, because comparisons with NaN are always false."""
    bad = ~np.isfinite(values.reshape(len(values), -1)).all(axis=1)
    if bad.any():
        rows = f"first in row {int(bad.argmax())}, in {int(bad.sum())} of {len(bad)} rows"
        raise Verdict(f"{what} is NaN or infinite, {rows}")


def largest_difference(a, b):
    """Largest absolute difference, in f64; never NaN."""
    difference = np.abs(a.astype(np.float64) - b)
    finite(difference, "a difference")
    return float(difference.max())


def some(images):
    """The first ten indices, for a message."""
    listed = ", ".join(str(int(image)) for image in images[:10])
    return listed + (f" and {len(images) - 10} more" if len(images) > 10 else "")
