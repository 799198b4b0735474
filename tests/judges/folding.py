"""Checks that the bias of the last layer contains the class offsets and no other change."""

import numpy as np
from evidence import FLOAT, INT8, Skip, finite, largest_difference
from head import constant, find_head
from onnx_checker import Verdict
from safetensors.numpy import load_file

# Error of a bias or weight of magnitude up to 30 after rounding to f32.
ROUNDING = 1e-6
# Largest accepted difference relative to the largest logit, as in `tailfold verify`.
TOLERANCE = 1e-4


def offsets_are_in_the_bias(evidence):
    """Compares f64 scores from the head's input, plus the recorded offsets, with the logits of both runtimes."""
    model = evidence.model(FLOAT)
    gemm = find_head(model)
    weight, bias = constant(model, gemm.input[1]).astype(np.float64), constant(model, gemm.input[2]).reshape(-1)
    record = evidence.card(FLOAT, "offsets")
    offsets = np.asarray(record["offsets"], dtype=np.float32).astype(np.float64)
    if not len(offsets) == len(bias) == len(weight) == len(evidence.card(FLOAT, "classes")):
        raise Verdict(f"{len(offsets)} offsets, {len(bias)} biases and {len(weight)} rows of weights")
    finite(offsets, "an offset")
    features = evidence.answers(FLOAT, "plain", gemm.input[0]).astype(np.float64)
    kind, own_bias = own_head(evidence, weight, features)
    off = largest_difference(bias, own_bias + offsets)
    if off > ROUNDING:
        raise Verdict(f"a bias is {off:.2e} from the head's own plus the offset, allowed {ROUNDING:.0e}")

    raw = features @ weight.T + own_bias
    scores = raw + offsets
    allowed, distances = TOLERANCE * max(1.0, float(np.abs(scores).max())), []
    found = {"tailfold": evidence.said(FLOAT)["logits"], "ONNX Runtime": evidence.answers(FLOAT, "plain")}
    for who, logits in found.items():
        distance = largest_difference(logits, scores)
        if distance > allowed:
            raise Verdict(f"{who} is {distance:.2e} from scores plus offsets, allowed {allowed:.2e}")
        distances.append(f"{who} within {distance:.1e}")

    quantized = evidence.model(INT8)
    kept = constant(quantized, find_head(quantized).input[2]).reshape(-1)
    if evidence.card(INT8, "offsets") != record or kept.tobytes() != bias.tobytes():
        raise Verdict(f"{INT8} has other offsets or another bias than {FLOAT}")
    moved = int((raw.argmax(axis=1) != scores.argmax(axis=1)).sum())
    return (
        f"{kind}; bias within {off:.1e} of the offsets (origin `{record['origin']}`, largest {np.abs(offsets).max():.3f}, "
        f"{moved} of {len(raw)} decisions moved); scores plus offsets: {', '.join(distances)}; INT8: same bias"
    )


def own_head(evidence, weight, features):
    """Name of the head's kind, and its bias before folding, `[num_classes]`."""
    path = evidence.models / "checkpoint.safetensors"
    lengths = np.linalg.norm(weight, axis=1)
    if not (lengths > 0).all():
        raise Verdict(f"the weights of class {int((~(lengths > 0)).argmax())} are zeros or NaN")
    if path.is_file():
        recorded, found = evidence.card(FLOAT, "checkpoint_sha256"), evidence.sha256(path.name)
        if recorded != found:
            raise Verdict(f"{FLOAT} was made from checkpoint {recorded}, but {path.name} is {found}")
        checkpoint = load_file(path)
        trained = checkpoint["head.weight"].astype(np.float64)
        if "head.bias" in checkpoint:
            off = largest_difference(weight, trained)
            if off > ROUNDING:
                raise Verdict(f"a weight of the head is {off:.2e} from the checkpoint's, allowed {ROUNDING:.0e}")
            return "linear head, as in the checkpoint", checkpoint["head.bias"].astype(np.float64)
        off = largest_difference(weight / lengths[:, None], trained / np.linalg.norm(trained, axis=1, keepdims=True))
        if off > ROUNDING:
            raise Verdict(f"a direction of the head is {off:.2e} from the checkpoint's, allowed {ROUNDING:.0e}")
    scale = float(lengths.mean())
    spread = max(float(np.abs(lengths / scale - 1).max()), float(np.abs(np.linalg.norm(features, axis=1) - 1).max()))
    if spread <= 1e-4:
        seen = "as in the checkpoint" if path.is_file() else "no checkpoint to compare"
        return f"cosine head of scale {scale:.4g}, {seen}", np.zeros(len(weight))
    if path.is_file():
        raise Verdict(f"the checkpoint has no bias, yet a feature or weight is {spread:.1e} from its common length")
    raise Skip(f"the head is linear and there is no {path} to take its own bias from")
