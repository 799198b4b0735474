"""Compares the solver with POT and OTT-JAX: time to the same stop on the same problem, and growth of the solver's time.

    python3 -m venv VENV && VENV/bin/pip install -r tests/judges/requirements-sdot.txt
    cargo build --release -p tailfold-sdot --example solve
    VENV/bin/python tests/judges/bench_sdot.py --program target/release/examples/solve [--peers all|none] [--rounds 3] \\
        [--report docs/bench/sdot.json] [--markdown docs/bench/sdot.md] [--plot docs/bench/sdot.svg] \\
        [--case large inner inner-warm-1 inner-warm-5 inaturalist growth]

The stop is `sum (m - nu)^2 / nu < 1e-3`. The same evaluator in double precision (sdot_problem.py) checks it for every
contender, and its time does not count (sdot_stop.py). One comparison is for hard cells, in which an entropic solver may
have any temperature; the other is for soft masses at a given temperature. In each round every contender runs once, ours
first, and ratios are per round. sdot_peers.py describes which time counts for peers, and sdot_tune.py finds their settings.
Exit status: 0 measured, 1 ours missed a stop, 2 something is missing.
"""

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np
import sdot_growth
import sdot_ours
import sdot_problem
from sdot_report import markdown
from sdot_stop import TOLERANCE
from sdot_tune import PEERS, SETTINGS, run, summary

# Upper limits for the largest case: seconds of wall time, bytes and chi-square.
GOALS = {"seconds": 120, "peak_rss_bytes": 2 << 30, "chi_square": TOLERANCE}
STOPS = ("hard", "1.0", "0.1")


def spread(values):
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


def beside(arguments, folder, name, problem, tuned_as):
    """Runs every contender on one problem, for every stop."""
    path = folder / f"{name}.safetensors"
    problem.save(path)
    settings = json.loads(SETTINGS.read_text()).get(tuned_as, {}) if arguments.peers == "all" else {}
    return [compared(arguments, path, problem, stop, settings.get(stop, {}), calls(tuned_as)) for stop in arguments.stop]


def calls(tuned_as):
    """Number of calls of our solver per process. Training makes thousands of calls, so the first call does not count for
    small problems. Nor do OTT-JAX's first step and POT's calls that count the iterations of Sinkhorn."""
    return 8 if tuned_as == "inner" else 1


def compared(arguments, path, problem, stop, races, repeat):
    soft = None if stop == "hard" else float(stop)
    ours, theirs = [], {peer: [] for peer in PEERS if peer in races}
    for number in range(arguments.rounds):
        ours.append(sdot_ours.solved(arguments, path, problem, soft, repeat))
        said(path.stem, stop, "ours", ours[-1])
        for peer, runs in theirs.items():
            # A contender that misses the stop in one round does not run in later rounds: the limit is its result.
            if runs and not runs[-1]["reached"]:
                continue
            setting = races[peer]["setting"]
            runs.append(run(peer, setting, path, soft, arguments.limit, arguments.threads) | {"round": number})
            said(path.stem, stop, peer, runs[-1])
    start = np.zeros(len(problem.target)) if problem.warm_start is None else problem.warm_start
    at_start = sdot_problem.chi_square(problem, start, soft)
    found = {"stop": stop, "chi_square_at_start": at_start, "ours": ours, "ours_wall": spread([one["seconds"] for one in ours])}
    found["ours_cpu"] = spread([one["cpu_seconds"] for one in ours])
    found["peers"] = {peer: ratios(runs, ours) | {"tuning": races[peer]["tried"]} for peer, runs in theirs.items()}
    return found


def ratios(runs, ours):
    """Ratios of peers to ours per round; `least_ratio` instead if the peer did not reach the stop."""
    found = {"runs": [summary(one) for one in runs], "reached": all(one["reached"] for one in runs)}
    failed = any("error" in one for one in runs)
    for name, key in (("wall", "seconds"), ("cpu", "cpu_seconds")):
        if found["reached"]:
            pairs = [(one[key], ours[one["round"]][key]) for one in runs]
            found[name] = spread([theirs for theirs, _ in pairs])
            found[f"{name}_ratio"] = spread([theirs / mine for theirs, mine in pairs])
        elif not failed:
            found[f"{name}_least_ratio"] = runs[-1][key] / ours[runs[-1]["round"]][key]
    return found


