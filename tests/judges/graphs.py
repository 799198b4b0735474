"""A file is valid ONNX and runs elsewhere."""

from argparse import Namespace

import numpy as np
import onnx_checker
from onnx_checker import LEVELS, Verdict

# As onnx_checker.py does by itself.
ARGUMENTS = Namespace(seed=0, batch=2, tolerance=1e-4)


def no_graph(evidence):
    raise Verdict(f"there is no .onnx file below models or {evidence.models}")


def graph_is_valid(_evidence, path):
    """`onnx.checker`, strict shape inference, and a run in ONNX Runtime without and with optimizations.

    Float graphs are also compared with onnx's reference evaluator. Quantized ones are not: a sum in another order can
    round to the next code, so their distance is measured on real images, by the check `int8`.
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
