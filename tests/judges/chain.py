"""Checks `tailfold parity chain` with ONNX Runtime (goldens, float, FP16, INT8), and recomputes its results with NumPy."""

import json

import numpy as np
from evidence import FLOAT, INT8, TEST, finite, largest_difference
from onnx_checker import Verdict
from ort_backend import library
from safetensors.numpy import load_file

# The tolerance is small, because both sides call the same library on the same inputs.
TOLERANCE = 1e-6
STEPS = ["golden", "float tract-stock", "float ort", "fp16 ort", "int8 integer", "int8 tract", "int8 tract-stock", "int8 ort"]


def chain_is_right(evidence):
    """All steps pass; their agreement and largest difference match the logits of `tailfold logits`."""
    on_ort = ("--ort-library", library())
    half = evidence.scratch / "chain.fp16.onnx"
    arguments = ("--model", evidence.file(FLOAT), "--calibration", "embedded?split=train", "--precision", "fp16")
    evidence.run("tailfold", "quantize", *arguments, "--out", half)
    arguments = ["--reference", evidence.file(FLOAT), "--candidate", evidence.file(INT8), "--half", half, "--data", TEST]
    arguments += ["--policy", evidence.file("parity.toml"), "--golden", evidence.file("golden/golden.safetensors")]
    text = evidence.run("tailfold", "parity", "chain", "--json", *arguments, *on_ort, "--backend", "ort", "--bisect")
    said = json.loads(text)
    if said["verdict"] != "pass" or said["first_break"] is not None:
        raise Verdict(f"the chain says {said['verdict']}: {said['first_break']}")
    names = [" ".join(filter(None, [step["stage"], step["backend"]])) for step in said["steps"]]
    # A machine with a GPU has further steps.
    if [name for name in names if name.split()[-1] not in ("cuda", "tensorrt", "tensorrt-rtx")] != STEPS:
        raise Verdict(f"the steps are {names}, expected {STEPS}")
    logits = {}
    for name, file in [("float ort", evidence.file(FLOAT)), ("fp16 ort", half), ("int8 ort", evidence.file(INT8))]:
        out = evidence.scratch / f"chain-{name.replace(' ', '-')}.safetensors"
        evidence.run("tailfold", "logits", "--model", file, "--data", TEST, "--out", out, "--backend", "ort", *on_ort)
        logits[name] = load_file(out)["logits"]
        finite(logits[name], f"a logit of {name}")
    first = evidence.said(FLOAT)["logits"]
    figures = []
    for name, values in logits.items():
        step = said["steps"][names.index(name)]["against_first"]
        agreement = float((values.argmax(axis=1) == first.argmax(axis=1)).mean())
        difference = largest_difference(values, first)
        if abs(step["agreement"] - agreement) > 1e-12:
            raise Verdict(f"{name}: the chain has an agreement of {step['agreement']}, NumPy {agreement}")
        if abs(step["max_abs_logit_diff"] - difference) > TOLERANCE:
            raise Verdict(f"{name}: the chain's largest difference is {step['max_abs_logit_diff']}, NumPy's {difference}")
        figures.append(f"{name} {100 * agreement:.2f} % within {difference:.1e}")
    flips = int(np.sum(evidence.said(INT8)["logits"].argmax(axis=1) != first.argmax(axis=1)))
    found = said["bisect"]
    if found["culprit"] is not None:
        raise Verdict(f"the bisection of a sound pair names {found['culprit']}")
    return ", ".join(figures) + f"; {flips} flips on the integer kernels, {found['all_flips']} on tract-stock"
