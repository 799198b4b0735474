"""Compares `tailfold` on ONNX Runtime with ONNX Runtime in Python, and checks the errors of unusable libraries."""

import subprocess
import time
from pathlib import Path

import numpy as np
import onnxruntime
from evidence import INT8, TEST, Skip, finite, largest_difference
from onnx_checker import Verdict
from safetensors.numpy import load_file

FLOAT = "fashion-lt.onnx"
# Time limit of an error in seconds.
AT_ONCE = 2.0
# Both sides call the same library on the same inputs, but the library may split its sums differently.
TOLERANCE = 1e-4

# A library that has only the entry function of ONNX Runtime, with an old version.
OLD = """
#include <stdint.h>
static const char *version(void) { return "1.20.1"; }
static const void *api(uint32_t level) { (void)level; return 0; }
static const struct { const void *(*api)(uint32_t); const char *(*version)(void); } base = { api, version };
const void *OrtGetApiBase(void) { return &base; }
"""


def library():
    """The shared library in the Python package."""
    found = sorted((Path(onnxruntime.__file__).parent / "capi").glob("libonnxruntime.so.*"))
    if not found:
        raise Skip("the package onnxruntime has no libonnxruntime.so here")
    return found[0]


def ort_backend_agrees(evidence):
    """Logits of both models equal Python's, every node runs on the CPU provider, and parity accepts the back end."""
    figures = []
    for name in (FLOAT, INT8):
        out = evidence.scratch / f"ort-{name}.safetensors"
        on_ort = ("--backend", "ort", "--ort-library", library())
        evidence.run("tailfold", "logits", "--model", evidence.file(name), "--data", TEST, "--out", out, *on_ort)
        logits = load_file(out)["logits"]
        finite(logits, f"a logit of {name} on ONNX Runtime")
        options = onnxruntime.SessionOptions()
        options.add_session_config_entry("session.x64quantprecision", "1")
        session = onnxruntime.InferenceSession(str(evidence.file(name)), options, providers=["CPUExecutionProvider"])
        entry = session.get_inputs()[0].name
        inputs = evidence.said(name)["inputs"]
        expected = np.concatenate([session.run(None, {entry: inputs[i : i + 1]})[0] for i in range(len(inputs))])
        difference = largest_difference(logits, expected)
        if difference > TOLERANCE:
            raise Verdict(f"{name}: logits differ by {difference:.2e} from those in Python")
        info = evidence.run("tailfold", "info", "--model", evidence.file(name), *on_ort)
        nodes = info[info.index("runs on") :].splitlines()[1:]
        elsewhere = [line for line in nodes if not line.endswith("CPUExecutionProvider")]
        if not nodes or elsewhere:
            raise Verdict(f"{name}: of {len(nodes)} nodes these run elsewhere: {elsewhere}")
        figures.append(f"{name} {len(inputs)} images within {difference:.1e}, {len(nodes)} nodes")
    arguments = ["--reference", evidence.file(FLOAT), "--candidate", evidence.file(INT8), "--data", TEST]
    evidence.run("tailfold", "parity", *arguments, *on_ort, accepted=(0, 3))
    return "; ".join(figures)


def ort_refusals_say_why(evidence):
    """A missing, truncated, invalid or old library, or one without the provider, is an immediate error with a reason."""
    whole = library().read_bytes()
    files = {"cut.so": whole[: len(whole) // 2], "head.so": whole[:100], "text.so": b"no library", "empty.so": b""}
    for name, content in files.items():
        (evidence.scratch / name).write_bytes(content)
    source, old = evidence.scratch / "old.c", evidence.scratch / "old.so"
    source.write_text(OLD)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", old, source], check=True)
    cases = [
        (evidence.scratch / "gone.so", "ort", "there is no such file"),
        (evidence.scratch / "cut.so", "ort", "cannot be used: its tables cannot be read"),
        (evidence.scratch / "head.so", "ort", "cannot be used: its tables cannot be read"),
        (evidence.scratch / "text.so", "ort", "cannot be used: its tables cannot be read"),
        (evidence.scratch / "empty.so", "ort", "cannot be used: its tables cannot be read"),
        (old, "ort", "this is ONNX Runtime 1.20.1, and at least 1.24 is needed"),
        (library(), "cuda", "has no CUDAExecutionProvider; install"),
        (library(), "tensorrt", "has no TensorrtExecutionProvider; install"),
        (library(), "tensorrt-rtx", "has no NvTensorRTRTXExecutionProvider; install"),
    ]
    slowest = 0.0
    for path, backend, message in cases:
        begin = time.monotonic()
        done = subprocess.run(
            [evidence.bins / "tailfold", "info", "--model", evidence.file(INT8), "--backend", backend]
            + ["--ort-library", path],
            capture_output=True,
            text=True,
            timeout=60,
        )
        seconds = time.monotonic() - begin
        slowest = max(slowest, seconds)
        if done.returncode != 2 or message not in done.stderr or "panicked" in done.stderr:
            found = f"exit status {done.returncode}, {done.stderr.strip()!r}"
            raise Verdict(f"{path.name} for {backend}: {found}, expected exit status 2 and {message!r}")
        if seconds > AT_ONCE:
            raise Verdict(f"{path.name} for {backend} was refused after {seconds:.1f} s, expected at most {AT_ONCE} s")
    return f"{len(cases)} refusals, the slowest after {slowest:.2f} s"
