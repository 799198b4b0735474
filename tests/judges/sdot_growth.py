"""Growth of the solver's time with samples and classes: measured points, and exponents fitted to their logarithms."""

import math
import statistics
import sys

import sdot_ours
from sdot_problem import growing

# Numbers of samples at 100 classes, and numbers of classes at 200,000 samples, which suffice for the stop.
AXES = {
    "samples": [(rows, 100) for rows in (20_000, 40_000, 80_000, 160_000, 320_000, 640_000)],
    "classes": [(200_000, classes) for classes in (125, 250, 500, 1_000, 2_000)],
}


def growth(arguments, folder):
    found = {}
    for axis, shapes in AXES.items():
        # Each round has all sizes, so that a slow phase of the machine does not affect a single size.
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


def draw(found, path):
    """Draws wall seconds over each axis, both logarithmic, with the fitted line, as SVG."""
    import matplotlib

    matplotlib.use("svg")
    # The SVG keeps text as text, and equal data give equal files.
    matplotlib.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "tailfold", "font.size": 9}
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, len(found), figsize=(9, 3.4), layout="constrained", sharey=True)
    for panel, (axis, one) in zip(panels, found.items()):
        sizes = [point[axis] for point in one["points"]]
        medians = [point["wall"]["median"] for point in one["points"]]
        below = [median - point["wall"]["least"] for median, point in zip(medians, one["points"])]
        above = [point["wall"]["most"] - median for median, point in zip(medians, one["points"])]
        panel.errorbar(sizes, medians, [below, above], fmt="o", color="#0072b2", capsize=3)
        fit = one["wall_exponent"]
        line = [fit["seconds_at_1"] * size ** fit["slope"] for size in sizes]
        other = {"samples": "classes", "classes": "samples"}[axis]
        label = f"seconds ~ {axis}^({fit['slope']:.2f} ± {fit['standard_error']:.2f})"
        panel.plot(sizes, line, color="#d55e00", label=label)
        panel.set(xscale="log", yscale="log", xlabel=f"{axis}, at {one['points'][0][other]:,} {other}")
        panel.set_xticks(sizes, [f"{size:,}" for size in sizes], rotation=20)
        panel.minorticks_off()
        panel.grid(color="#ddd")
        panel.legend(frameon=False)
    panels[0].set_ylabel("wall seconds")
    figure.savefig(path, metadata={"Date": None})
