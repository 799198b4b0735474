"""Runs our program for bench_sdot.py in a separate process, like every run of a peer."""

import json
import statistics
import subprocess
import sys
from pathlib import Path

from safetensors.numpy import load_file
from sdot_problem import chi_square
from sdot_stop import TOLERANCE
from sdot_tune import environment

MEASURED = Path(__file__).with_name("measured.py")


def solved(arguments, path, problem, soft, repeat=1):
    """The program's own seconds (without reading the file), its output, and the evaluator's result on its offsets.

    For several calls in one process, the median without the first call counts. The peak memory is of the whole process,
    including the file.
    """
    out = path.with_suffix(".offsets")
    command = [arguments.program, path, "--scale", problem.scale, "--chi-square", TOLERANCE, "--out", out]
    # The stop is the chi-square, as for every contender. By default, the solver also brings rare classes within one sample.
    command += ["--largest-relative", "inf", "--threads", arguments.threads, "--repeat", repeat]
    # The option is left out by default, so that an earlier version of the program can be timed too.
    command += ["--method", arguments.method] if arguments.method != "auto" else []
    command += ["--soft", soft] if soft else []
    whole = [sys.executable, MEASURED, *command]
    threads = environment(arguments.threads)
    done = json.loads(subprocess.run(list(map(str, whole)), capture_output=True, check=True, env=threads).stdout)
    if done["status"]:
        sys.exit(f"solve ended with status {done['status']}: {done['stderr'].strip()}")
    found, offsets = json.loads(done["stdout"]), load_file(out)["offsets"]
    later = {key: statistics.median(found[key][1:] or found[key]) for key in ("seconds", "cpu_seconds")}
    judged = chi_square(problem, offsets, soft)
    return {
        "reached": judged < TOLERANCE,
        **later,
        "chi_square": judged,
        "peak_rss_bytes": done["peak_rss_bytes"],
        "said": {key: value for key, value in found.items() if key not in ("seconds", "cpu_seconds")},
        "all_seconds": found["seconds"],
        "offsets": offsets,
    }
