"""Prints PyTorch's values and gradients of the training losses, which `crates/tailfold-train/src/loss/tests.rs` compares.

Made with Python 3.11 and torch==2.9.0 on the CPU:

    pip install torch==2.9.0
    python tests/judges/losses.py > crates/tailfold-train/testdata/losses.json

Inputs are rounded to f32 and all later values are f64, so that a comparison in f32 starts from the same numbers. Each loss
follows the formula of its paper, sample by sample where possible, and shares no code with ours.
"""

import json

import torch
import torch.nn.functional as F

TEMPERATURE = 0.1
# Class 4 has one image, which is an anchor without a positive. Classes 1 and 2 have no image in this batch.
LABELS = [0, 3, 0, 4, 3, 0, 3]
CLASSES = 5
DIM = 6
# Training images of each class, for losses that depend on them.
COUNTS = [300, 120, 45, 13, 4]
# The authors' settings of LDAM: largest margin 0.5, scale 30, deferred weights with beta 0.9999.
MAX_MARGIN, SCALE, BETA = 0.5, 30.0, 0.9999
GAMMAS = [0.5, 2.0]
TAUS = [1.0, 1.5]


def focal(scores, labels, gamma):
    """Lin et al. (ICCV 2017), eq. 4, without alpha, averaged over the samples."""
    losses = []
    for row, label in zip(scores, labels):
        p = torch.softmax(row, 0)[label]
        losses.append(-((1 - p) ** gamma) * torch.log(p))
    return torch.stack(losses).mean()


def ldam(cosines, labels, weights):
    """Cao et al. (NeurIPS 2019) with a cosine classifier, weighted as `torch.nn.CrossEntropyLoss` does."""
    margins = torch.tensor(COUNTS).double() ** -0.25
    margins = margins * (MAX_MARGIN / margins.max())
    moved = cosines.clone()
    for i, label in enumerate(labels):
        moved[i, label] = cosines[i, label] - margins[label]
    return F.cross_entropy(SCALE * moved, torch.tensor(labels), weight=weights)


def deferred_weights():
    """Inverse effective numbers (Cui et al., CVPR 2019), normalised to sum C."""
    weights = (1 - BETA) / (1 - BETA ** torch.tensor(COUNTS).double())
    return weights / weights.sum() * CLASSES


def logit_adjusted(scores, labels, tau):
    """Menon et al. (ICLR 2021), eq. 10: the softmax weighted by the prior's power, as a product."""
    prior = torch.tensor(COUNTS).double() / sum(COUNTS)
    losses = []
    for row, label in zip(scores, labels):
        weighted = prior**tau * torch.exp(row)
        losses.append(-torch.log(weighted[label] / weighted.sum()))
    return torch.stack(losses).mean()


def contrastive(points, labels, temperature):
    """Khosla et al. (NeurIPS 2020), eq. 2, averaged over the anchors that have a positive."""
    losses = []
    for i, anchor in enumerate(points):
        others = [j for j in range(len(points)) if j != i]
        positives = [j for j in others if labels[j] == labels[i]]
        if positives:
            logits = {j: anchor @ points[j] / temperature for j in others}
            log_sum = torch.logsumexp(torch.stack([logits[j] for j in others]), 0)
            losses.append(-sum(logits[j] - log_sum for j in positives) / len(positives))
    return torch.stack(losses).mean()


def balanced_contrastive(points, prototypes, labels, temperature):
    """Zhu et al. (CVPR 2022): one mean of exponentials per class, with prototypes of every class in the contrast set."""
    losses = []
    for i, anchor in enumerate(points):
        members = {
            j: [points[k] for k in range(len(points)) if k != i and labels[k] == j] + [prototypes[j]]
            for j in range(len(prototypes))
        }
        exponential = {j: [torch.exp(anchor @ z / temperature) for z in zs] for j, zs in members.items()}
        denominator = sum(sum(es) / len(es) for es in exponential.values())
        positives = exponential[labels[i]]
        losses.append(-sum(torch.log(e / denominator) for e in positives) / len(positives))
    return torch.stack(losses).mean()


def draw(generator, *shape):
    return torch.randn(*shape, generator=generator, dtype=torch.float32)


def golden(loss, *inputs):
    """The value of the loss, and its gradient for each input."""
    inputs = [x.clone().requires_grad_() for x in inputs]
    value = loss(*inputs)
    value.backward()
    return {"loss": value.item(), "gradients": [x.grad.tolist() for x in inputs]}


generator = torch.Generator().manual_seed(20250117)
scores = (3 * draw(generator, len(LABELS), CLASSES)).double()
shift = draw(generator, CLASSES).double()
points = F.normalize(draw(generator, len(LABELS), DIM)).double()
prototypes = F.normalize(draw(generator, CLASSES, DIM)).double()
cosines = (F.normalize(draw(generator, len(LABELS), DIM)) @ F.normalize(draw(generator, CLASSES, DIM)).T).double()
weights = deferred_weights()

print(
    json.dumps(
        {
            "labels": LABELS,
            "counts": COUNTS,
            "temperature": TEMPERATURE,
            "scores": scores.tolist(),
            "shift": shift.tolist(),
            "points": points.tolist(),
            "prototypes": prototypes.tolist(),
            "cosines": cosines.tolist(),
            "weights": weights.tolist(),
            "cross_entropy": golden(lambda s: F.cross_entropy(s, torch.tensor(LABELS)), scores),
            "ot_dynamic": golden(lambda s: F.cross_entropy(s + shift, torch.tensor(LABELS)), scores),
            "focal": [{"setting": g, **golden(lambda s: focal(s, LABELS, g), scores)} for g in GAMMAS],
            "logit_adjusted": [{"setting": t, **golden(lambda s: logit_adjusted(s, LABELS, t), scores)} for t in TAUS],
            "ldam": golden(lambda c: ldam(c, LABELS, None), cosines),
            "ldam_weighted": golden(lambda c: ldam(c, LABELS, weights), cosines),
            "contrastive": golden(lambda z: contrastive(z, LABELS, TEMPERATURE), points),
            "balanced": golden(lambda z, c: balanced_contrastive(z, c, LABELS, TEMPERATURE), points, prototypes),
        },
        indent=1,
    )
)
