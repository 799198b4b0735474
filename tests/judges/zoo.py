"""Checks the programs on networks of torchvision and timm that PyTorch exported: open, quantize, compare.

    python tests/judges/zoo.py --bin-dir target/debug [--all] [--only PART...] [--zoo FOLDER] [--write docs/bench/zoo.md]

For each file: its logits equal ONNX Runtime's, the INT8 file of `tailfold quantize` runs in ONNX Runtime and agrees with the
float model, and `info`, `evaluate` and `parity` accept it. A table gives the number of layers with integer kernels and the
latency of one image. If FOLDER (default: `target/zoo`) lacks the small subset, the networks are exported first, in a
separate environment (requirements-zoo.txt, two gigabytes). Needs photographs from the shared data, which a fresh clone
does not have.
"""

import argparse
import json
import logging
import math
import os
import platform
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import onnx
from evidence import Skip
from onnx import version_converter
from onnx_checker import LEVELS, Verdict, session
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from safetensors.numpy import load_file
from third_party_run import Programs
from zoo_networks import CLASSES, EXPORTS, MEAN, SMALL, STD, file_names

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
# Largest accepted error of a float logit, relative to the largest logit.
TOLERANCE = 1e-4
# Number of photos that are scored, and of other photos for calibration.
SCORED = 32
CALIBRATED = 64
# Smallest accepted top-1 agreement of the INT8 file with the float model. A lower agreement is accepted if the file of
# ONNX Runtime's own quantizer is not significantly better: networks with random weights have small margins.
AGREEMENT = 0.5
# Level of the sign test between the two quantizers.
LEVEL = 0.05
# Time limit of a program in seconds.
PATIENCE = 400
# Accepted exit codes of `parity`: 32 photos are too few for a verdict.
COMPARED = (0, 1, 3)


def exported(folder, photos, small=True):
    """Exports the networks into `folder`, unless it has the files of the small subset."""
    listing = folder / "zoo.json"
    there = {row["file"] for row in json.loads(listing.read_text())} if listing.is_file() else set()
    if there.issuperset(f"{name}.onnx" for name in file_names(SMALL if small else EXPORTS)):
        return
    venv = ROOT / "target/zoo-venv"
    python = venv / "bin/python"
    if not (venv / "bin/pip").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", venv], check=True)
    install = [python, "-m", "pip", "install", "--quiet", "--no-deps", "-r", HERE / "requirements-zoo.txt"]
    for command in (
        install,
        [python, HERE / "zoo_stubs.py"],
        [python, HERE / "zoo_export.py", "--photos", photos, "--out", folder, *(["--small"] if small else [])],
        [python, HERE / "zoo_respelled.py", folder],
    ):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise Verdict(f"`{' '.join(map(str, command[1:3]))}` ended with {done.returncode}: {(done.stdout + done.stderr)[-400:]}")


def listed(scratch, photos, name, files):
    """Writes a list of photos with labels from 0 to 999, which only fix the number of classes; returns its spec."""
    path = scratch / f"{name}.txt"
    last = max(len(files) - 1, 1)
    path.write_text("".join(f"{file.name} {i * (CLASSES - 1) // last}\n" for i, file in enumerate(files)))
    return f"list:{path}@{photos}?empty=allow"


def scores(path, inputs):
    """ONNX Runtime's answers `[n, classes]` to `inputs` `[n, 3, h, w]`; a fixed batch makes several runs."""
    runner = session(onnx.load(path), LEVELS["plain"])
    entry = runner.get_inputs()[0]
    if entry.shape[-1] == 3:
        inputs = np.ascontiguousarray(inputs.transpose(0, 2, 3, 1))
    step = entry.shape[0] if isinstance(entry.shape[0], int) else len(inputs)
    parts = [runner.run(None, {entry.name: inputs[i : i + step]})[0] for i in range(0, len(inputs), step)]
    return np.concatenate(parts).reshape(len(inputs), -1)


def chance(lost, won):
    """Probability that a fair coin gives `lost` or more of `lost + won` images to the other side (sign test)."""
    images = lost + won
    return sum(math.comb(images, k) for k in range(lost, images + 1)) / 2**images


class Prepared(CalibrationDataReader):
    """Prepared images, one per batch."""

    def __init__(self, name, images):
        self.rest = iter([{name: image[None]} for image in images])

    def get_next(self):
        return next(self.rest, None)


