"""Both quantizers as processes: ours and ONNX Runtime's make the same kind of file from the same images."""

import json
import os
import subprocess
import sys
from pathlib import Path

from evidence import PATIENCE
from onnx_checker import Verdict

# Observers by their names here, and what they are called there; percentiles are as ONNX Runtime has them by default.
# The least square error is ours alone.
OBSERVERS = {
    "minmax": "MinMax",
    "percentile:99.999": "Percentile",
    "entropy": "Entropy",
    "mse": None,
}
HERE = Path(__file__).parent
# Ours as it comes, which corrects; like for like; and as ONNX Runtime's kernels without VNNI need it.
OURS = {
    "ours": [],
    "ours, plain": ["--rounding", "nearest", "--correct", "none"],
    "ours, 7 bits": ["--weight-bits", "7"],
}
# The file of ours that is timed; the other target's costs the same.
TIMED = "ort-x86"


def ours(evidence, net, observer, target, whose="ours"):
    """Command that writes a file, and the file."""
    out = evidence.scratch / f"{net.name}.{observer.replace(':', '-')}.{target}.{whose.replace(', ', '-')}.onnx"
    program = evidence.bins / ("tailfold" + (".exe" if os.name == "nt" else ""))
    flags = ["--model", net.plain, "--calibration-f32", net.calibration, "--observer", observer, "--target", target]
    flags += OURS[whose]
    return [program, "quantize", *flags, "--out", out], out


def theirs(evidence, net, observer, reduce_range=False):
    """The same of ONNX Runtime's."""
    method = OBSERVERS[observer]
    out = evidence.scratch / f"{net.name}.{method}.{'reduced' if reduce_range else 'full'}.onnx"
    flags = ["--model", net.plain, "--images", net.calibration, "--method", method, "--out", out]
    flags += ["--reduce-range"] * reduce_range
    return [sys.executable, HERE / "bench_quantize_static.py", *flags], out


def run(command):
    """What `command` took, as measured.py says it."""
    command = [sys.executable, HERE / "measured.py", *map(str, command)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)
    found = json.loads(done.stdout)
    if found["status"]:
        raise Verdict(f"{command[2]} ended with status {found['status']}: {found['stderr'].strip()[-300:]}")
    return found


def costs(evidence, net, rounds):
    """Of each observer the rounds: ours and theirs, in turns; who is first changes."""
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
    """All files to judge: observer, whose, the runtimes that it is for, path."""
    for observer, method in OBSERVERS.items():
        for whose in ("ours", "ours, plain"):
            for target, runtimes in (("ort-x86", ("plain", "optimized")), ("tract", ("tailfold",))):
                yield observer, whose, runtimes, made(*ours(evidence, net, observer, target, whose))
        yield observer, "ours, 7 bits", ("optimized",), made(*ours(evidence, net, observer, "ort-x86", "ours, 7 bits"))
        if method:
            yield observer, "theirs", ("plain", "optimized", "tailfold"), made(*theirs(evidence, net, observer))
            # Against sums that saturate, which they do where ONNX Runtime optimizes and the processor has no VNNI.
            yield observer, "theirs, 7 bits", ("optimized",), made(*theirs(evidence, net, observer, reduce_range=True))


def made(command, out):
    """The file, made unless it has been timed."""
    if not out.is_file():
        run(command)
    return out
