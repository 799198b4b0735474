"""Agreement of quantized files with the float model, and their accuracy."""

import math
import sys

import numpy as np
import onnx
from evidence import finite
from foreign import scored
from onnx_checker import LEVELS, session
from targets import BATCH


def decisions(evidence, net, files):
    """Agreement and accuracy of every file on the evaluation images, in each runtime that it is made for."""
    said = scored(evidence, net.carded, net.judged, f"{net.name}-judged")
    inputs, expected = said["inputs"], said["logits"].argmax(axis=1)
    labels = said["labels"] if net.labels is None else net.labels
    rows, classes = [], {}
    for observer, whose, runtimes, path in files:
        for runtime in runtimes:
            found = by_tailfold(evidence, net, path) if runtime == "tailfold" else by_onnxruntime(path, inputs, runtime)
            classes[observer, whose, runtime] = found
            row = {"observer": observer, "runtime": runtime, "whose": whose}
            row["agreement"] = float((found == expected).mean())
            row["accuracy"] = float((found == labels).mean())
            rows.append(row)
            said = f"{observer}, {whose}, {runtime}: agreement {100 * row['agreement']:.2f} %"
            print(f"{net.title}, {said}", file=sys.stderr, flush=True)
    for row in rows:
        mine = classes[row["observer"], "ours", row["runtime"]]
        other = classes[row["observer"], row["whose"], row["runtime"]]
        row["only_ours_agree"], row["only_theirs_agree"] = discordant(mine == expected, other == expected)
        row["p"] = sign_test(row["only_ours_agree"], row["only_theirs_agree"])
    return {
        "judged_images": len(labels),
        "float_accuracy": float((expected == labels).mean()),
        "decisions": rows,
    }


def by_onnxruntime(path, inputs, level):
    runner = session(onnx.load(path), LEVELS[level])
    name = runner.get_inputs()[0].name
    parts = [runner.run(None, {name: inputs[i : i + BATCH]})[0] for i in range(0, len(inputs), BATCH)]
    logits = np.concatenate(parts)
    finite(logits, f"a logit of {path.name}")
    return logits.argmax(axis=1)


def by_tailfold(evidence, net, path):
    """Runs a file in tailfold, with metadata about preprocessing, which neither quantizer had."""
    model = onnx.load(path)
    del model.metadata_props[:]
    carded = path.with_suffix(".card.onnx")
    onnx.save(net.card(model), carded)
    logits = scored(evidence, carded, net.judged, path.stem)["logits"]
    finite(logits, f"a logit of {path.name}")
    return logits.argmax(axis=1)


def discordant(mine, other):
    """Numbers of images on which only one of two files agrees with the float model."""
    return int((mine & ~other).sum()), int((other & ~mine).sum())


def sign_test(a, b):
    """Exact two-sided p-value of a split of `a + b` images into `a` and `b` (McNemar's test)."""
    tail = sum(math.comb(a + b, k) for k in range(min(a, b) + 1))
    return min(1.0, 2 * tail / 2 ** (a + b))