def static(path, calibrated, inputs, scratch):
    """Answers of the file of `quantize_static`: QDQ, per-channel weights, uint8 activations, the same images."""
    logging.disable(logging.WARNING)
    model, out = onnx.load(path), scratch / "static.onnx"
    if model.opset_import[0].version < 13:
        model = version_converter.convert_version(model, 13)
    entry = model.graph.input[0]
    if entry.type.tensor_type.shape.dim[-1].dim_value == 3:
        calibrated = np.ascontiguousarray(calibrated.transpose(0, 2, 3, 1))
    quantize_static(
        model, out, Prepared(entry.name, calibrated), quant_format=QuantFormat.QDQ, per_channel=True,
        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
    )  # fmt: skip
    return scores(out, inputs)


class Member:
    """One file of the zoo, and the checks on it."""

    def __init__(self, row, zoo, photos, programs, scratch):
        self.row, self.zoo, self.programs, self.scratch = row, zoo, programs, scratch
        self.model, self.int8 = zoo / row["file"], scratch / row["file"].replace(".onnx", ".int8.onnx")
        files = sorted(photos.glob("*.jpg"))
        self.test = listed(scratch, photos, "scored", files[:SCORED])
        self.train = listed(scratch, photos, "calibrated", files[SCORED : SCORED + CALIBRATED])
        self.images, self.last, self.photos = files[:SCORED], files[-1], photos
        numbers = [f"--{key}={','.join(map(str, values))}" for key, values in (("mean", MEAN), ("std", STD))]
        self.flags = ["--labels", zoo / "labels.txt", *numbers, "--resize", row["resize"]]

    def run(self, name, *arguments, accepted=(0,)):
        done = self.programs.run(name, *arguments, patience=PATIENCE)
        if done.status not in accepted:
            raise Verdict(done.reason())
        return done

    def logits(self, model, flags, data=None):
        out = self.scratch / "said.safetensors"
        self.run("tailfold", "logits", "--model", model, "--data", data or self.test, *flags, "--inputs", "--out", out)
        return load_file(out)

    def latency(self, model, flags):
        """Milliseconds per image without decoding: the median over all photos except the first."""
        done = self.run("tailfold", "classify", "--json", "--model", model, *flags, *self.images)
        times = [row["latency_ms"] for row in json.loads(done.out)["images"]]
        return float(np.median(times[1:]))

    def layers(self):
        """Number of layers with weights of the INT8 file that have an integer kernel, and number of all."""
        nodes = json.loads(self.run("tailfold", "info", "--json", "--model", self.int8).out)["nodes"]
        counted = [node for node in nodes if node["weights"]]
        return sum(node["kernel"] is not None for node in counted), len(counted)

    def judged(self):
        """Runs all checks and returns the row of the table; raises Verdict if a check fails."""
        said = self.logits(self.model, self.flags)
        right = scores(self.model, said["inputs"])
        # For a file that ends in Softmax, `logits` may give the probabilities or their logarithms.
        choices = [right] + ([np.log(right)] if (right >= 0).all() and np.allclose(right.sum(axis=1), 1, atol=1e-3) else [])
        found = said["logits"].astype(np.float64)
        if len(choices) == 2:
            # The inputs of the softmax differ from the logarithms by one constant per row.
            choices.append(choices[1] + (found - choices[1]).mean(axis=1, keepdims=True))
        off = min(float(np.abs(found - choice).max() / np.abs(choice).max()) for choice in choices)
        if not off <= TOLERANCE:
            raise Verdict(f"the float logits have the relative error {off:.1e}, allowed {TOLERANCE:.0e}")
        # The decisions of the float network serve as labels: a network with random weights has no true labels.
        decided = right.argmax(axis=1)
        names = self.scratch / "decided.txt"
        rows = [f"{file.name} {label}\n" for file, label in zip(self.images, decided)]
        # One more photo with the label of the last class fixes the number of classes.
        names.write_text("".join([*rows, f"{self.last.name} {CLASSES - 1}\n"]))
        labelled = f"list:{names}@{self.photos}?empty=allow"
        self.int8.unlink(missing_ok=True)
        flags = ["--calibration", self.train, *self.flags]
        quantize = self.run("tailfold", "quantize", "--model", self.model, *flags, "--out", self.int8)
        decided = scores(self.int8, said["inputs"]).argmax(axis=1)
        agreement = float((decided == right.argmax(axis=1)).mean())
        peer = None
        if agreement < AGREEMENT:
            # 8 bits may not suffice for a network with random weights. Then other quantizers have the same problem.
            calibrated = self.logits(self.model, self.flags, data=self.train)["inputs"]
            theirs = static(self.model, calibrated, said["inputs"], self.scratch).argmax(axis=1) == right.argmax(axis=1)
            peer, kept = float(theirs.mean()), decided == right.argmax(axis=1)
            if chance(int((theirs & ~kept).sum()), int((kept & ~theirs).sum())) < LEVEL:
                raise Verdict(
                    f"top-1 agreement with the float model in ONNX Runtime is {100 * agreement:.0f} %, "
                    f"{100 * peer:.0f} % with quantize_static"
                )
        ours = self.logits(self.int8, [])["logits"].argmax(axis=1)
        integer, layers = self.layers()
        self.run("tailfold", "evaluate", "--model", self.int8, "--data", labelled)
        self.run(
            "tailfold", "parity", "--reference", self.model, "--candidate", self.int8, "--data", labelled,
            *self.flags, "--allow-uncalibrated", accepted=COMPARED,
        )
        return {
            "file": self.row["file"],
            "architecture": self.row["architecture"],
            "exporter": self.row["exporter"],
            "size": self.row["size"],
            "difference": off,
            "float_bytes": self.model.stat().st_size,
            "int8_bytes": self.int8.stat().st_size,
            "agreement": agreement,
            "peer": peer,
            "ours": float((ours == right.argmax(axis=1)).mean()),
            "integer": integer,
            "layers": layers,
            "float_ms": self.latency(self.model, self.flags),
            "int8_ms": self.latency(self.int8, []),
            "quantize_s": quantize.seconds,
        }


