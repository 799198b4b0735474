"""Networks of torchvision and timm, exported by PyTorch, through the programs: loaded, quantized by default options, compared.

    python tests/judges/zoo.py --bin-dir target/debug [--all] [--only PART...] [--zoo FOLDER] [--write docs/bench/zoo.md]

For each file: its logits are ONNX Runtime's, the INT8 file of `tailfold-quant` opens in ONNX Runtime and decides as the float
model, `info`, `evaluate` and `parity` work on it. A table says how many of the layers with weights run in integers and how
long an image takes. Without FOLDER the networks are exported first, into `target/zoo`, in an environment of their own
(requirements-zoo.txt, two gigabytes). Needs photographs: the shared data, which a fresh clone does not have.
"""

import argparse
import json
import logging
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
from zoo_networks import CLASSES, MEAN, STD, small_files

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
# Largest difference of a float logit, as a share of the largest.
TOLERANCE = 1e-4
# Photos that are scored, and others that ranges are observed on.
SCORED = 32
CALIBRATED = 64
# Share of the photos on which the INT8 file has to decide as the float model, or at least as often as the file of ONNX Runtime's
# own quantizer: random networks have small margins.
AGREEMENT = 0.5
LAYERS = ("Conv", "Gemm", "MatMul", "ConvTranspose")
# Seconds that a program may take.
PATIENCE = 400
# How a comparison may end: 32 photos are too few to pass.
COMPARED = (0, 1, 3)


def exported(folder, photos, small=True):
    """Exports the networks into `folder` where they are not there yet."""
    listing = folder / "zoo.json"
    there = {row["file"] for row in json.loads(listing.read_text())} if listing.is_file() else set()
    if there.issuperset(f"{name}.onnx" for name in small_files()):
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
    """A list of photos as images of 1000 classes: labels only count, nothing is judged by them."""
    path = scratch / f"{name}.txt"
    last = max(len(files) - 1, 1)
    path.write_text("".join(f"{file.name} {i * (CLASSES - 1) // last}\n" for i, file in enumerate(files)))
    return f"list:{path}@{photos}?empty=allow"


def scores(path, inputs):
    """ONNX Runtime's answers, in as many runs as the graph's batch asks for."""
    runner = session(onnx.load(path), LEVELS["plain"])
    entry = runner.get_inputs()[0]
    if entry.shape[-1] == 3:
        inputs = np.ascontiguousarray(inputs.transpose(0, 2, 3, 1))
    step = entry.shape[0] if isinstance(entry.shape[0], int) else len(inputs)
    parts = [runner.run(None, {entry.name: inputs[i : i + step]})[0] for i in range(0, len(inputs), step)]
    return np.concatenate(parts).reshape(len(inputs), -1)


class Prepared(CalibrationDataReader):
    """Prepared images, one at a time."""

    def __init__(self, name, images):
        self.rest = iter([{name: image[None]} for image in images])

    def get_next(self):
        return next(self.rest, None)


def static(path, calibrated, inputs, scratch):
    """Answers of the file that ONNX Runtime's quantizer makes of the same images: by channel, unsigned activations, QDQ."""
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
    """One file of the zoo, and what the programs make of it."""

    def __init__(self, row, zoo, photos, programs, scratch):
        self.row, self.zoo, self.programs, self.scratch = row, zoo, programs, scratch
        self.model, self.int8 = zoo / row["file"], scratch / row["file"].replace(".onnx", ".int8.onnx")
        files = sorted(photos.glob("*.jpg"))
        self.test = listed(scratch, photos, "scored", files[:SCORED])
        self.train = listed(scratch, photos, "calibrated", files[SCORED : SCORED + CALIBRATED])
        self.images, self.last, self.photos = files[:SCORED], files[-1], photos
        # The one place that knows how the flags of a model without metadata are spelled.
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
        """Milliseconds of an image, decoding left out: the middle of the photos but the first."""
        done = self.run("tailfold", "classify", "--json", "--model", model, *flags, *self.images)
        times = [row["latency_ms"] for row in json.loads(done.out)["images"]]
        return float(np.median(times[1:]))

    def layers(self):
        """How many of the layers with weights of the INT8 file have an integer kernel, and how many there are."""
        nodes = json.loads(self.run("tailfold", "info", "--json", "--model", self.int8).out)["nodes"]
        counted = [node for node in nodes if node["operator"] in LAYERS]
        return sum(node["kernel"] is not None for node in counted), len(counted)

    def judged(self):
        """The row of the table; raises where something does not hold."""
        said = self.logits(self.model, self.flags)
        right = scores(self.model, said["inputs"])
        # Probabilities are answers too: a softmax at the end is shown as it is, or as its logarithm.
        choices = [right] + ([np.log(right)] if (right >= 0).all() and np.allclose(right.sum(axis=1), 1, atol=1e-3) else [])
        found = said["logits"].astype(np.float64)
        if len(choices) == 2:
            # What stood in front of the softmax differs from its logarithm by a number per row.
            choices.append(choices[1] + (found - choices[1]).mean(axis=1, keepdims=True))
        off = min(float(np.abs(found - choice).max() / np.abs(choice).max()) for choice in choices)
        if not off <= TOLERANCE:
            raise Verdict(f"float logits differ by {off:.1e} of the largest, allowed {TOLERANCE:.0e}")
        # The float network's own decisions are the labels from here on: a network with random weights has no others.
        decided = right.argmax(axis=1)
        names = self.scratch / "decided.txt"
        rows = [f"{file.name} {label}\n" for file, label in zip(self.images, decided)]
        # One more, which no network has to get right, names the last class.
        names.write_text("".join([*rows, f"{self.last.name} {CLASSES - 1}\n"]))
        labelled = f"list:{names}@{self.photos}?empty=allow"
        self.int8.unlink(missing_ok=True)
        flags = ["--calibration", self.train, *self.flags]
        quantize = self.run("tailfold-quant", "--model", self.model, *flags, "--out", self.int8)
        decided = scores(self.int8, said["inputs"]).argmax(axis=1)
        agreement = float((decided == right.argmax(axis=1)).mean())
        if agreement < AGREEMENT:
            # A network with random weights may be more than 8 bits can hold: then for others as well.
            calibrated = self.logits(self.model, self.flags, data=self.train)["inputs"]
            peer = float((static(self.model, calibrated, said["inputs"], self.scratch).argmax(axis=1) == right.argmax(axis=1)).mean())
            if agreement < peer:
                raise Verdict(
                    f"ONNX Runtime decides {100 * agreement:.0f} % by the INT8 file as in float, {100 * peer:.0f} % by one of quantize_static"
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
            "ours": float((ours == right.argmax(axis=1)).mean()),
            "integer": integer,
            "layers": layers,
            "float_ms": self.latency(self.model, self.flags),
            "int8_ms": self.latency(self.int8, []),
            "quantize_s": quantize.seconds,
        }


