"""Checks ONNX files with independent tools: onnx's checker, its reference evaluator, and ONNX Runtime.

    python onnx_checker.py [--tolerance 1e-4] [--seed 0] [--batch 2] model.onnx...

Each file has to pass `onnx.checker.check_model(full_check=True)` and strict shape inference, and the reference evaluator
and ONNX Runtime, without and with graph optimizations, have to agree on a seeded normal input: the largest absolute
difference at most `tolerance` times the largest absolute value of the reference. Symbolic lengths become `batch`.
Prints one line per file. Exit status: 0 if all files pass, 1 if one fails (disagreement, NaN, infinity, an invalid file),
2 without a file or for a bad argument.

Needs onnx, onnxruntime and numpy; written with onnx 1.23.2 and onnxruntime 1.32.0.
"""

import argparse
import sys

import numpy as np
import onnx
import onnxruntime
from onnx.reference import ReferenceEvaluator

LEVELS = {
    "plain": onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL,
    "optimized": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL,
}


class Verdict(Exception):
    """The reason why a file fails."""


def feeds(model, seed, batch):
    """A seeded normal array for each input that is not an initializer."""
    rng = np.random.default_rng(seed)
    constants = {tensor.name for tensor in model.graph.initializer}
    arrays = {}
    for value in model.graph.input:
        if value.name in constants:
            continue
        tensor = value.type.tensor_type
        if tensor.elem_type != onnx.TensorProto.FLOAT:
            raise Verdict(f"input {value.name} is not f32")
        shape = [d.dim_value if d.HasField("dim_value") else batch for d in tensor.shape.dim]
        arrays[value.name] = rng.standard_normal(shape).astype(np.float32)
    if not arrays:
        raise Verdict("no input")
    return arrays


def session(model, level):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def difference(expected, found):
    """Largest absolute difference, relative to the largest absolute value expected."""
    if len(expected) != len(found):
        raise Verdict(f"{len(found)} outputs, the reference has {len(expected)}")
    largest = 0.0
    for a, b in zip(expected, found):
        if a.shape != b.shape:
            raise Verdict(f"output of shape {b.shape}, the reference has {a.shape}")
        if a.size == 0:
            raise Verdict("an output is empty")
        # NaN is checked first, because comparisons of NaN with a tolerance are always false.
        if not (np.isfinite(a).all() and np.isfinite(b).all()):
            raise Verdict("an output is NaN or infinite")
        scale = max(float(np.abs(a).max()), np.finfo(np.float32).tiny)
        largest = max(largest, float(np.abs(a.astype(np.float64) - b).max()) / scale)
    return largest


def valid(path):
    """Reads and checks the model in `path`; raises if it is not valid."""
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    return model


def judge(model, arguments):
    """Measures the differences of one valid model; raises if it fails."""
    arrays = feeds(model, arguments.seed, arguments.batch)
    expected = ReferenceEvaluator(model).run(None, arrays)
    if not expected:
        raise Verdict("no output")
    differences = {name: difference(expected, session(model, level).run(None, arrays)) for name, level in LEVELS.items()}
    for name, value in differences.items():
        if value > arguments.tolerance:
            raise Verdict(f"ONNX Runtime ({name}) is off by {value:.2e}, allowed {arguments.tolerance:.0e}")
    return differences


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", metavar="model.onnx")
    parser.add_argument("--tolerance", type=float, default=1e-4, help="largest relative difference (1e-4)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the input (0)")
    parser.add_argument("--batch", type=int, default=2, help="length of symbolic dimensions (2)")
    arguments = parser.parse_intermixed_args()
    if not arguments.files:
        parser.error("no files to judge")
    if not 0.0 <= arguments.tolerance < 1.0:
        parser.error("the tolerance has to be at least 0 and below 1")
    holds = True
    for path in arguments.files:
        try:
            differences = judge(valid(path), arguments)
        except Exception as error:  # Any exception counts as a failure of this file.
            holds = False
            print(f"FAIL {path}: {type(error).__name__}: {error}")
        else:
            print(f"ok   {path}: " + ", ".join(f"{name} {value:.1e}" for name, value in differences.items()))
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
