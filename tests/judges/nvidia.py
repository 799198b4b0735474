"""Checks that NVIDIA's parser accepts files for TensorRT and builds an engine from each, without a GPU.

Needs tensorrt-rtx-cu13-bindings and -libs (1.7.1.116). They take 95 MB and no other check needs them, so they are optional.
"""

import importlib
import importlib.util
from pathlib import Path

from evidence import FLOAT, Skip
from onnx_checker import Verdict
from targets import CALIBRATION, written

# An architecture that the builder supports without a device.
ARCHITECTURE = "SM86"


def bindings():
    """Imports the module. Its libraries are in another package and must be loaded first."""
    if not importlib.util.find_spec("tensorrt_rtx_bindings"):
        raise Skip("tensorrt-rtx-cu13-bindings is not installed")
    import ctypes

    libraries = Path(importlib.import_module("tensorrt_rtx_libs").__file__).parent
    for library in ("libtensorrt_rtx.so.1", "libtensorrt_onnxparser_rtx.so.1"):
        ctypes.CDLL(str(libraries / library), mode=ctypes.RTLD_GLOBAL)
    return importlib.import_module("tensorrt_rtx_bindings")


def parsed(trt, path):
    """Number of layers, and size of the engine in bytes."""
    logger = trt.Logger(trt.Logger.INTERNAL_ERROR)
    builder = trt.Builder(logger)
    network = builder.create_network(0)
    parser = trt.OnnxParser(network, logger)
    if not parser.parse(path.read_bytes()):
        raise Verdict("; ".join(parser.get_error(i).desc() for i in range(parser.num_errors)))
    config = builder.create_builder_config()
    entry = network.get_input(0)
    shape = tuple(1 if length < 0 else length for length in entry.shape)
    profile = builder.create_optimization_profile()
    profile.set_shape(entry.name, shape, shape, shape)
    config.add_optimization_profile(profile)
    config.num_compute_capabilities = 1
    config.set_compute_capability(getattr(trt.ComputeCapability, ARCHITECTURE), 0)
    engine = builder.build_serialized_network(network, config)
    if engine is None:
        raise Verdict("no engine was built")
    return network.num_layers, engine.nbytes


def nvidia_parses(evidence):
    trt = bindings()
    figures = []
    for target in ("tensorrt", "fp16"):
        path = evidence.scratch / f"nvidia.{target}.onnx"
        written(evidence, target, evidence.file(FLOAT), path, "--calibration", CALIBRATION)
        layers, size = parsed(trt, path)
        figures.append(f"{target}: {layers} layers, an engine of {size} bytes")
    # Control: a file for another runtime is refused.
    path = evidence.scratch / "nvidia.tract.onnx"
    written(evidence, "tract", evidence.file(FLOAT), path, "--calibration", CALIBRATION)
    try:
        parsed(trt, path)
    except Verdict as refusal:
        return ", ".join(figures) + f"; tract's form is refused: {str(refusal)[:60]}"
    raise Verdict("a file with zero points was accepted")