def figures(row):
    peer = "" if row["peer"] is None else f" ({100 * row['peer']:.0f} % with quantize_static)"
    return (
        f"error of the float logits {row['difference']:.0e}, INT8 file {row['int8_bytes'] / 1e6:.1f} MB, "
        f"top-1 agreement {100 * row['agreement']:.0f} % in ONNX Runtime{peer} and {100 * row['ours']:.0f} % in tailfold, "
        f"{row['integer']} of {row['layers']} layers with integer kernels, {row['float_ms']:.1f} ms in float, "
        f"{row['int8_ms']:.1f} ms in INT8, quantized in {row['quantize_s']:.0f} s"
    )


HEADER = """# Networks of torchvision and timm

All networks have random weights from a fixed seed, and batch normalization statistics from photographs. PyTorch's older
exporter wrote the files `torchscript` (opset 17), `torchscript-11` (opset 11) and `torchscript-unfolded` (opset 13, with
BatchNormalization nodes). PyTorch's newer exporter wrote the files `dynamo`, `dynamo-external` (external data) and
`dynamo-fixed` (batch of one). `keras` is the `torchscript` network in the form of Keras: channels last, Pad nodes,
ReduceMean, MatMul and Softmax. `tailfold quantize` quantized each file with its default options and 64 photographs.

- *Size*: height and width of the input in pixels.
- *Logit error*: largest difference between a float logit of tailfold and of ONNX Runtime, divided by the largest logit.
- *INT8 file*: size of the quantized file.
- *Top-1 agreement*: agreement of the INT8 file with the float model on 32 other photographs, in ONNX Runtime and in
  tailfold. Random weights have small margins; below 50 %, the agreement of the file that ONNX Runtime's `quantize_static`
  makes from the same photographs follows in brackets.
- *Layers with integer kernels*: of all layers with weights; a product of two activations (attention) is not counted.
- *Latency*: one image on one thread, without decoding; median of 31 images.

`python tests/judges/zoo.py --all --write docs/bench/zoo.md`, on {machine}.

| network | exporter | size | logit error | INT8 file | top-1 agreement | layers with integer kernels | float latency | INT8 latency |
|---|---|---:|---:|---:|---:|---:|---:|---:|
"""


