"""Effect of each correction of `tailfold quantize` on many, medium and few: a table of paired differences to the float model.

    .venv/bin/python tests/judges/corrections.py --model 'fashion-lt=models/fashion-lt/fashion-lt.onnx' \\
        --calibration 'embedded?split=train' --test 'embedded?split=test' --bits 8 5 4 --out table

Writes OUT.md and OUT.json. `--bits` sets the bits of weights; activations have 8 bits. `tailfold parity` computes the
differences and their 90 % intervals (Tango's score intervals for paired proportions). Seeds vary the draw of calibration
images. No choice uses these results on the test images. Exit status: 0 all measured, 2 something failed.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from evidence import DATA, MODELS, ROOT, Evidence
from onnx_checker import Verdict

CORRECTIONS = {
    "none": ["--rounding", "nearest", "--correct", "none"],
    "equalize": ["--rounding", "nearest", "--correct", "equalize"],
    "bias": ["--rounding", "nearest", "--correct", "bias"],
    "rebalance": ["--rounding", "nearest", "--correct", "rebalance"],
    "adaptive": ["--rounding", "adaptive", "--correct", "none"],
    "adaptive, bias": ["--rounding", "adaptive", "--correct", "bias"],
    "adaptive, bias, rebalance": [],
}
GROUPS = ["many", "medium", "few"]


def measured(evidence, arguments, bits, flags, seed):
    """The report of `tailfold parity` on one quantization, and the values of its row."""
    out = evidence.scratch / "candidate.onnx"
    draw = ["--calibration", arguments.calibration, "--per-class", arguments.per_class, "--seed", seed]
    how = ["--weight-bits", bits, "--observer", arguments.observer, "--out", out]
    evidence.run("tailfold", "quantize", "--model", arguments.model[1], *draw, *how, *flags)
    pair = ["--reference", arguments.model[1], "--candidate", out, "--data", arguments.test]
    # The verdicts fail (1) and inconclusive (3) are accepted, because the table shows differences, not verdicts.
    report = json.loads(evidence.run("tailfold", "parity", *pair, "--json", accepted=(0, 1, 3)))
    if report.get("images", 0) == 0:
        raise Verdict(f"no image was compared: {report['reasons']}")
    groups = {name: report["groups"].get(name) for name in GROUPS}
    return {
        "seed": seed,
        "overall": difference(report["overall"]),
        "groups": {name: difference(group) for name, group in groups.items() if group},
        "agreement": report["agreement"],
        "flips": report["flips"],
        "toward_frequent": report["flips_toward_frequent"],
        "toward_rare": report["flips_toward_rare"],
    }


def difference(group):
    keys = ["images", "reference_top1", "candidate_top1", "delta_pp", "lower_bound_pp", "upper_bound_pp"]
    return {key: group[key] for key in keys}


def mean(values):
    return sum(values) / len(values)


def cell(runs, pick):
    """Mean difference over the draws, the interval of the first draw, and the range of several draws."""
    found = [pick(run) for run in runs]
    deltas = [one["delta_pp"] for one in found]
    text = f"{mean(deltas):+.2f} [{found[0]['lower_bound_pp']:+.2f}, {found[0]['upper_bound_pp']:+.2f}]"
    return text if len(found) == 1 else f"{text} ({min(deltas):+.2f} to {max(deltas):+.2f})"


def table(title, rows, groups):
    draws = len(rows[0]["runs"])
    spread = "90 % interval" if draws == 1 else f"mean of {draws} draws, 90 % interval of the first draw, range over the draws"
    lines = [
        f"# Corrections: {title}",
        "",
        f"Difference to the float model in percentage points ({spread}).",
        "",
        "| weights | correction | overall | " + " | ".join(groups) + " | agreement % | flips | toward frequent |",
        "|---|---|---|" + "---|" * len(groups) + "---|---|---|",
    ]
    for row in rows:
        runs = row["runs"]
        cells = [cell(runs, lambda run: run["overall"])]
        cells += [cell(runs, lambda run, name=name: run["groups"][name]) for name in groups]
        flips = [f"{mean([run[key] for run in runs]):.0f}" for key in ("flips", "toward_frequent")]
        agreement = f"{100 * mean([run['agreement'] for run in runs]):.2f}"
        lines.append("| " + " | ".join([f"{row['bits']} bits", row["correction"], *cells, agreement, *flips]) + " |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, help="NAME=FILE of the float model")
    parser.add_argument("--calibration", required=True, help="training images, as a data spec")
    parser.add_argument("--test", required=True, help="images that judge, as a data spec")
    parser.add_argument("--per-class", type=int, default=32, help="calibration images a class")
    parser.add_argument("--observer", default="mse")
    parser.add_argument("--bits", type=int, nargs="+", default=[8, 4])
    parser.add_argument("--seeds", type=int, default=1, help="draws of calibration images")
    parser.add_argument("--only", nargs="+", choices=CORRECTIONS, default=list(CORRECTIONS))
    parser.add_argument("--out", type=Path, required=True, help="files to write, without their endings")
    parser.add_argument("--bin-dir", type=Path, default=ROOT / "target/debug", help="folder of the programs")
    arguments = parser.parse_args()
    arguments.model = arguments.model.partition("=")[::2]
    with tempfile.TemporaryDirectory() as scratch:
        evidence = Evidence(arguments.bin_dir.resolve(), MODELS, DATA, Path(scratch))
        rows = []
        try:
            for bits in arguments.bits:
                for name in arguments.only:
                    runs = [measured(evidence, arguments, bits, CORRECTIONS[name], s) for s in range(arguments.seeds)]
                    rows.append({"bits": bits, "correction": name, "runs": runs})
                    print(table("", rows[-1:], list(runs[0]["groups"])).splitlines()[-1], flush=True)
        except Verdict as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
    first = rows[0]["runs"][0]
    accuracy = [f"{name} {100 * first['groups'][name]['reference_top1']:.2f}" for name in first["groups"]]
    title = f"{arguments.model[0]}: float {100 * first['overall']['reference_top1']:.2f} % ({', '.join(accuracy)})"
    about = {key: getattr(arguments, key) for key in ("per_class", "observer", "bits", "seeds")}
    report = {"model": arguments.model[0], **about, "rows": rows}
    arguments.out.with_suffix(".json").write_text(json.dumps(report, indent=1) + "\n")
    arguments.out.with_suffix(".md").write_text(table(title, rows, list(first["groups"])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
