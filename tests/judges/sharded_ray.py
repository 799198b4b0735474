"""Checks examples/sharded/ray_parity.py on several Ray workers of this machine.

The report equals the report of a single run byte for byte, even if a worker dies. Shares that cannot run are an error. The
script also measures the time of one share and of many.

    .venv/bin/pip install -r tests/judges/requirements-ray.txt
    .venv/bin/python tests/judges/sharded_ray.py [--bin-dir target/debug] [--shards 4] [--data 'embedded?split=test']

Exit status: 0 if all checks pass, 1 if one fails.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from evidence import DATA, FLOAT, INT8, MODELS, ROOT, TEST
from parity import COMPARED

SCRIPT = ROOT / "examples/sharded/ray_parity.py"

# Wraps the program, and kills the Ray worker that started it at the first request for shard 1.
KILLER = """#!/usr/bin/env python3
import os, signal, sys
if any(argument.startswith("1/") for argument in sys.argv) and not os.path.exists({mark!r}):
    open({mark!r}, "w").close()
    os.kill(os.getppid(), signal.SIGKILL)
os.execv({program!r}, [{program!r}, *sys.argv[1:]])
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin-dir", type=Path, default=ROOT / "target/debug")
    parser.add_argument("--shards", type=int, default=4)
    parser.add_argument("--data", default=TEST)
    arguments = parser.parse_args()
    program = str((arguments.bin_dir / "tailfold").resolve())
    models = ["--reference", str(MODELS / FLOAT), "--candidate", str(MODELS / INT8), "--data", arguments.data]
    # Each run uses one processor, so that the time shows the effect of sharing.
    environment = {**os.environ, "TAILFOLD_EMBEDDED": str(DATA), "RAYON_NUM_THREADS": "1"}

    def run(*command):
        begun = time.monotonic()
        done = subprocess.run([*command], env=environment, capture_output=True, text=True)
        return done, time.monotonic() - begun

    def ray(program, models=models):
        shards = ["--shards", str(arguments.shards)]
        return run(sys.executable, str(SCRIPT), "--program", program, *shards, *models, "--", "--json")

    failed = 0

    def check(name, holds, text):
        nonlocal failed
        failed += not holds
        print(f"{'ok' if holds else 'FAIL'} {name}: {text}", flush=True)

    single, alone = run(program, "parity", *models, "--json")
    check("one run", single.returncode in COMPARED, f"status {single.returncode}, {alone:.1f} s")
    shared, took = ray(program)
    same = (shared.returncode, shared.stdout) == (single.returncode, single.stdout)
    why = "" if same else f": {shared.stderr[-2000:]}"
    check("Ray", same, f"{arguments.shards} shards, status {shared.returncode}, {took:.1f} s with the start of Ray{why}")
    with tempfile.TemporaryDirectory() as folder:
        mark, killer = f"{folder}/killed", Path(folder) / "tailfold"
        killer.write_text(KILLER.format(mark=mark, program=program))
        killer.chmod(0o755)
        again, took = ray(str(killer))
        same = (again.returncode, again.stdout) == (single.returncode, single.stdout)
        why = "" if same else f": {again.stderr[-2000:]}"
        check("a killed worker", same and os.path.exists(mark), f"status {again.returncode}, {took:.1f} s{why}")
    wrong = [*models[:1], str(MODELS / "none.onnx"), *models[2:]]
    refused, _ = ray(program, wrong)
    named = refused.returncode == 2 and "none.onnx" in refused.stderr
    check("a model that is not there", named, f"status {refused.returncode}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
