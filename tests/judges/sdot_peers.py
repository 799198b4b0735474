"""One run of a peer of bench_sdot.py in a separate process: POT's semi-dual and Sinkhorn solvers, and OTT-JAX's solver.

    python tests/judges/sdot_peers.py FILE '{"peer": "pot-asgd", "reg": 0.1, "lr": 1.0}' [--soft EPS] [--limit 300]

Prints one JSON object. The time excludes reading the file, the matrix of costs (POT), compilation and a first step (OTT),
and the evaluator. The library's code is unmodified. Its entropic plans weigh a class by its target mass, so the offsets are
`g + epsilon log(target)`. For hard masses, the better of these offsets and `g` counts.
"""

import argparse
import json
import resource
import sys
import time
import warnings
from pathlib import Path

import numpy as np
from sdot_problem import load
from sdot_stop import SPACING, TOLERANCE, Clock, Over


def costs(problem, dtype, start):
    """Costs `[n, C]` minus the start potential, because POT's stochastic solvers always start at zero."""
    found = problem.features @ (problem.weights.T * np.float32(-problem.scale))
    found -= start.astype(np.float32)
    # A constant per row does not change the plan, and avoids underflow of exp(-cost / reg).
    found -= found.min(axis=1, keepdims=True)
    return found.astype(dtype)


def start_of(problem, reg):
    """The potential of the warm start: its offsets minus the term of the target's mass at the temperature `reg`."""
    if problem.warm_start is None:
        return np.zeros(len(problem.target))
    return problem.warm_start - reg * np.log(problem.target)


def offsets_of(problem, potential, reg, soft):
    """Possible offsets, in our convention, for a peer's potential."""
    weighted = potential + reg * np.log(problem.target)
    return [weighted] if soft or not reg else [weighted, potential]


class Watched(np.random.RandomState):
    """Random rows for POT's stochastic loops, which draw one per iteration. The draw gives access to the running average.

    The loops have neither a warm start nor a callback, so the alternative would be a run from zero for every length. Rows
    are drawn in advance, which avoids most of numpy's overhead per draw.
    """

    def begin(self, clock, variable, handed):
        self.clock, self.variable, self.handed = clock, variable, handed
        self.rows, self.iterations, self.check = [], 0, 0

    def randint(self, rows):
        if not self.rows:
            self.rows = super().randint(rows, size=4096).tolist()
        self.iterations += 1
        # The clock is checked only once in 64 draws.
        if self.iterations >= self.check:
            self.check += 64
            if self.clock.due():
                self.clock.look(self.handed(sys._getframe(1).f_locals[self.variable]))
        return self.rows.pop()


def pot_stochastic(problem, setting, soft, limit, spacing):
    from ot import stochastic

    name, variable = {
        "pot-asgd": ("averaged_sgd_entropic_transport", "ave_beta"),
        "pot-sag": ("sag_entropic_transport", "cur_beta"),
    }[setting["peer"]]
    rows, reg = len(problem.features), setting["reg"]
    start = start_of(problem, reg)
    matrix, source = costs(problem, np.float64, start), np.full(rows, 1 / rows)
    watched = Watched(0)
    clock = Clock(problem, soft, limit, spacing)
    watched.begin(clock, variable, lambda potential: offsets_of(problem, potential + start, reg, soft))
    try:
        getattr(stochastic, name)(source, problem.target, matrix, reg, sys.maxsize, setting["lr"], watched)
    except Over:
        pass
    return clock, watched.iterations


