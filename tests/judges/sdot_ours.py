"""A run of our program for bench_sdot.py, in a process of its own, as every run of a peer."""

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
    """The program's own seconds (without reading the file), what it says, and what the evaluator says of its offsets.

    Of several calls in one process the median counts, without the first. The peak of memory is the whole process's, with
    the file in it.
    """
    out = path.with_suffix(".offsets")
    command = [arguments.program, path, "--scale", problem.scale, "--chi-square", TOLERANCE, "--out", out]
    # The stop is the chi-square, as for everybody; by itself it would also bring rare classes to within a sample.
    command += ["--largest-relative", "inf", "--threads", arguments.threads, "--repeat", repeat]
    # Unsaid unless asked for, so that an earlier state of the program can be timed as well.
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