def said(problem, stop, who, run):
    wall, cpu = run["seconds"], run.get("cpu_seconds", 0.0)
    how = "reached" if run["reached"] else "NOT reached"
    text = f"{problem}, {stop}, {who}: {how}, wall {wall:.3f} s, processor {cpu:.3f} s, chi-square {run['chi_square']:.2e}"
    print(text, file=sys.stderr, flush=True)


def warmed(arguments, folder, problem, part):
    """The drifted problem, with the solution before the drift as its start. That solution costs no contender time."""
    path = folder / "before.safetensors"
    problem.save(path)
    moved = sdot_problem.drifted(problem, part)
    moved.warm_start = sdot_ours.solved(arguments, path, problem, None)["offsets"]
    return moved


def inaturalist(arguments, folder):
    """Runs only our solver, once per round, and compares it with its goals."""
    problem, path = sdot_problem.inaturalist(), folder / "inaturalist.safetensors"
    problem.save(path)
    runs = [sdot_ours.solved(arguments, path, problem, None) for _ in range(arguments.rounds)]
    for one in runs:
        said("inaturalist", "hard", "ours", one)
    worst = {key: max(one[key] for one in runs) for key in GOALS}
    goals = {key: {"goal": goal, "worst": worst[key], "met": worst[key] < goal} for key, goal in GOALS.items()}
    # The chi-square of one sample too many or too few in every class, for comparison with the goal.
    floor = float((1 / (problem.target * len(problem.features) ** 2)).sum())
    return {"goals": goals, "one_sample_a_class": floor, "wall": spread([one["seconds"] for one in runs]), "runs": runs}


def cases(arguments, folder):
    inner = sdot_problem.inner()
    makers = {
        "large": lambda: beside(arguments, folder, "large", sdot_problem.large(), "large"),
        "inner": lambda: beside(arguments, folder, "inner", inner, "inner"),
        "inner-warm-1": lambda: beside(arguments, folder, "inner-warm-1", warmed(arguments, folder, inner, 0.01), "inner"),
        "inner-warm-5": lambda: beside(arguments, folder, "inner-warm-5", warmed(arguments, folder, inner, 0.05), "inner"),
        "inaturalist": lambda: inaturalist(arguments, folder),
        "growth": lambda: sdot_growth.growth(arguments, folder),
    }
    return {name: makers[name]() for name in arguments.case}


def slim(found):
    """The report without its long parts: solutions and traces."""
    if isinstance(found, dict):
        return {key: slim(one) for key, one in found.items() if key not in ("offsets", "trace", "tuning")}
    return [slim(one) for one in found] if isinstance(found, list) else found


def main():
    names = ["inner", "inner-warm-1", "inner-warm-5", "large", "inaturalist", "growth"]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", type=Path, required=True, help="the example `solve`")
    parser.add_argument("--peers", choices=["all", "none"], default="all")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=float, default=300, help="seconds that a peer has for the stop (300)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--method", default="auto", help="of ours")
    parser.add_argument("--stop", nargs="+", default=list(STOPS), help="hard, or temperatures of soft masses")
    parser.add_argument("--case", nargs="+", choices=names, default=names)
    parser.add_argument("--machine", default="", help="what the results were measured on, for the record")
    parser.add_argument("--report", type=Path, help="file for all figures, as JSON")
    parser.add_argument("--markdown", type=Path, help="file for the tables")
    parser.add_argument("--plot", type=Path, help="file for the growth, as SVG")
    arguments = parser.parse_args()
    if not arguments.program.is_file():
        print(f"error: there is no {arguments.program}", file=sys.stderr)
        return 2
    arguments.program = arguments.program.resolve()
    report = {"schema": "tailfold.bench-sdot/1", "tolerance": TOLERANCE, "seed": sdot_problem.SEED}
    report |= {key: getattr(arguments, key) for key in ("machine", "rounds", "limit", "threads", "method")}
    with tempfile.TemporaryDirectory() as folder:
        report["cases"] = cases(arguments, Path(folder))
    text = markdown(report)
    print(text)
    if arguments.markdown:
        arguments.markdown.write_text(text)
    if arguments.plot and "growth" in report["cases"]:
        sdot_growth.draw(report["cases"]["growth"], arguments.plot)
    if arguments.report:
        arguments.report.write_text(json.dumps(slim(report), indent=1) + "\n")
    rows = [row for name in names[:4] for row in report["cases"].get(name, [])]
    return 0 if all(one["reached"] for row in rows for one in row["ours"]) else 1


if __name__ == "__main__":
    sys.exit(main())
