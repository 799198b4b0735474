"""ONNX Runtime's `quantize_static` as a contender of bench_quantize.py: one QDQ file, U8S8, with per-channel scales.

    .venv/bin/python tests/judges/bench_quantize_static.py --model float.onnx --images images.f32 --method MinMax --out q.onnx

The last line on stdout is one JSON object: wall and processor seconds of the quantization alone (`own_wall_s`, `own_cpu_s`),
of imports before it (`import_wall_s`), and the version.
"""

import time

IMPORTS = time.perf_counter()

import argparse
import json
import logging

import numpy as np
import onnx
import onnxruntime
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)

IMPORTED = time.perf_counter()


class Images(CalibrationDataReader):
    """Reads one image at a time from a file without header."""

    def __init__(self, model, path):
        port = onnx.load(model).graph.input[0]
        shape = [length.dim_value for length in port.type.tensor_type.shape.dim[1:]]
        images = np.fromfile(path, dtype="<f4").reshape(-1, 1, *shape)
        self.rest = iter([{port.name: image} for image in images])

    def get_next(self):
        return next(self.rest, None)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--images", required=True, help="little-endian floats")
    parser.add_argument("--method", required=True, choices=[method.name for method in CalibrationMethod])
    parser.add_argument("--reduce-range", action="store_true", help="weights of seven bits")
    parser.add_argument("--out", required=True)
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    images = Images(arguments.model, arguments.images)
    wall, cpu = time.perf_counter(), time.process_time()
    quantize_static(
        arguments.model,
        arguments.out,
        images,
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        reduce_range=arguments.reduce_range,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        calibrate_method=CalibrationMethod[arguments.method],
    )
    own = {"own_wall_s": time.perf_counter() - wall, "own_cpu_s": time.process_time() - cpu}
    print(json.dumps({**own, "import_wall_s": IMPORTED - IMPORTS, "version": onnxruntime.__version__}))


if __name__ == "__main__":
    main()
