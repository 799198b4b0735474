"""Small transport problems for solver.py from fixed seeds: several shapes, weights and skews, and degenerate cases."""

from dataclasses import dataclass, field

import numpy as np

SEED = 20261127


@dataclass
class Problem:
    """Scores `[n, C]` in f32, or their two factors; target masses; optional sample weights.

    `exact`: some offsets meet the target exactly, so the solver must find the minimal hard energy. `clump`: number of
    samples that no offsets can separate. `twins`: classes with equal scores, which no hard cells can separate.
    """

    scores: np.ndarray
    target: np.ndarray
    sample_weights: np.ndarray | None = None
    exact: bool = True
    clump: int = 1
    twins: tuple = ()
    factors: dict = field(default_factory=dict)

    @property
    def weights(self):
        """Weights of the samples, with sum 1."""
        weights = np.ones(len(self.scores)) if self.sample_weights is None else self.sample_weights
        return weights / weights.sum()

    @property
    def spread(self):
        """Largest difference between two scores of a sample, which is the unit of energies; 1 if all are equal."""
        scores = self.scores.astype(np.float64)
        return float((scores.max(axis=1) - scores.min(axis=1)).max()) or 1.0

    def tensors(self):
        found = dict(self.factors) if self.factors else {"scores": self.scores}
        found["target"] = self.target
        if self.sample_weights is not None:
            found["sample_weights"] = self.sample_weights
        return found


def drawn(stream, rows, classes, width):
    generator = np.random.default_rng([SEED, stream])
    return generator, generator.standard_normal((rows, width)), generator.standard_normal((classes, width))


def product(features, weights):
    return (features @ weights.T).astype(np.float32)


def counted(stream, counts, width):
    """Integer counts of equal samples in general position."""
    counts = np.array(counts)
    _, features, weights = drawn(stream, counts.sum(), len(counts), width)
    return Problem(product(features, weights), counts / counts.sum())


def factors():
    """A problem as factors: the program's own f32 products may differ from these scores in the last digit."""
    counts = np.array([150, 80, 40, 20, 10, 5, 3, 2, 1, 1])
    _, features, weights = drawn(3, counts.sum(), len(counts), 8)
    factors = {"features": features.astype(np.float32), "weights": weights.astype(np.float32)}
    scores = product(factors["features"].astype(np.float64), factors["weights"].astype(np.float64))
    return Problem(scores, counts / counts.sum(), factors=factors)


def fractional():
    generator, features, weights = drawn(4, 97, 7, 4)
    return Problem(product(features, weights), generator.dirichlet(np.ones(7)), exact=False)


def weighted(zeros):
    """A target that some offsets meet exactly; with unequal samples, other masses cannot be met."""
    generator, features, weights = drawn(21 if zeros else 30, 200, 6, 3)
    scores, samples = product(features, weights), generator.uniform(0.1, 1.0, 200)
    if zeros:
        samples[generator.random(200) < 0.3] = 0.0
    cells = (scores + generator.normal(scale=0.3, size=6)).argmax(axis=1)
    target = np.bincount(cells, samples, 6) / samples.sum()
    assert target.min() > 0, "another stream is needed: a class of no mass is refused"
    return Problem(scores, target, samples)


def repeated(counts, exact):
    """Forty points, each repeated five times."""
    _, features, weights = drawn(7, 40, 4, 2)
    return Problem(product(np.repeat(features, 5, axis=0), weights), np.array(counts) / 200, exact=exact, clump=5)


def collinear():
    """Six classes that differ in only one direction; without offsets, the middle classes win no sample."""
    _, features, _ = drawn(8, 300, 6, 2)
    weights = np.outer([-2, -1, 0.1, 0.2, 1, 3], [0.6, 0.8])
    return Problem(product(features, weights), np.array([100, 20, 60, 60, 50, 10]) / 300)


def equal_classes():
    _, features, weights = drawn(9, 240, 5, 3)
    weights[3] = weights[0]
    return Problem(product(features, weights), np.array([60, 40, 80, 20, 40]) / 240, exact=False, twins=(0, 3))


def tiny_mass():
    """A class with less mass than a sample; the other targets are integer counts minus its share."""
    _, features, weights = drawn(10, 400, 5, 3)
    target = np.append(np.array([200, 100, 60, 40]) / 400 * (1 - 1e-9), 1e-9)
    return Problem(product(features, weights), target, exact=False)


def far_apart():
    """Scores with a thousandfold range, and a distant class, whose offset is as large as that range."""
    _, features, weights = drawn(11, 250, 6, 5)
    scores = 1000 * (features @ weights.T)
    scores[:, 2] -= 20_000
    return Problem(scores.astype(np.float32), np.array([100, 50, 40, 30, 20, 10]) / 250)


PROBLEMS = {
    "two classes on a line": lambda: counted(1, [30, 71], 1),
    "one sample a class": lambda: counted(2, [1] * 12, 3),
    "skewed counts, factors": factors,
    "fractions of samples": fractional,
    "sample weights": lambda: weighted(0),
    "sample weights of zero": lambda: weighted(1),
    "points five times": lambda: repeated([100, 50, 35, 15], exact=True),
    "points five times, uneven": lambda: repeated([97, 53, 37, 13], exact=False),
    "collinear weights": collinear,
    "equal classes": equal_classes,
    "one class": lambda: counted(12, [50], 2),
    "a mass of 1e-9": tiny_mass,
    "far apart": far_apart,
}
