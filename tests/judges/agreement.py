"""Checks the top-1 agreement of tailfold's runtime with ONNX Runtime on the test images."""

import numpy as np
from evidence import FLOAT, INT8, largest_difference, some
from head import find_head
from onnx import numpy_helper
from onnx_checker import LEVELS, Verdict

# Two logits nearer than this count as a tie, because f32 sums in another order may exchange them. Such images are listed.
TIE = 1e-4
# Largest accepted share of ties. More of them would mean that the model does not separate classes.
MOST_TIES = 0.01
# Largest accepted difference of a float logit, relative to the largest logit: some dozen layers of a few hundred f32
# additions in another order. `tailfold verify` has the same limit.
TOLERANCE = 1e-4
# Smallest accepted top-1 agreement on an INT8 model. The runtimes add in different orders, so a sum between two quantized
# values may round to the other one, and later layers propagate the difference.
INT8_AGREEMENT = 0.99


def float_agrees(evidence):
    said = evidence.said(FLOAT)["logits"]
    top = np.sort(evidence.answers(FLOAT, "plain").astype(np.float64), axis=1)
    tied = top[:, -1] - top[:, -2] < TIE
    figures = [f"{len(said)} images"]
    for level in LEVELS:
        found = evidence.answers(FLOAT, level)
        differs = said.argmax(axis=1) != found.argmax(axis=1)
        clearly = np.flatnonzero(differs & ~tied)
        if len(clearly):
            raise Verdict(f"ONNX Runtime ({level}) has another top-1 class for {len(clearly)} images without a tie: {some(clearly)}")
        distance, allowed = largest_difference(said, found), TOLERANCE * max(1.0, float(np.abs(found).max()))
        if distance > allowed:
            raise Verdict(f"ONNX Runtime ({level}) differs by {distance:.2e} in a logit, allowed {allowed:.2e}")
        among = f" ({int(differs.sum())} differ among the ties)" if differs.any() else ""
        figures.append(f"{level}: agreement {100 * (1 - differs.mean()):.2f} %{among}, logits within {distance:.1e}")
    if tied.mean() > MOST_TIES:
        most = f"at most {100 * MOST_TIES:g} % may"
        raise Verdict(f"{int(tied.sum())} of {len(said)} images have their top two logits within {TIE:.0e}, {most}")
    ties = np.flatnonzero(tied)
    figures.append(f"top two within {TIE:.0e}: " + (f"images {', '.join(map(str, ties))}" if len(ties) else "no image"))
    return "; ".join(figures)


def int8_agrees(evidence):
    recorded, found = evidence.card(INT8, "quantization")["float_sha256"], evidence.sha256(FLOAT)
    if recorded != found:
        raise Verdict(f"{INT8} was made from the float file {recorded}, but {FLOAT} is {found}")
    said = evidence.said(INT8)["logits"]
    figures = [f"{len(said)} images"]
    for level in LEVELS:
        found = evidence.answers(INT8, level)
        share = float((said.argmax(axis=1) == found.argmax(axis=1)).mean())
        # Optimizations may replace the graph's own arithmetic, so the limit holds only for the plain graph.
        if level == "plain" and share < INT8_AGREEMENT:
            found = f"agreement {100 * share:.2f} % on {len(said)} images, required {100 * INT8_AGREEMENT:g} %"
            raise Verdict(f"ONNX Runtime ({level}): {found}")
        distance, scale = largest_difference(said, found), head_scale(evidence)
        steps = f" ({distance / scale:.1f} steps of the head's input)" if scale else ""
        figures.append(f"{level}: agreement {100 * share:.2f} %, logits within {distance:.2e}{steps}")
    return "; ".join(figures)


def head_scale(evidence):
    """Scale of the head's quantized input; `None` for a float head."""
    model = evidence.model(INT8)
    tensor = find_head(model).input[0]
    maker = next((node for node in model.graph.node if tensor in node.output), None)
    if maker is None or maker.op_type != "DequantizeLinear":
        return None
    constants = {constant.name: constant for constant in model.graph.initializer}
    return float(numpy_helper.to_array(constants[maker.input[1]]))
