"""Recomputes the gate's statistics on a thousand random tables with SciPy and statsmodels.

Logits are written as .npy, so this also checks the path for models that ran elsewhere.
"""

import json

import numpy as np
from onnx_checker import Verdict
from scipy.special import gammaln
from scipy.stats import beta
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

SEED = 20261126
# Number of runs, each with four tables: three groups and all images.
RUNS = 250
COUNTS = (500, 50, 5)
GROUPS = ("many", "medium", "few")
MARGIN = 0.05
LEFT_OUT = 1e-4
# Number of rates in the grid of this recomputation. Our own search also looks between them.
GRID = 300
# Exit statuses: pass, fail, error and inconclusive. The only accepted error is a reference at chance level.
COMPARED = (0, 1, 2, 3)


def tables_agree(evidence):
    generator = np.random.default_rng(SEED)
    policy = evidence.scratch / "tables.toml"
    margins = ", ".join(f"{group} = {100 * MARGIN}" for group in GROUPS)
    # The retained share is not a test statistic, so its rule is switched off.
    policy.write_text(f"overall_margin_pp = {100 * MARGIN}\ngroup_margin_pp = {{ {margins} }}\nmin_retained = 0.0\n")
    counts = evidence.scratch / "counts.txt"
    counts.write_text("\n".join(map(str, COUNTS)))
    files = {name: evidence.scratch / f"table-{name}.npy" for name in ("reference", "candidate", "labels")}
    worst, verdicts = 0.0, dict.fromkeys(["pass", "fail", "inconclusive"], 0)
    for run in range(RUNS):
        images = int(generator.integers(1, 50))
        labels = np.repeat(np.arange(3), images)
        right = draw(generator, len(labels))
        for name, side in zip(("reference", "candidate"), right):
            np.save(files[name], logits(generator, labels, side))
        np.save(files["labels"], labels)
        arguments = [f"--{name}={path}" for name, path in files.items()]
        arguments += [f"--counts={counts}", f"--policy={policy}", "--json"]
        report = json.loads(evidence.run("tailfold", "parity", *arguments, accepted=COMPARED))
        if report["verdict"] == "error" and report["decided_by"] != "chance":
            raise Verdict(f"run {run}: {report['reasons']}")
        for group, name in enumerate([*GROUPS, "overall"]):
            inside = labels == group if name != "overall" else np.full(len(labels), True)
            part = report["overall"] if name == "overall" else report["groups"][name]
            worst = max(worst, table_agrees(part, right[:, inside], f"run {run}, {name}"))
            verdicts[part["verdict"]] += 1
        holm_agrees(report["classes"], f"run {run}")
    if not all(verdicts.values()):
        raise Verdict(f"not every verdict occurs, so the tables are too similar: {verdicts}")
    return f"{4 * RUNS} tables (seed {SEED}): {verdicts}; p-values at the margin within {worst:.1e}, McNemar's and Holm's equal"


def draw(generator, images):
    """Draws which images each side classifies correctly, [2, images], for similar to very different sides."""
    reference = generator.random(images) < generator.uniform(0.4, 1.0)
    flips = generator.random(images) < generator.choice([0.0, 0.02, 0.1, 0.4])
    kept = generator.random(images) < generator.uniform(0.0, 0.6)
    return np.stack([reference, reference ^ (flips & ~kept)])


def logits(generator, labels, right):
    values = generator.normal(size=(len(labels), 3)).astype(np.float32)
    values[np.arange(len(labels)), np.where(right, labels, (labels + 1) % 3)] += 20
    return values


