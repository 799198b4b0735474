"""Compares the solver with exact linear programming (HiGHS), and its soft masses with NumPy in double precision.

Requirements for hard cells follow from the energy `E(h) = sum_i w_i max_j (s_ij + h_j) - nu . h`. Its minimum is the value
of the transport problem `max <P, s>`, with row sums `w` and column sums `nu`. `E` is convex and piecewise linear, and its
slope at `h` is `mass(h) - nu`. So:
- The energy of any offsets is at least the value of the linear program.
- If some offsets meet the masses exactly, cells that meet them are optimal. This is the case for integer counts of equal
  samples in general position. One sample too many is a slope of only 1/n, which the energy may hide. So masses must be
  equal, and then energies must be equal up to rounding.
- If no offsets meet the masses exactly (fractions of a sample, repeated points), the minimum is at a kink where samples are
  split. Cells near it miss the mass of a class by less than a sample, or by less than a clump of equal samples. The energy
  must be as near to the minimum as moving the missing mass across the widest pair of scores.
- No cell separates equal classes, so their masses count together.
"""

import json

import numpy as np
from evidence import finite
from onnx_checker import Verdict
from safetensors.numpy import load_file, save_file
from scipy.optimize import linprog
from scipy.sparse import coo_array
from solver_problems import PROBLEMS

PROGRAM = "examples/solve"
# Stop for hard cells. One sample of the largest problem is a chi-square of 6e-6, and rounding of masses is one of 1e-29.
TIGHT = "1e-20"
# Tolerance of energies relative to the widest score difference. f32 scores have seven digits, and HiGHS stops at 1e-10.
SAME_ENERGY = 1e-6
# The same for twins, which finally differ by the last temperature (1/65536 of the spread) times the log of their ratio.
SAME_ENERGY_TWINS = 1e-4
# Rounding error of sums over a few hundred samples in f64, and of their shares.
ROUNDING = 1e-12
# Stop for soft masses, and their absolute and, for rare classes, relative tolerance.
SOFT_TIGHT = "1e-24"
SOFT_ABSOLUTE, SOFT_RELATIVE = 1e-10, 1e-6
# Temperatures relative to the spread: a smooth problem, and a problem with nearly hard cells.
TEMPERATURES = (1 / 4, 1 / 40)
SOFT_METHODS = ("auto", "newton-cg")


def solved(evidence, name, *arguments):
    """Runs the program. Returns the problem, the program's output, its offsets and masses."""
    problem = PROBLEMS[name]()
    stem = name.replace(" ", "-").replace(",", "")
    given, out = evidence.scratch / f"{stem}.safetensors", evidence.scratch / f"{stem}.offsets.safetensors"
    save_file(problem.tensors(), given)
    if not (evidence.bins / PROGRAM).is_file():
        raise Verdict(f"there is no {PROGRAM}: run `cargo build -p tailfold-sdot --example solve`")
    said = json.loads(evidence.run(PROGRAM, given, "--out", out, *arguments))
    found = load_file(out)
    offsets, mass = found["offsets"], found["mass"]
    if offsets.shape != problem.target.shape or mass.shape != problem.target.shape:
        raise Verdict(f"offsets {offsets.shape} and masses {mass.shape} for {problem.target.shape} classes")
    finite(offsets, "an offset")
    finite(mass, "a mass")
    return problem, said, offsets, mass


def energy(problem, offsets):
    """`E(h)` in f64."""
    return problem.weights @ (problem.scores.astype(np.float64) + offsets).max(axis=1) - problem.target @ offsets


def cells(problem, offsets):
    """Masses of the hard cells in f64."""
    winners = (problem.scores.astype(np.float64) + offsets).argmax(axis=1)
    return np.bincount(winners, problem.weights, len(problem.target))


