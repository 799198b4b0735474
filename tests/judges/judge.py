"""Cross-checks of the programs against independent implementations on the same files.

    .venv/bin/python tests/judges/judge.py [--bin-dir target/debug] [--models models/fashion-lt]

Each check prints one line, `ok NAME: figures`, `FAIL NAME: why` or `skipped NAME: why`; the last line counts them.
Exit status: 0 if all checks that ran pass, 1 if one fails or none ran, 2 for a bad argument.
"""

import argparse
import sys
import tempfile
from functools import partial
from pathlib import Path

from action import action_tells_the_verdict
from agreement import float_agrees, int8_agrees
from chain import chain_is_right
from corrected import balance_is_kept, rounding_reduces_error
from evidence import DATA, MODELS, ROOT, Evidence, Skip
from folding import offsets_are_in_the_bias
from foreign import KINDS, foreign_agrees
from graphs import graph_is_valid, no_graph
from networks import NETWORKS, network_agrees
from nvidia import nvidia_parses
from odd_images import odd_images_are_answered
from onnx_checker import Verdict
from ort_backend import ort_backend_agrees, ort_refusals_say_why
from paired_tables import tables_agree
from parity import parity_is_right
from preprocessing import inputs_are_right
from report_page import junit_is_read, page_is_sound
from schemas import files_fit_their_schemas
from sharded import manifest_runs, workflow_runs
from solver import soft_masses_are_met, solver_is_exact
from solver_problems import PROBLEMS
from targets import LITE_AGREEMENT, TARGETS, lite0_agrees, published_resnet20_agrees, target_agrees
from third_party import Cases
from zoo import Zoo

PROGRAMS = ["tailfold", "tailfold-train"]


def programs_are_there(evidence):
    return ", ".join(evidence.run(name, "--version").strip() for name in PROGRAMS)


def checks(evidence):
    """Name and function of each check, cheapest first."""
    yield "programs", programs_are_there
    # A set, because one folder may lie below the other.
    paths = {path.resolve() for folder in (ROOT / "models", evidence.models) for path in folder.rglob("*.onnx")}
    for path in sorted(paths):
        name = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
        yield f"graph {name}", partial(graph_is_valid, path=path)
    if not paths:
        yield "graph", no_graph
    for name in PROBLEMS:
        yield f"solver, {name}", partial(solver_is_exact, name=name)
        yield f"solver, soft, {name}", partial(soft_masses_are_met, name=name)
    yield "preprocessing", inputs_are_right
    yield "float", float_agrees
    yield "int8", int8_agrees
    for target in TARGETS:
        yield f"target {target}", partial(target_agrees, target=target)
    yield "adaptive rounding", rounding_reduces_error
    yield "re-balancing", balance_is_kept
    yield "ort", ort_backend_agrees
    yield "ort refusals", ort_refusals_say_why
    yield "chain", chain_is_right
    yield "odd images", odd_images_are_answered
    yield "TensorRT", nvidia_parses
    yield "folding", offsets_are_in_the_bias
    yield "parity", parity_is_right
    yield "JUnit XML", junit_is_read
    yield "report page", page_is_sound
    yield "paired tables", tables_agree
    yield "schemas", files_fit_their_schemas
    yield "GitHub Action", action_tells_the_verdict
    yield "shards on GitHub Actions", workflow_runs
    yield "shards on Kubernetes", manifest_runs
    for kind in KINDS:
        yield f"foreign {kind}", partial(foreign_agrees, kind=kind)
    for target in TARGETS:
        yield f"published ResNet-20 {target}", partial(published_resnet20_agrees, target=target)
    for target in LITE_AGREEMENT:
        yield f"published EfficientNet-Lite0 {target}", partial(lite0_agrees, target=target)
    for kind in NETWORKS:
        yield f"network {kind}", partial(network_agrees, kind=kind)
    yield from Cases(evidence).checks()
    yield from Zoo(evidence).checks()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin-dir", type=Path, default=ROOT / "target/debug", help="folder of the programs")
    parser.add_argument("--models", type=Path, default=MODELS, help="folder of the two models (models/fashion-lt)")
    arguments = parser.parse_args()
    counts = dict.fromkeys(["ok", "FAIL", "skipped"], 0)
    with tempfile.TemporaryDirectory() as scratch:
        evidence = Evidence(arguments.bin_dir.resolve(), arguments.models.resolve(), DATA, Path(scratch))
        for name, check in checks(evidence):
            try:
                outcome, text = "ok", check(evidence)
            except Skip as reason:
                outcome, text = "skipped", str(reason)
            except Verdict as reason:
                outcome, text = "FAIL", str(reason)
            except Exception as error:  # Any other exception of a check counts as a failure.
                outcome, text = "FAIL", f"{type(error).__name__}: {error}"
            counts[outcome] += 1
            # Each check prints one line, even if the text of an error has several.
            print(f"{outcome} {name}: {' '.join(text.split())}", flush=True)
    print(f"{counts['ok']} passed, {counts['FAIL']} failed, {counts['skipped']} skipped")
    return 1 if counts["FAIL"] or not counts["ok"] else 0


if __name__ == "__main__":
    sys.exit(main())