def figures(row):
    return (
        f"float logits within {row['difference']:.0e}, INT8 {row['int8_bytes'] / 1e6:.1f} MB, decides alike {100 * row['agreement']:.0f} % "
        f"in ONNX Runtime and {100 * row['ours']:.0f} % here, {row['integer']}/{row['layers']} layers in integers, "
        f"{row['float_ms']:.1f} ms in float, {row['int8_ms']:.1f} ms in INT8, quantized in {row['quantize_s']:.0f} s"
    )


HEADER = """# Networks of torchvision and timm

Random weights from a written seed, batch normalization fitted on photographs, exported by PyTorch's older exporter (`torchscript`,
with its opset where that is not 17, or with normalizations left apart) and its newer one (`dynamo`); `keras` is the same network
rewritten channels last with Pad nodes, a ReduceMean, MatMul and Softmax. Each file is quantized by the default options of
`tailfold-quant` on 64 photographs. *Difference*: largest difference of a float logit from ONNX Runtime's, as a share of the largest.
*Decides alike*: 32 other photographs, INT8 against float, in ONNX Runtime and here. *Integer*: layers with weights that have an
integer kernel. Latency: one image on one thread, the middle of 31, decoding left out.

`python tests/judges/zoo.py --all --write docs/bench/zoo.md`, on {machine}.

| network | exporter | side | difference | INT8 | decides alike | integer | float | INT8 |
|---|---|---:|---:|---:|---:|---:|---:|---:|
"""


def machine():
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").is_file() else []:
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def table(rows, failures):
    lines = [
        f"| {r['architecture']} | {r['exporter']} | {r['size']} | {r['difference']:.0e} | {r['int8_bytes'] / 1e6:.1f} MB | "
        f"{100 * r['agreement']:.0f} %, {100 * r['ours']:.0f} % | {r['integer']}/{r['layers']} | {r['float_ms']:.1f} ms | {r['int8_ms']:.1f} ms |"
        for r in rows
    ]
    text = HEADER.format(machine=machine()) + "\n".join(lines) + "\n"
    if failures:
        text += "\nThese do not hold yet:\n\n" + "\n".join(f"- {name}: {why}" for name, why in failures) + "\n"
    return text


def members(zoo, photos, programs, scratch, all_files=False, only=()):
    rows = json.loads((zoo / "zoo.json").read_text())
    small = small_files()
    for row in rows:
        name = row["file"].removesuffix(".onnx")
        if any(part in name for part in only) if only else all_files or name in small:
            yield Member(row, zoo, photos, programs, scratch)


class Zoo:
    """The subset of CI as checks of judge.py."""

    def __init__(self, evidence):
        self.folder, self.scratch = ROOT / "target/zoo", evidence.scratch / "zoo"
        self.photos = Path(os.environ.get("TAILFOLD_DATA", ROOT.parent / "shared/data")) / "photos"
        self.programs = Programs(evidence.bins)

    def export(self, _evidence):
        self.scratch.mkdir()
        if not self.photos.is_dir():
            raise Skip("there are no photographs (../shared/data/photos, TAILFOLD_DATA)")
        exported(self.folder, self.photos)
        return f"{len(json.loads((self.folder / 'zoo.json').read_text()))} files"

    def member(self, _evidence, name):
        if not (self.folder / f"{name}.onnx").is_file():
            raise Skip("it was not exported")
        member = next(members(self.folder, self.photos.resolve(), self.programs, self.scratch, only=[name]))
        return figures(member.judged())

    def checks(self):
        """Name and function of each."""
        yield "zoo", self.export
        for name in small_files():
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
            except Exception as error:  # Whatever is raised is a verdict as well.
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
