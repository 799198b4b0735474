"""Logits that a gate must not pass: groups that the reference gets right by chance alone, and images that are copies."""

import numpy as np
from third_party_data import asked

CLASSES, EACH = 6, 200
COUNTS = [1000, 500, 90, 60, 15, 10]
POLICY = "overall_margin_pp = 0.5\ngroup_margin_pp = { many = 1.5, medium = 1.5, few = 1.5 }\n"
SEED = 20_261_202


def scores(labels, seed, right=0.95):
    """Logits that are right on a share of the rows."""
    rng = np.random.default_rng([SEED, seed])
    x = rng.normal(0, 1, (len(labels), CLASSES))
    hit = rng.random(len(labels)) < right
    wrong = (labels + rng.integers(1, CLASSES, len(labels))) % CLASSES
    x[np.arange(len(labels)), np.where(hit, labels, wrong)] += 8
    return x.astype(np.float32)


def gate(ask, name, reference, candidate, labels):
    folder = ask.fresh(name)
    for key, values in {"reference": reference, "candidate": candidate, "labels": labels}.items():
        np.save(folder / f"{key}.npy", values)
    (folder / "counts.txt").write_text("".join(f"{count}\n" for count in COUNTS))
    (folder / "policy.toml").write_text(POLICY)
    sides = [f"--{key}={folder / key}.npy" for key in ("reference", "candidate", "labels")]
    return ask.programs.run("tailfold", "parity", *sides, "--counts", folder / "counts.txt", "--policy", folder / "policy.toml")


def closely(logits):
    """A candidate that decides alike."""
    noise = np.random.default_rng([SEED, 99]).normal(0, 0.01, logits.shape)
    return (logits + noise).astype(np.float32)


LABELS = np.repeat(np.arange(CLASSES), EACH)


@asked("gate_holds", "gate")
def _holds(ask):
    """The control: a good reference and a candidate that decides alike."""
    reference = scores(LABELS, 0)
    done = gate(ask, "holds", reference, closely(reference), LABELS)
    if done.status != 0:
        ask.found.fails(done.reason())


@asked("gate_few_classes_dead", "gate")
def _dead(ask):
    """The reference never gets the rare classes: nothing can be lost there."""
    reference = scores(LABELS, 1)
    reference[LABELS >= 4, 4:] -= 40
    done = gate(ask, "dead", reference, closely(reference), LABELS)
    if done.status not in (2, 3):
        ask.found.fails(f"has to be 2 or 3: exit {done.status}")


@asked("gate_labels_exchanged", "gate")
def _exchanged(ask):
    """The labels of the two rare classes are exchanged."""
    reference = scores(LABELS, 2)
    labels = LABELS.copy()
    labels[LABELS == 4], labels[LABELS == 5] = 5, 4
    done = gate(ask, "exchanged", reference, closely(reference), labels)
    if done.status != 2:
        ask.found.fails(f"has to be 2, by chance in the group: exit {done.status}")


@asked("gate_rows_forty_times", "gate")
def _copies(ask):
    """Thirty rows, forty times each: they are thirty, or the copies are named."""
    rows = np.repeat(np.arange(CLASSES), 5)
    reference = scores(rows, 3, right=1.0)
    candidate = closely(reference)
    done = gate(ask, "copies", *(np.tile(x, (40, 1)) for x in (reference, candidate)), np.tile(rows, 40))
    text = done.out + done.err
    if done.status not in (2, 3) and not any(word in text for word in ("duplicate", "copies", "identical", "repeated")):
        ask.found.fails(f"has to be refused, or a warning has to name the copies: exit {done.status}")