def linear_program(problem):
    """The value of the transport problem. Masses are scaled to samples meanwhile, because HiGHS has absolute tolerances."""
    rows, classes = problem.scores.shape
    if classes == 1:
        return float(problem.weights @ problem.scores[:, 0].astype(np.float64))
    entries = np.arange(rows * classes)
    ones = np.ones(2 * entries.size)
    at = np.concatenate([entries // classes, rows + entries % classes])
    sums = coo_array((ones, (at, np.tile(entries, 2))), shape=(rows + classes, rows * classes))
    target = problem.target / problem.target.sum()
    right = rows * np.concatenate([problem.weights, target])
    tolerances = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
    # The sum of the last column is left out: it follows from the others, and rounding could make it infeasible.
    costs = -problem.scores.astype(np.float64).ravel() / problem.spread
    done = linprog(costs, A_eq=sums.tocsr()[:-1], b_eq=right[:-1], options=tolerances, method="highs")
    if done.status:
        raise Verdict(f"HiGHS found no optimum: {done.message}")
    return -done.fun / rows * problem.spread


def together(problem, masses):
    """Masses, with the masses of twins added up."""
    if not problem.twins:
        return masses
    first, *others = problem.twins
    masses = masses.copy()
    masses[first] += masses[others].sum()
    return np.delete(masses, others)


def solver_is_exact(evidence, name):
    problem, said, offsets, mass = solved(evidence, name, "--chi-square", TIGHT)
    judged, target = together(problem, cells(problem, offsets)), together(problem, problem.target)
    floor = problem.clump * problem.weights.max()
    claimed = np.abs(together(problem, mass) - judged).max()
    # If the program computes the scores, a sample on a border in f32 may lie on the other side.
    if claimed > (floor + ROUNDING if problem.factors else ROUNDING):
        raise Verdict(f"the program's masses differ by {claimed:.1e} from the masses of its offsets")
    off = np.abs(judged - target)
    worst = int(off.argmax())
    if off[worst] > (ROUNDING if problem.exact else floor + ROUNDING):
        samples = off[worst] / problem.weights.max()
        raise Verdict(f"class {worst} is off by {samples:.2f} samples, {said['stop']} after {said['iterations']} steps")
    if problem.exact and said["stop"] != "converged":
        raise Verdict(f"the masses are met, but the program reports the stop `{said['stop']}`")
    least = linear_program(problem)
    gap = (energy(problem, offsets) - least) / problem.spread
    allowed = SAME_ENERGY_TWINS if problem.twins else SAME_ENERGY
    if not problem.exact:
        allowed += off.sum() / 2
    if not -SAME_ENERGY <= gap <= allowed:
        raise Verdict(f"the energy is {gap:.1e} spreads above the linear program's, allowed {allowed:.1e}")
    off_by = f"masses off by {off.max() / problem.weights.max():.2g} samples"
    rows, classes = problem.scores.shape
    return f"{rows} samples, {classes} classes, energy {gap:+.1e} spreads from the linear program, {off_by}, {said['stop']}"


def soft_masses_are_met(evidence, name):
    worst = 0.0
    for part in TEMPERATURES:
        for method in SOFT_METHODS:
            epsilon = part * PROBLEMS[name]().spread
            how = ["--soft", repr(epsilon), "--chi-square", SOFT_TIGHT]
            how += ["--method", method] if method != "auto" else []
            problem, said, offsets, mass = solved(evidence, name, *how)
            judged = shares(problem, offsets, epsilon)
            where = f"at a temperature of {epsilon:.3g} by {method}, {said['stop']} after {said['iterations']} steps"
            off = np.abs(judged - problem.target)
            # Scores that the program computes have seven digits in f32, and so have their shares.
            allowed = 1e-6 if problem.factors else SOFT_ABSOLUTE
            relative = float((off / problem.target).max())
            if off.max() > allowed or relative > (1e-4 if problem.factors else SOFT_RELATIVE):
                raise Verdict(f"a mean softmax is off by {off.max():.1e}, relatively {relative:.1e}, {where}")
            if np.abs(mass - judged).max() > allowed:
                raise Verdict(f"the program's masses differ by {np.abs(mass - judged).max():.1e} from NumPy's, {where}")
            if said["epsilon"] != epsilon:
                raise Verdict(f"the program reports a temperature of {said['epsilon']}, {where}")
            worst = max(worst, float(off.max()))
    return f"{len(TEMPERATURES)} temperatures, {len(SOFT_METHODS)} methods, mean softmax off by {worst:.1e}"


def shares(problem, offsets, epsilon):
    """Mean softmax of the scores in f64."""
    values = (problem.scores.astype(np.float64) + offsets) / epsilon
    values = np.exp(values - values.max(axis=1, keepdims=True))
    return problem.weights @ (values / values.sum(axis=1, keepdims=True))
