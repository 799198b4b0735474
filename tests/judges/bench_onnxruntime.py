"""ONNX Runtime as a contender of `tailfold bench`: one image at a time.

    .venv/bin/python tests/judges/bench_onnxruntime.py --model model.onnx --images images.f32

Speaks the protocol of `tailfold bench-turns`: one JSON line after the first image, one per round that stdin requests, and
one at the end. The cold start begins with reading the file, without the start of Python.
"""

import argparse
import json
import resource
import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--images", required=True, help="little-endian floats")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--exact", action="store_true", help="without saturation, as `tailfold` asks for")
    arguments = parser.parse_args()
    # As in `tailfold bench-turns`: the time of the calling thread or, for several threads, of the process.
    processor_time = time.thread_time if arguments.threads == 1 else time.process_time
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = arguments.threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    if arguments.exact:
        options.add_session_config_entry("session.x64quantprecision", "1")
    start = time.perf_counter()
    session = onnxruntime.InferenceSession(arguments.model, options, providers=["CPUExecutionProvider"])
    prepared = time.perf_counter() - start
    port = session.get_inputs()[0]
    images = np.fromfile(arguments.images, dtype="<f4").reshape(-1, 1, *port.shape[1:])
    start = time.perf_counter()
    logits = session.run(None, {port.name: images[0]})[0]
    first = time.perf_counter() - start
    answer(
        cold_start_ms=1e3 * (prepared + first),
        kernel=f"ONNX Runtime {onnxruntime.__version__}",
        **{"class": int(np.argmax(logits))},
        threads=arguments.threads,
        binary_bytes=library_bytes(),
    )
    for line in sys.stdin:
        wall, cpu = [], []
        for i in range(int(line)):
            feed = {port.name: images[i % len(images)]}
            wall_start, cpu_start = time.perf_counter(), processor_time()
            session.run(None, feed)
            cpu.append(1e3 * (processor_time() - cpu_start))
            wall.append(1e3 * (time.perf_counter() - wall_start))
        answer(wall_ms=wall, cpu_ms=cpu)
    answer(peak_rss_bytes=1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def library_bytes():
    """Size of the shared library, which a program without Python would ship; None if the package has no such library."""
    folder = Path(onnxruntime.__file__).parent / "capi"
    library = next(folder.glob("*onnxruntime.*[0-9]"), None) or next(folder.glob("onnxruntime.dll"), None)
    return library and library.stat().st_size


def answer(**fields):
    print(json.dumps(fields), flush=True)


if __name__ == "__main__":
    main()
