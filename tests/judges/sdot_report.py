"""Markdown tables of bench_sdot.py."""

TITLES = {
    "large": "100,000 samples, 1,000 classes, 64 dimensions, target skewed 100 to 1",
    "inner": "10,000 samples, 100 classes, 64 dimensions, target skewed 100 to 1, without an earlier solution",
    "inner-warm-1": "The same with weights that drifted by 1 %, starting from the solution before the drift",
    "inner-warm-5": "The same with weights that drifted by 5 %",
}
NAMES = {
    "pot-asgd": "POT, averaged SGD of the semi-dual",
    "pot-sag": "POT, SAG of the semi-dual",
    "pot-sinkhorn": "POT, Sinkhorn",
    "ott": "OTT-JAX, SemidiscreteSolver",
}
UNITS = {"seconds": ("s", 1), "peak_rss_bytes": ("MiB", 2**20), "chi_square": ("chi-square", 1)}


def markdown(report):
    about = f"{report['rounds']} rounds, {report['threads']} threads, {report['machine'] or 'machine not named'}"
    lines = ["# The transport solver, compared with POT and OTT-JAX", "", f"Stop: chi-square below {report['tolerance']:g}. {about}."]
    lines += ["Medians, with the range over the rounds; a ratio is the peer's time divided by ours in the same round. All solvers have the same"]
    lines += ["stop (for ours, `largest_relative` is infinite); by default ours also brings each class within half of its mass or one sample."]
    lines += ["On small problems the first call is a warm-up and does not count: the first of our eight calls, OTT-JAX's first step, the first Sinkhorn"]
    lines += ["calls of POT; POT's stochastic solvers make one call, which counts.", ""]
    for name, found in report["cases"].items():
        if name in TITLES:
            lines += [f"## {TITLES[name]}", ""]
            for row in found:
                lines += table(row, report["limit"])
        elif name == "inaturalist":
            lines += goals(found)
        else:
            lines += grown(found)
    return "\n".join(lines).rstrip() + "\n"


def table(row, limit):
    stop = "hard cells" if row["stop"] == "hard" else f"soft masses at a temperature of {row['stop']}"
    lines = [f"### To {stop}", "", f"The chi-square at the start is {row['chi_square_at_start']:.1e}.", ""]
    lines += ["| solver | wall s | CPU s | wall ratio | CPU ratio | chi-square | peak MiB |"]
    lines += ["|---|---|---|---|---|---|---|"]
    ours = row["ours"]
    name = "tailfold" if all(one["reached"] for one in ours) else "tailfold, NOT reached"
    lines.append(line(name, ranged(row["ours_wall"]), ranged(row["ours_cpu"]), "", "", ours))
    for peer, found in row["peers"].items():
        name = f"{NAMES[peer]} ({setting(found['runs'][0]['setting'])})"
        if found["reached"]:
            times = [ranged(found[key]) for key in ("wall", "cpu", "wall_ratio", "cpu_ratio")]
        elif "wall_least_ratio" in found:
            least = [f"> {found[key]:.3g}" for key in ("wall_least_ratio", "cpu_least_ratio")]
            times = [f"not reached in {limit:g} s", "", *least]
        else:
            times = ["failed: " + found["runs"][-1].get("error", ""), "", "", ""]
        lines.append(line(name, *times, found["runs"]))
    runs = [one for found in row["peers"].values() for one in found["runs"]]
    compiled = [one["compile_seconds"] for one in runs if one.get("compile_seconds")]
    if compiled:
        lines += ["", f"Compilation, which the times exclude: {min(compiled):.1f} to {max(compiled):.1f} s."]
    return [*lines, ""]


def line(name, wall, cpu, wall_ratio, cpu_ratio, runs):
    worst = max(one["chi_square"] for one in runs)
    peak = max(one.get("peak_rss_bytes", 0) for one in runs) / 2**20
    return f"| {name} | {wall} | {cpu} | {wall_ratio} | {cpu_ratio} | {worst:.1e} | {peak:.0f} |"


def setting(values):
    return ", ".join(f"{key} {value}" for key, value in values.items() if key != "chunk")


def ranged(values):
    return f"{values['median']:.3g} ({values['least']:.3g} to {values['most']:.3g})"


def goals(found):
    lines = ["## 437,513 samples, 8,142 classes, 64 dimensions: the shape of iNaturalist 2018", ""]
    lines += ["| | goal | worst of the rounds | |", "|---|---|---|---|"]
    for key, one in found["goals"].items():
        unit, size = UNITS[key]
        verdict = "met" if one["met"] else "**missed**"
        lines.append(f"| {unit} | < {one['goal'] / size:g} | {one['worst'] / size:.4g} | {verdict} |")
    return [*lines, "", f"One additional sample in every class would be a chi-square of {found['one_sample_a_class']:.1e}.", ""]


def grown(found):
    lines = ["## How time grows", "", "![Seconds over samples and over classes, with fitted lines](sdot.svg)", ""]
    for axis, one in found.items():
        fits = [f"{key} time grows with {axis} to the power of {fit(one[f'{key}_exponent'])}" for key in ("wall", "cpu")]
        lines += ["; ".join(fits).capitalize() + ".", "", "| samples | classes | wall s | CPU s | chi-square |"]
        lines += ["|---|---|---|---|---|"]
        for point in one["points"]:
            times = f"{ranged(point['wall'])} | {ranged(point['cpu'])}"
            lines.append(f"| {point['samples']:,} | {point['classes']:,} | {times} | {point['chi_square']:.1e} |")
        lines.append("")
    return lines


def fit(exponent):
    return f"{exponent['slope']:.2f} ± {exponent['standard_error']:.2f}"