def machine():
    """Name of the processor, with the vector extension that the integer kernels use on it."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.is_file() else []
    known = dict(line.split(":", 1) for line in reversed(lines) if ":" in line)
    known = {key.strip(): value.strip() for key, value in known.items()}
    flags = known.get("flags", "").split()
    extensions = {"avx512_vnni": "AVX-512 VNNI", "avx512bw": "AVX-512", "avx2": "AVX2"}
    extension = next((f" ({name})" for flag, name in extensions.items() if flag in flags), "")
    return known.get("model name", platform.processor() or platform.machine()) + extension


def by_peer(row):
    return "" if row["peer"] is None else f" (*{100 * row['peer']:.0f} %*)"


def table(rows, failures):
    lines = [
        f"| {r['architecture']} | {r['exporter']} | {r['size']} | {r['difference']:.0e} | {r['int8_bytes'] / 1e6:.1f} MB | "
        f"{100 * r['agreement']:.0f} %, {100 * r['ours']:.0f} %{by_peer(r)} | {r['integer']} of {r['layers']} | {r['float_ms']:.1f} ms | {r['int8_ms']:.1f} ms |"
        for r in rows
    ]
    text = HEADER.format(machine=machine()) + "\n".join(lines) + "\n"
    if failures:
        text += "\nThese checks fail:\n\n" + "\n".join(f"- {name}: {why}" for name, why in failures) + "\n"
    return text


def members(zoo, photos, programs, scratch, all_files=False, only=()):
    rows = json.loads((zoo / "zoo.json").read_text())
    small = file_names(SMALL)
    for row in rows:
        name = row["file"].removesuffix(".onnx")
        if any(part in name for part in only) if only else all_files or name in small:
            yield Member(row, zoo, photos, programs, scratch)


class Zoo:
    """The small subset, which CI runs, as checks of judge.py."""

    def __init__(self, evidence):
        self.folder, self.scratch = ROOT / "target/zoo", evidence.scratch / "zoo"
        self.photos = Path(os.environ.get("TAILFOLD_DATA", ROOT.parent / "shared/data")) / "photos"
        self.programs = Programs(evidence.bins)

    def export(self, _evidence):
        self.scratch.mkdir()
        if not self.photos.is_dir():
            if self.photos.parent.is_dir() or "TAILFOLD_DATA" in os.environ:
                raise FileNotFoundError(f"the data folder {self.photos.parent} has no photos")
            raise Skip("there are no photographs (../shared/data/photos, TAILFOLD_DATA)")
        exported(self.folder, self.photos)
        return f"{len(json.loads((self.folder / 'zoo.json').read_text()))} files"

    def member(self, _evidence, name):
        if not (self.folder / f"{name}.onnx").is_file():
            raise Skip("it was not exported")
        member = next(members(self.folder, self.photos.resolve(), self.programs, self.scratch, only=[name]))
        return figures(member.judged())

    def checks(self):
        """Yields the name and the function of each check."""
        yield "zoo", self.export
        for name in file_names(SMALL):
            yield f"zoo {name}", partial(self.member, name=name)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin-dir", type=Path, default=ROOT / "target/debug", help="folder of the programs")
    parser.add_argument("--zoo", type=Path, default=ROOT / "target/zoo", help="folder of the exported files")
    parser.add_argument("--photos", type=Path, default=ROOT.parent / "shared/data/photos", help="folder of photographs")
    parser.add_argument("--all", action="store_true", help="all networks, not only the small ones")
    parser.add_argument("--only", nargs="*", default=[], help="parts of file names")
    parser.add_argument("--write", type=Path, help="file to write the table to")
    arguments = parser.parse_args()
    exported(arguments.zoo, arguments.photos, small=not arguments.all)
    rows, failures = [], []
    with tempfile.TemporaryDirectory() as scratch:
        programs = Programs(arguments.bin_dir.resolve())
        for member in members(arguments.zoo, arguments.photos.resolve(), programs, Path(scratch), arguments.all, arguments.only):
            name = member.row["file"].removesuffix(".onnx")
            try:
                row = member.judged()
                rows.append(row)
                print(f"ok {name}: {figures(row)}", flush=True)
            except Exception as error:  # Any exception counts as a failed check.
                text = " ".join(str(error).split())
                failures.append((name, text))
                print(f"FAIL {name}: {text}", flush=True)
            member.int8.unlink(missing_ok=True)
    if arguments.write:
        arguments.write.write_text(table(rows, failures))
    print(f"{len(rows)} passed, {len(failures)} failed, 0 skipped")
    return 1 if failures or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
