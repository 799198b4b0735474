"""How the solver's time grows with samples and with classes: points, and exponents fitted to their logarithms."""

import math
import statistics
import sys

import sdot_ours
from sdot_problem import growing

# Samples at 500 classes, and classes at 50,000 samples.
AXES = {
    "samples": [(rows, 500) for rows in (10_000, 20_000, 40_000, 80_000, 160_000)],
    "classes": [(50_000, classes) for classes in (125, 250, 500, 1_000, 2_000)],
}


def growth(arguments, folder):
    found = {}
    for axis, shapes in AXES.items():
        # In rounds over all sizes, so that a slow minute of the machine is not one size's.
        runs = {shape: [] for shape in shapes}
        for _ in range(arguments.rounds):
            for shape in shapes:
                problem, path = growing(*shape), folder / "growing.safetensors"
                problem.save(path)
                runs[shape].append(sdot_ours.solved(arguments, path, problem, None))
                one = runs[shape][-1]
                text = f"growth, {shape}: wall {one['seconds']:.3f} s, chi-square {one['chi_square']:.2e}"
                print(text, file=sys.stderr, flush=True)
        found[axis] = {"points": [point(shape, runs[shape]) for shape in shapes]}
        for key in ("wall", "cpu"):
            sizes = [one[axis] for one in found[axis]["points"]]
            found[axis][f"{key}_exponent"] = exponent(sizes, [one[key]["median"] for one in found[axis]["points"]])
    return found


def point(shape, runs):
    found = {"samples": shape[0], "classes": shape[1], "chi_square": max(one["chi_square"] for one in runs)}
    found["iterations"] = runs[0]["said"].get("iterations")
    for name, key in (("wall", "seconds"), ("cpu", "cpu_seconds")):
        values = [one[key] for one in runs]
        found[name] = {"median": statistics.median(values), "least": min(values), "most": max(values)}
    return found


def exponent(sizes, seconds):
    """Slope of log seconds over log size by least squares, and its standard error from the residuals."""
    x, y = [math.log(size) for size in sizes], [math.log(second) for second in seconds]
    mean_x, mean_y = statistics.mean(x), statistics.mean(y)
    square = sum((one - mean_x) ** 2 for one in x)
    slope = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y)) / square
    residuals = [b - mean_y - slope * (a - mean_x) for a, b in zip(x, y)]
    error = math.sqrt(sum(one**2 for one in residuals) / (len(x) - 2) / square)
    return {"slope": slope, "standard_error": error, "seconds_at_1": math.exp(mean_y - slope * mean_x)}