def table_agrees(part, right, place):
    """Error of the p-value at the margin; raises if it is too large."""
    gained, lost = int((right[1] & ~right[0]).sum()), int((right[0] & ~right[1]).sum())
    images = right.shape[1]
    if (part["gained"], part["lost"], part["images"]) != (gained, lost, images):
        counts = part["gained"], part["lost"], part["images"]
        raise Verdict(f"{place}: gained, lost and images are {counts}, expected {(gained, lost, images)}")
    both = int((right[0] & right[1]).sum())
    table = [[both, lost], [gained, images - both - lost - gained]]
    expected = float(mcnemar(table, exact=True).pvalue) if gained + lost else 1.0
    if not abs(part["mcnemar_p"] - expected) <= 1e-9 * expected:
        raise Verdict(f"{place}: McNemar's p is {part['mcnemar_p']}, expected {expected}")
    expected = p_above(gained, lost, images, -MARGIN)
    off = abs(part["margin_p"] - expected)
    if not off <= 2e-4 + 2e-3 * expected:
        raise Verdict(f"{place}: {gained} gained, {lost} lost of {images}: p {part['margin_p']}, expected {expected}")
    # At the bound, the p-value crosses the level.
    bound = part["lower_bound_pp"] / 100
    if bound > -1 and not p_above(gained, lost, images, bound) <= 0.0502:
        raise Verdict(f"{place}: the bound {bound} is not rejected")
    return off


def holm_agrees(classes, place):
    adjusted = multipletests([found["loss_p"] for found in classes], method="holm")[1]
    for found, expected in zip(classes, adjusted):
        if not abs(found["loss_p_holm"] - expected) <= 1e-9:
            raise Verdict(f"{place}: Holm's p is {found['loss_p_holm']}, expected {expected}")
        one_sided = float(mcnemar([[0, found["lost"]], [found["gained"], 0]], exact=True).pvalue) / 2
        if found["lost"] > found["gained"] and not abs(found["loss_p"] - one_sided) <= 1e-9:
            raise Verdict(f"{place}: the p of more lost than gained is {found['loss_p']}, expected {one_sided}")


def p_above(gained, lost, images, delta):
    """Probability of outcomes with at least the table's score, maximised over rates of lost images.

    The sum is over all outcomes. The rates are limited to Berger and Boos's interval, from the beta distribution.
    """
    discordant = gained + lost
    low = beta.ppf(LEFT_OUT / 2, discordant, images - discordant + 1) if discordant else 0.0
    high = beta.ppf(1 - LEFT_OUT / 2, discordant + 1, images - discordant) if discordant < images else 1.0
    first, last = max((low - delta) / 2, 0.0, -delta), min((high - delta) / 2, (1 - delta) / 2)
    if first > last:
        return LEFT_OUT if delta < (gained - lost) / images else 1.0
    g, l = (axis.ravel() for axis in np.meshgrid(np.arange(images + 1), np.arange(images + 1)))
    inside = g + l <= images
    g, l = g[inside], l[inside]
    seen = score(np.array([gained]), np.array([lost]), images, delta)[0]
    favourable = score(g, l, images, delta) >= seen - 1e-9 * max(abs(seen), 1)
    g, l = g[favourable], l[favourable]
    ways = gammaln(images + 1) - gammaln(g + 1) - gammaln(l + 1) - gammaln(images - g - l + 1)
    rates = np.linspace(first, last, GRID)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = [np.where(k > 0, k * np.log(np.maximum(p, 0)), 0.0)
                 for k, p in ((g, rates + delta), (l, rates), (images - g - l, 1 - 2 * rates - delta))]
        return min(float(np.exp(ways + sum(terms)).sum(axis=1).max()) + LEFT_OUT, 1.0)


def score(gained, lost, images, delta):
    """Tango's score. The maximum likelihood rate of lost images is the larger root of a quadratic equation."""
    if delta > 0:
        return -score(lost, gained, images, -delta)
    linear = (2 * images - gained + lost) * delta - gained - lost
    root = np.sqrt(np.maximum(linear**2 + 8 * images * lost * delta * (1 - delta), 0))
    rate = (root - linear) / (4 * images)
    variance, distance = images * (2 * rate + delta - delta**2), gained - lost - images * delta
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(variance > 0, distance / np.sqrt(variance), np.where(distance == 0, 0.0, np.inf * np.sign(distance)))