def pot_sinkhorn(problem, setting, soft, limit, spacing):
    """Counts the iterations first, in successive calls with warm starts, and then times one call with as many."""
    import ot
    from scipy.special import logsumexp

    warnings.simplefilter("ignore")
    dtype, reg = setting["dtype"], setting["reg"]
    rows = len(problem.features)
    # The scalings include the target's mass, so offsets and warm starts need no correction.
    shift = start_of(problem, 0.0)
    matrix, target = costs(problem, dtype, shift), problem.target.astype(dtype)
    source = np.full(rows, 1 / rows, dtype)
    options = {"method": setting["method"], "stopThr": 0, "log": True, "warn": False}
    logs = ("log_u", "log_v") if setting["method"] == "sinkhorn_log" else ("u", "v")

    def potentials(log):
        pair = [np.asarray(log[key]) for key in logs]
        return pair if logs[0] == "log_u" else [np.log(one) for one in pair]

    def called(iterations, warm):
        return potentials(ot.sinkhorn(source, target, matrix, reg, numItermax=iterations, warmstart=warm, **options)[1])

    # An iteration begins with the potential of the rows, so the warm start of the classes is converted to it.
    start = None
    if problem.warm_start is not None:
        start = (np.log(source) - logsumexp(-matrix / reg, axis=1), np.zeros_like(target))
    # The limit is doubled, because these calls repeat work that a single call does once.
    counting, done, warm = Clock(problem, soft, 2 * limit, spacing), 0, start
    try:
        while True:
            step = max(done // 8, 1)
            warm, done = called(step, warm), done + step
            counting.look([reg * warm[1].astype(np.float64) + shift])
    except Over:
        pass
    if not counting.reached:
        return counting, done
    timed = Clock(problem, soft, limit, spacing)
    v = called(done, start)[1]
    try:
        timed.judge([reg * v.astype(np.float64) + shift])
    except Over:
        pass
    # The tolerance allows for rounding, because the same steps run in another order.
    timed.reached = timed.chi_square < TOLERANCE * 1.05
    timed.trace = counting.trace
    return timed, done


def ott(problem, setting, soft, limit, spacing):
    """Runs `SemidiscreteSolver.step` in a compiled scan, as the solver does, but without its own error estimates."""
    import jax
    import jax.numpy as jnp
    import optax
    from ott.geometry.costs import NegDotProduct
    from ott.geometry.semidiscrete_pointcloud import SemidiscretePointCloud
    from ott.problems.linear.semidiscrete_linear_problem import SemidiscreteLinearProblem
    from ott.solvers.linear.semidiscrete import SemidiscreteSolver, SemidiscreteState

    features = jnp.asarray(problem.features * np.float32(problem.scale))

    def sampler(rng, shape, dtype=None):
        return features[jax.random.randint(rng, shape[:1], 0, len(features))]

    geometry = SemidiscretePointCloud(sampler, jnp.asarray(problem.weights), NegDotProduct(), epsilon=setting["reg"])
    transport = SemidiscreteLinearProblem(geometry, jnp.asarray(problem.target, dtype=jnp.float32))
    rate = setting["lr"]
    decay = setting["decay"]
    # The rate is constant for about `decay` iterations, and then falls as 1 / sqrt(iterations), which suits averaging.
    schedule = (lambda step: rate / jnp.sqrt(1 + step / decay)) if decay else rate
    optimizer = getattr(optax, setting["optimizer"])(schedule)
    solver = SemidiscreteSolver(
        num_iterations=1, batch_size=setting["batch"], optimizer=optimizer, potential_ema=setting["ema"]
    )

    @jax.jit
    def chunk(state):
        def step(state, _):
            return solver.step(jax.random.fold_in(jax.random.key(0), state.it), state, transport), None

        return jax.lax.scan(step, state, None, length=setting["chunk"])[0]

    g = jnp.asarray(start_of(problem, setting["reg"]), dtype=jnp.float32)
    empty = jnp.zeros(1)
    state = SemidiscreteState(jnp.array(0), jnp.array(0.0), g, g, optimizer.init(g), empty, empty, empty)
    before = time.perf_counter()
    compiled = chunk.lower(state).compile()
    compiling = time.perf_counter() - before
    jax.block_until_ready(compiled(state))
    state = jax.block_until_ready(state)
    clock = Clock(problem, soft, limit, spacing)
    try:
        while True:
            state = jax.block_until_ready(compiled(state))
            if clock.due():
                clock.look(offsets_of(problem, np.asarray(state.g_ema, dtype=np.float64), setting["reg"], soft))
    except Over:
        pass
    clock.compile_seconds = compiling
    return clock, int(state.it)


PEERS = {"pot-asgd": pot_stochastic, "pot-sag": pot_stochastic, "pot-sinkhorn": pot_sinkhorn, "ott": ott}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("problem", type=Path)
    parser.add_argument("setting", type=json.loads)
    parser.add_argument("--soft", type=float)
    parser.add_argument("--limit", type=float, default=300)
    parser.add_argument("--spacing", type=float, default=SPACING)
    arguments = parser.parse_args()
    clock, iterations = PEERS[arguments.setting["peer"]](
        load(arguments.problem), arguments.setting, arguments.soft, arguments.limit, arguments.spacing
    )
    found = {
        "setting": arguments.setting,
        "reached": clock.reached,
        "seconds": clock.wall,
        "cpu_seconds": clock.cpu,
        "chi_square": clock.chi_square,
        "iterations": iterations,
        "compile_seconds": getattr(clock, "compile_seconds", 0.0),
        "peak_rss_bytes": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        "trace": clock.trace[-40:],
    }
    print(json.dumps(found))


if __name__ == "__main__":
    sys.exit(main())
