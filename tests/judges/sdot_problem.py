"""Transport problems for bench_sdot.py from fixed seeds, and the evaluator for every contender.

Source: n samples of weight 1/n. Score of class j: `scale * features . weights_j`. Cost: minus the score. Offsets `h` are
the classes' potential: a sample belongs to the class with the largest `s_j + h_j`, or by shares `softmax((s + h) / epsilon)`.
"""

from dataclasses import dataclass

import numpy as np
from safetensors.numpy import load_file, save_file

SEED = 20261126
SCALE = 16.0
# Scores that the evaluator holds at once as f64: 64 MiB, so that it does not raise the peak memory of a contender.
BLOCK = 1 << 23


@dataclass
class Problem:
    """Features `[n, d]` and weights `[C, d]` in f32, target masses `[C]` with sum 1, and optional start offsets."""

    features: np.ndarray
    weights: np.ndarray
    target: np.ndarray
    warm_start: np.ndarray | None = None
    scale: float = SCALE

    @property
    def shape(self):
        return len(self.features), len(self.weights), self.features.shape[1]

    def save(self, path):
        tensors = {"features": self.features, "weights": self.weights, "target": self.target}
        if self.warm_start is not None:
            tensors["warm_start"] = self.warm_start
        save_file(tensors, path)


def load(path):
    return Problem(**load_file(path))


def sphere(generator, rows, width):
    """Uniform random points on the unit sphere, f32."""
    points = generator.standard_normal((rows, width))
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)


def skewed(classes, ratio):
    """Masses that fall exponentially; the first is `ratio` times the last."""
    masses = ratio ** (-np.arange(classes) / max(classes - 1, 1))
    return masses / masses.sum()


def made(stream, rows, classes, width, target):
    """Generates a problem. Different values of `stream` give different random numbers."""
    generator = np.random.default_rng([SEED, stream])
    return Problem(sphere(generator, rows, width), sphere(generator, classes, width), target)


def large():
    return made(1, 100_000, 1_000, 64, skewed(1_000, 100))


def inner():
    return made(2, 10_000, 100, 64, skewed(100, 100))


def drifted(problem, part):
    """The problem some training steps later: weights with noise of relative size `part`, projected to the sphere."""
    noise = np.random.default_rng([SEED, 3]).standard_normal(problem.weights.shape)
    weights = problem.weights + part * np.linalg.norm(problem.weights, axis=1).mean() * noise / np.sqrt(noise.shape[1])
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    return Problem(problem.features, weights.astype(np.float32), problem.target)


def inaturalist():
    return made(4, INATURALIST[0], INATURALIST[1], 64, inaturalist_counts() / INATURALIST[0])


# Images and classes of the training set of 2018, and its largest and smallest class.
INATURALIST = (437_513, 8_142, 1_000, 2)


def inaturalist_counts():
    """Integer counts `most * (least / most)^(rank^p)`, where p is chosen for the correct sum. A plain exponential (p = 1)
    between the same ends would have three times as many images."""
    total, classes, most, least = INATURALIST
    rank = np.arange(classes) / (classes - 1)

    def counts(power):
        return most * (least / most) ** (rank**power)

    low, high = 0.05, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if counts(middle).sum() < total else (low, middle)
    whole = np.floor(counts(low)).astype(int)
    # The images lost by rounding are added to the middle ranks, so that both ends stay unchanged.
    missing = total - whole.sum()
    whole[classes // 4 : classes // 4 + missing] += 1
    return whole


def growing(rows, classes):
    return made(5, rows, classes, 64, skewed(classes, 100))


def masses(problem, offsets, epsilon=None):
    """Class masses in f64: of hard cells, or the mean softmax at the temperature `epsilon`."""
    rows, classes, _ = problem.shape
    weights = problem.weights.T.astype(np.float64) * problem.scale
    found = np.zeros(classes)
    step = max(BLOCK // classes, 1)
    for first in range(0, rows, step):
        scores = problem.features[first : first + step].astype(np.float64) @ weights
        scores += offsets
        if epsilon is None:
            found += np.bincount(scores.argmax(axis=1), minlength=classes)
        else:
            scores -= scores.max(axis=1, keepdims=True)
            scores /= epsilon
            np.exp(scores, out=scores)
            found += (1 / scores.sum(axis=1)) @ scores
    return found / rows


def chi_square(problem, offsets, epsilon=None):
    """`sum (m - nu)^2 / nu`; infinite if the offsets are not finite."""
    if not np.isfinite(offsets).all():
        return float("inf")
    return float(((masses(problem, offsets, epsilon) - problem.target) ** 2 / problem.target).sum())
