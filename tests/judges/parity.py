"""Recomputes the counts and statistics of `tailfold parity` from both sets of logits with NumPy and statsmodels."""

import json

import numpy as np
from evidence import FLOAT, INT8, TEST, largest_difference
from onnx_checker import Verdict
from statsmodels.stats.contingency_tables import mcnemar

# Exit statuses of a completed comparison: pass, fail, inconclusive.
COMPARED = (0, 1, 3)
# Relative tolerance for f64 arithmetic in another order.
TOLERANCE = 1e-9
# Absolute tolerance for differences of shares, which can be nearly 0. Shares of 3,000 images have steps of 3e-4.
FLOOR = 1e-12


def parity_is_right(evidence):
    arguments = ["--reference", evidence.file(FLOAT), "--candidate", evidence.file(INT8), "--data", TEST, "--json"]
    report = json.loads(evidence.run("tailfold", "parity", *arguments, accepted=COMPARED))
    expected = recomputed(evidence)
    if set(report["groups"]) != set(expected["groups"]):
        raise Verdict(f"groups {sorted(report['groups'])}, expected {sorted(expected['groups'])}")
    number = compare(report, expected, "")
    parts = {"overall": expected["overall"], **expected["groups"]}
    return f"{number} values alike; " + "; ".join(
        f"{name} {100 * part['reference_top1']:.2f} -> {100 * part['candidate_top1']:.2f} %, "
        f"{part['discordant']} discordant, p {part['mcnemar_p']:.4g}"
        for name, part in parts.items()
    )


def recomputed(evidence):
    """The part of the report that depends only on the logits, in the same form."""
    before, after = evidence.said(FLOAT), evidence.said(INT8)
    if not np.array_equal(before["labels"], after["labels"]):
        raise Verdict("the two models were scored on different labels")
    labels, counts = before["labels"], np.asarray(evidence.card(INT8, "train_counts"))
    choices = [said["logits"].argmax(axis=1) for said in (before, after)]
    right = [choice == labels for choice in choices]
    members = {"many": counts > 100, "medium": (counts >= 20) & (counts <= 100), "few": counts < 20}
    agreement = float((choices[0] == choices[1]).mean())
    return {
        "images": len(labels),
        "overall": {**paired(*right), **accuracies(*(float(side.mean()) for side in right))},
        "groups": {name: group(labels, right, classes) for name, classes in members.items() if classes.any()},
        "flips": int((choices[0] != choices[1]).sum()),
        "agreement": agreement,
        "max_abs_logit_diff": largest_difference(before["logits"], after["logits"]),
    }


def group(labels, right, classes):
    """Comparison on the classes where `classes` is true. Its accuracy is the mean recall of these classes."""
    seen = [k for k in np.flatnonzero(classes) if (labels == k).any()]
    means = [float(np.mean([side[labels == k].mean() for k in seen])) for side in right]
    inside = classes[labels]
    return {**paired(*(side[inside] for side in right)), **accuracies(*means)}


def accuracies(reference, candidate):
    return {"reference_top1": reference, "candidate_top1": candidate, "delta_pp": 100 * (candidate - reference)}


def paired(reference, candidate):
    """Counts of images by the sides that are correct, and McNemar's exact two-sided p-value."""
    gained, lost = int((~reference & candidate).sum()), int((reference & ~candidate).sum())
    both, neither = int((reference & candidate).sum()), int((~reference & ~candidate).sum())
    p = float(mcnemar([[both, lost], [gained, neither]], exact=True).pvalue) if gained + lost else 1.0
    return {"images": len(reference), "discordant": gained + lost, "gained": gained, "lost": lost, "mcnemar_p": p}


def compare(found, expected, place):
    """Compares every value of `expected`, which may be nested, and returns their number."""
    number = 0
    for key, value in expected.items():
        name = f"{place}.{key}".lstrip(".")
        if key not in found:
            raise Verdict(f"the report has no `{name}`")
        if isinstance(value, dict):
            number += compare(found[key], value, name)
            continue
        # Counts are compared exactly, and p-values relatively, even if they are tiny. A null is not a number.
        allowed = 0 if isinstance(value, int) else TOLERANCE * abs(value) + (0 if key == "mcnemar_p" else FLOOR)
        if not isinstance(found[key], (int, float)) or not abs(found[key] - value) <= allowed:
            raise Verdict(f"`{name}` is {found[key]}, expected {value}")
        number += 1
    return number
