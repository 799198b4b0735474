"""Finds the settings of the peers in bench_sdot.py: a race over a fixed grid, for each problem and each stop.

    VENV/bin/python tests/judges/sdot_tune.py [--case large inner] [--stop hard 1.0] [--peer ott ...] [--seconds 10]

Every setting of a peer runs for `--seconds` or until the stop. If no setting reaches the stop, the best quarter by
chi-square runs four times as long. The fastest setting, or without a stop the nearest, is written to sdot_settings.json
with all other results. A peer without an entry there does not take part.
"""

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from sdot_problem import inner, large
from sdot_stop import SPACING

HERE = Path(__file__).resolve().parent
SETTINGS = HERE / "sdot_settings.json"
WORKER = HERE / "sdot_peers.py"


# Factor between the times of checks in a race.
COARSE = 1.5


def product(**axes):
    return [dict(zip(axes, values)) for values in itertools.product(*axes.values())]


def grid(peer, classes, soft):
    """Settings of a peer. Temperatures are in units of scores, whose standard deviation in a row is 2."""
    if peer == "pot-asgd":
        # The gradient is a difference of masses, so a rate is in units of scores. The default, reg * n, diverges.
        return product(reg=[soft] if soft else [0.2, 0.05], lr=[0.3, 1.0, 3.0, 10.0, 30.0, 100.0])
    if peer == "pot-sag":
        # The steps are divided by n twice, so lr / n is comparable with the other solver. The default is reg * n.
        return product(reg=[soft] if soft else [0.2, 0.05], lr=[30.0, 300.0, 3000.0, 30000.0])
    if peer == "pot-sinkhorn":
        methods = product(method=["sinkhorn", "sinkhorn_log"], dtype=["float32", "float64"])
        regs = [soft] if soft else [0.3, 0.1, 0.05, 0.02]
        # With lower temperatures, scalings overflow in single precision.
        least = {("sinkhorn", "float32"): 0.2, ("sinkhorn", "float64"): 0.04}
        pairs = itertools.product(regs, methods)
        return [{"reg": reg, **one} for reg, one in pairs if reg >= least.get(tuple(one.values()), 0)]
    # The grid varies rates first, and then other settings one at a time. OTT's default mean of the potential (0.99) is
    # nearly its last value.
    middle = {"optimizer": "adam", "lr": 0.1, "batch": 512, "ema": 0.02, "decay": 30}
    plain = {**middle, "optimizer": "sgd", "lr": 30.0}
    found = [middle, plain]
    found += [{**middle, **change} for change in ({"lr": 0.3}, {"lr": 0.03}, {"batch": 2048}, {"ema": 0.99}, {"ema": 0.1})]
    found += [{**middle, "decay": decay} for decay in (10, 300)]
    # With many classes, smaller steps and a longer mean may help.
    found += [{**middle, "lr": lr, "batch": 2048, "ema": 0.005} for lr in (0.1, 0.03)]
    found += [{**plain, **change} for change in ({"lr": 100.0}, {"lr": 10.0}, {"batch": 2048})]
    found = [{"reg": soft or 0.0, **one} for one in found]
    if not soft:
        found += [{"reg": 0.02, **one} for one in (middle, plain)]
    chunk = 5 if classes > 500 else 10
    return [{**one, "chunk": chunk} for one in found]


PEERS = ["ott", "pot-sinkhorn", "pot-asgd", "pot-sag"]


def problems():
    """Name and function of each tuned problem. A warm start uses the settings of the cold start."""
    yield "large", large
    yield "inner", inner


def environment(threads):
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    return {**os.environ, **dict.fromkeys(names, str(threads)), "JAX_PLATFORMS": "cpu"}


def run(peer, setting, problem, soft, limit, threads=2, spacing=SPACING):
    """The result of sdot_peers.py for a run. A failed run has the last line of its error."""
    command = [sys.executable, WORKER, problem, json.dumps({"peer": peer, **setting}), "--limit", str(limit), "--spacing", str(spacing)]
    command += ["--soft", str(soft)] if soft else []
    # Thread pools without such a variable have as many threads as processors in the process's affinity.
    pin = set(sorted(os.sched_getaffinity(0))[:threads])
    done = subprocess.run(
        list(map(str, command)),
        env=environment(threads),
        capture_output=True,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, pin),
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"status {done.returncode}"]
        return {"setting": setting, "reached": False, "chi_square": float("inf"), "seconds": 0.0, "error": lines[-1]}
    return json.loads(done.stdout)


def better(run):
    return (0, run["seconds"]) if run["reached"] else (1, run["chi_square"])


def raced(peer, problem, classes, soft, seconds, threads):
    """The best setting, and the result of every setting."""
    first = []
    for one in grid(peer, classes, soft):
        # A setting is stopped when it takes longer than the fastest so far.
        known = [other["seconds"] for other in first if other["reached"]]
        first.append(run(peer, one, problem, soft, min([seconds, *known]), threads, COARSE))
        print(json.dumps(summary(first[-1])), file=sys.stderr, flush=True)
    tried = [summary(one) for one in first]
    best = sorted(first, key=better)
    if not best[0]["reached"]:
        again = [one["setting"] for one in best[: max(len(best) // 4, 2)] if "error" not in one]
        second = [run(peer, without_peer(one), problem, soft, 4 * seconds, threads, COARSE) for one in again]
        tried += [summary(one) for one in second]
        best = sorted(second, key=better) or best
    return {"setting": without_peer(best[0]["setting"]), "best": summary(best[0]), "tried": tried}


def without_peer(setting):
    return {key: value for key, value in setting.items() if key != "peer"}


def summary(run):
    keys = ("reached", "seconds", "cpu_seconds", "chi_square", "iterations", "compile_seconds", "peak_rss_bytes", "error")
    return {"setting": without_peer(run["setting"]), **{key: run[key] for key in keys if key in run}}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--case", nargs="+", default=["inner", "large"], choices=["inner", "large"])
    parser.add_argument("--stop", nargs="+", default=["hard", "1.0", "0.1"], help="hard, or temperatures of soft masses")
    parser.add_argument("--peer", nargs="+", default=PEERS, choices=PEERS)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    found = json.loads(SETTINGS.read_text()) if SETTINGS.exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        for name, make in problems():
            if name not in arguments.case:
                continue
            problem, path = make(), Path(folder) / f"{name}.safetensors"
            problem.save(path)
            for stop, peer in itertools.product(arguments.stop, arguments.peer):
                soft = None if stop == "hard" else float(stop)
                race = raced(peer, path, problem.shape[1], soft, arguments.seconds, arguments.threads)
                found.setdefault(name, {}).setdefault(stop, {})[peer] = race
                best = race["best"]
                print(name, stop, peer, json.dumps(best), flush=True)
                SETTINGS.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
