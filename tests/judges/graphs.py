"""Checks that a file is valid ONNX and runs in ONNX Runtime."""

from argparse import Namespace

import numpy as np
import onnx_checker
from onnx_checker import LEVELS, Verdict

# The defaults of onnx_checker.py.
ARGUMENTS = Namespace(seed=0, batch=2, tolerance=1e-4)


def no_graph(evidence):
    raise Verdict(f"there is no .onnx file below models or {evidence.models}")


def graph_is_valid(_evidence, path):
    """Runs `onnx.checker`, strict shape inference, and ONNX Runtime without and with optimizations.

    Float graphs are also compared with onnx's reference evaluator. Quantized graphs are not, because a sum in another order
    can round to the next quantized value. The check `int8` compares them on real images instead.
    """
    model = onnx_checker.valid(path)
    size = f"{len(model.graph.node)} nodes"
    if not any(node.op_type == "QuantizeLinear" for node in model.graph.node):
        differences = onnx_checker.judge(model, ARGUMENTS)
        return f"{size}, from the reference evaluator: " + ", ".join(f"{k} {v:.1e}" for k, v in differences.items())
    arrays = onnx_checker.feeds(model, ARGUMENTS.seed, ARGUMENTS.batch)
    for name, level in LEVELS.items():
        outputs = onnx_checker.session(model, level).run(None, arrays)
        if not outputs or not all(output.size and np.isfinite(output).all() for output in outputs):
            raise Verdict(f"ONNX Runtime ({name}) gives an output that is empty, NaN or infinite")
    return f"{size}, runs {' and '.join(LEVELS)}"
