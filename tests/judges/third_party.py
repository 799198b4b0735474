"""Checks third-party models, images, folders and lists: each gets the right answer, or an error that names the problem.

    python tests/judges/third_party.py --bin-dir target/debug [--only NAME...] [--list] [--keep FOLDER] [--jobs 2]

Every model is generated twice from a fixed seed: in a plain form, and in the form that some exporter writes (the odd
form). ONNX Runtime's answer to the plain form is the expected answer. The programs have to give it for the odd form,
quantize the odd form with default options, run all its layers with weights by integer kernels, and read the INT8 file
without flags for preprocessing. Prints one line per case, `ok NAME: figures` or `FAIL NAME: reason`, then the counts.
Exit status: 0 if all cases pass, 1 if one fails or none ran, 2 for a bad argument.
"""

import argparse
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import third_party_constants  # noqa: F401 (registers cases)
import third_party_data  # noqa: F401
import third_party_files  # noqa: F401
import third_party_hostile  # noqa: F401
import third_party_inputs  # noqa: F401
import third_party_operators  # noqa: F401
import third_party_shapes  # noqa: F401
import third_party_transformers  # noqa: F401
import third_party_work  # noqa: F401
from onnx_checker import Verdict
from third_party_case import CASES
from third_party_check import Material, judged
from third_party_run import Programs

HERE = Path(__file__).resolve().parent


def outcome(case, material, programs):
    try:
        figures, failures = judged(case, material, programs)
    except Exception as error:  # A case that cannot be built counts as failed.
        figures, failures = [], [f"{type(error).__name__}: {error}"]
    text = "; ".join(failures or figures)
    return "FAIL" if failures else "ok", case, " ".join(text.split())


class Cases:
    """All cases as checks of judge.py: a pool runs `jobs` cases at a time, and each check waits for its own case."""

    def __init__(self, evidence, jobs=2):
        self.material, self.programs = Material(evidence.scratch / "third-party"), Programs(evidence.bins)
        self.pool, self.answers = ThreadPoolExecutor(jobs), {}

    def check(self, name):
        def waits(_evidence):
            if not self.answers:
                run = partial(outcome, material=self.material, programs=self.programs)
                self.answers = {case.name: self.pool.submit(run, case) for case in CASES.values()}
            state, _, text = self.answers[name].result()
            if state == "FAIL":
                raise Verdict(text)
            return text

        return waits

    def checks(self):
        """Yields the name and the function of each check."""
        for case in CASES.values():
            yield f"third-party {case.name}", self.check(case.name)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin-dir", type=Path, default=HERE.parents[1] / "target/debug", help="folder of the programs")
    parser.add_argument("--only", nargs="*", default=[], help="names of cases, or parts of them, or kinds such as F2")
    parser.add_argument("--list", action="store_true", help="print names and kinds, run nothing")
    parser.add_argument("--keep", type=Path, help="folder to keep the files in")
    parser.add_argument("--jobs", type=int, default=2, help="number of cases that run at a time")
    parser.add_argument("--ort", action="store_true", help="run all cases with --backend ort, not only ON_ORT")
    parser.add_argument("--generate", action="store_true", help="write the files and run ONNX Runtime, but no program")
    arguments = parser.parse_args()
    wanted = [
        case
        for case in CASES.values()
        if not arguments.only or any(part == case.kind or part in case.name for part in arguments.only)
    ]
    if arguments.list:
        print("\n".join(f"{case.kind:5} {case.name}" for case in wanted))
        return 0
    counts = dict.fromkeys(["ok", "FAIL"], 0)
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(arguments.jobs) as pool:
        material = Material(arguments.keep or Path(scratch))
        programs = None if arguments.generate else Programs(arguments.bin_dir.resolve(), arguments.ort)
        for state, case, text in pool.map(lambda case: outcome(case, material, programs), wanted):
            counts[state] += 1
            print(f"{state} {case.name} ({case.kind}): {text}", flush=True)
    print(f"{counts['ok']} passed, {counts['FAIL']} failed, 0 skipped")
    return 1 if counts["FAIL"] or not counts["ok"] else 0


if __name__ == "__main__":
    sys.exit(main())
