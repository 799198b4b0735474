"""Runs our quantizer and ONNX Runtime's as processes, which make the same kind of file from the same images."""

import json
import os
import subprocess
import sys
from pathlib import Path

from evidence import PATIENCE
from onnx_checker import Verdict

# Names of our observers, with their names in ONNX Runtime; percentiles are ONNX Runtime's defaults. Only we have the
# observer with the least squared error.
OBSERVERS = {
    "minmax": "MinMax",
    "percentile:99.999": "Percentile",
    "entropy": "Entropy",
    "mse": None,
}
HERE = Path(__file__).parent
# Our options: the default with corrections, the same method as ONNX Runtime, and for its kernels without VNNI.
OURS = {
    "ours": [],
    "ours, plain": ["--rounding", "nearest", "--correct", "none"],
    "ours, 7 bits": ["--weight-bits", "7"],
}
# Target of our timed file; the other target takes the same time.
TIMED = "ort-x86"


def ours(evidence, net, observer, target, whose="ours"):
    """The command of our quantizer, and the file that it writes."""
    out = evidence.scratch / f"{net.name}.{observer.replace(':', '-')}.{target}.{whose.replace(', ', '-')}.onnx"
    program = evidence.bins / ("tailfold" + (".exe" if os.name == "nt" else ""))
    flags = ["--model", net.plain, "--calibration-f32", net.calibration, "--observer", observer, "--target", target]
    flags += OURS[whose]
    return [program, "quantize", *flags, "--out", out], out


def theirs(evidence, net, observer, reduce_range=False):
    """The command of ONNX Runtime's quantizer, and the file that it writes."""
    method = OBSERVERS[observer]
    out = evidence.scratch / f"{net.name}.{method}.{'reduced' if reduce_range else 'full'}.onnx"
    flags = ["--model", net.plain, "--images", net.calibration, "--method", method, "--out", out]
    flags += ["--reduce-range"] * reduce_range
    return [sys.executable, HERE / "bench_quantize_static.py", *flags], out


def run(command):
    """Time and memory of `command`, in the format of measured.py."""
    command = [sys.executable, HERE / "measured.py", *map(str, command)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)
    found = json.loads(done.stdout)
    if found["status"]:
        raise Verdict(f"{command[2]} ended with status {found['status']}: {found['stderr'].strip()[-300:]}")
    return found


def costs(evidence, net, rounds):
    """Interleaved rounds of both quantizers for each observer, with alternating order."""
    found = {observer: [] for observer in OBSERVERS}
    for number in range(rounds):
        for observer, method in OBSERVERS.items():
            contenders = {whose: ours(evidence, net, observer, TIMED, whose)[0] for whose in ("ours", "ours, plain")}
            if method:
                contenders["theirs"] = theirs(evidence, net, observer)[0]
            pair = {"busy": os.getloadavg()[0]}
            for name in sorted(contenders, reverse=number % 2 == 1):
                taken = run(contenders[name])
                pair[name] = {key: taken[key] for key in ("wall_s", "cpu_s", "peak_rss_bytes")}
                if name == "theirs":
                    pair[name].update(json.loads(taken["stdout"].splitlines()[-1]))
            found[observer].append(pair)
            said = ", ".join(f"{name} {pair[name]['cpu_s']:.2f} s CPU" for name in contenders)
            print(f"{net.title}, {observer}, round {number + 1}: {said}", file=sys.stderr, flush=True)
    return found


def files(evidence, net):
    """All files to evaluate: observer, quantizer, runtimes, path."""
    for observer, method in OBSERVERS.items():
        for whose in ("ours", "ours, plain"):
            for target, runtimes in (("ort-x86", ("plain", "optimized")), ("tract", ("tailfold",))):
                yield observer, whose, runtimes, made(*ours(evidence, net, observer, target, whose))
        yield observer, "ours, 7 bits", ("optimized",), made(*ours(evidence, net, observer, "ort-x86", "ours, 7 bits"))
        if method:
            yield observer, "theirs", ("plain", "optimized", "tailfold"), made(*theirs(evidence, net, observer))
            # Weights of 7 bits avoid saturating sums in ONNX Runtime's optimized kernels on processors without VNNI.
            yield observer, "theirs, 7 bits", ("optimized",), made(*theirs(evidence, net, observer, reduce_range=True))


def made(command, out):
    """Makes the file unless the timing has made it already."""
    if not out.is_file():
        run(command)
    return out
