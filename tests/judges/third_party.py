"""Models, pictures, folders and lists as other people have them: the right answer, or an error that says what is wrong.

    python tests/judges/third_party.py --bin-dir target/debug [--only NAME...] [--list] [--keep FOLDER] [--jobs 2]

Every model is generated, from a written seed, in two spellings: a plain one and one as somebody's exporter writes it.
ONNX Runtime's answer to the plain one is the right answer; the programs have to give it for the other one, quantize it by
default options, run all its layers with weights in integers, and read the file that they wrote without being told again
how images are prepared. One line per case: `ok NAME: figures`, `FAIL NAME: what`; the last line counts them.
Exit status: 0 all hold, 1 one does not or none ran, 2 a bad argument.
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
from onnx_checker import Verdict
from third_party_case import CASES
from third_party_check import Material, judged
from third_party_run import Programs

HERE = Path(__file__).resolve().parent


def outcome(case, material, programs):
    try:
        figures, failures = judged(case, material, programs)
    except Exception as error:  # A case that cannot be made fails as well.
        figures, failures = [], [f"{type(error).__name__}: {error}"]
    text = "; ".join(failures or figures)
    return "FAIL" if failures else "ok", case, " ".join(text.split())


class Cases:
    """All cases, some at a time, for judge.py: each is a check of its own that waits for its answer."""

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
        """Name and function of each."""
        for case in CASES.values():
            yield f"third-party {case.name}", self.check(case.name)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin-dir", type=Path, default=HERE.parents[1] / "target/debug", help="folder of the programs")
    parser.add_argument("--only", nargs="*", default=[], help="names of cases, or parts of them, or kinds such as F2")
    parser.add_argument("--list", action="store_true", help="names and kinds, nothing is run")
    parser.add_argument("--keep", type=Path, help="folder to leave the files in")
    parser.add_argument("--jobs", type=int, default=2, help="cases at a time")
    parser.add_argument("--ort", action="store_true", help="every case by --backend ort as well, not only where it matters")
    parser.add_argument("--generate", action="store_true", help="make the files and ask ONNX Runtime, run no program")
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
