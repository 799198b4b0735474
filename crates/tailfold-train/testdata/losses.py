"""Writes losses.json: PyTorch's values and gradients of the two losses, which `src/loss/tests.rs` compares with.

Made with Python 3.11 and torch==2.9.0 on the CPU:

    pip install torch==2.9.0
    python losses.py > losses.json

Inputs are rounded to f32 and everything after is f64, so that a comparison in f32 starts from the same numbers. The
contrastive loss is written anchor by anchor, as Khosla et al. (NeurIPS 2020) print it, and shares no code with ours.
"""

import json

import torch
import torch.nn.functional as F

TEMPERATURE = 0.1
# Class 4 has one image: an anchor without a positive.
LABELS = [0, 3, 0, 4, 3, 0, 3]
CLASSES = 5
DIM = 6


def contrastive(points, labels, temperature):
    """Equation 2, mean over the anchors that have a positive."""
    losses = []
    for i, anchor in enumerate(points):
        others = [j for j in range(len(points)) if j != i]
        positives = [j for j in others if labels[j] == labels[i]]
        if positives:
            logits = {j: anchor @ points[j] / temperature for j in others}
            log_sum = torch.logsumexp(torch.stack([logits[j] for j in others]), 0)
            losses.append(-sum(logits[j] - log_sum for j in positives) / len(positives))
    return torch.stack(losses).mean()


def draw(generator, *shape):
    return torch.randn(*shape, generator=generator, dtype=torch.float32)


generator = torch.Generator().manual_seed(20250117)
scores = (3 * draw(generator, len(LABELS), CLASSES)).double().requires_grad_()
shift = draw(generator, CLASSES).double()
points = F.normalize(draw(generator, len(LABELS), DIM)).double().requires_grad_()

softmax_loss = F.cross_entropy(scores + shift, torch.tensor(LABELS))
softmax_loss.backward()
contrastive_loss = contrastive(points, LABELS, TEMPERATURE)
contrastive_loss.backward()

print(
    json.dumps(
        {
            "labels": LABELS,
            "temperature": TEMPERATURE,
            "scores": scores.tolist(),
            "shift": shift.tolist(),
            "softmax_loss": softmax_loss.item(),
            "softmax_gradient": scores.grad.tolist(),
            "points": points.tolist(),
            "contrastive_loss": contrastive_loss.item(),
            "contrastive_gradient": points.grad.tolist(),
        },
        indent=1,
    )
)
