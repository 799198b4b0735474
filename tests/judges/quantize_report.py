"""Markdown tables of bench_quantize.py."""

import statistics

RUNTIMES = {
    "plain": "ONNX Runtime, unoptimized graph",
    "optimized": "ONNX Runtime, optimized",
    "tailfold": "tailfold, integer kernels",
}


def markdown(report, observers):
    parts = [f"{report['rounds']} rounds of interleaved runs. {report['machine']}".strip()]
    for net in report["networks"]:
        parts.append(f"## {net['network']}")
        if "decisions" in net:
            parts.append(
                f"{net['calibration_images']} calibration images, {net['judged_images']} other test images; the accuracy of the float "
                f"model is {percent(net['float_accuracy'])} %. Each cell: top-1 agreement with the float model / accuracy, in "
                "percent. *ours* has the default corrections; *ours, plain* has no corrections, like *theirs* "
                "(`quantize_static`). Weights of 7 bits prevent saturating sums. The last column has the number of images on "
                "which only ours, and only theirs, agrees with the float model, and the p-value of the sign test."
            )
            parts.append(decisions(net, observers))
        parts.append(costs(net))
    return "\n\n".join(parts) + "\n"


def percent(share):
    return f"{100 * share:.2f}"


def decisions(net, observers):
    found = {(row["observer"], row["runtime"], row["whose"]): row for row in net["decisions"]}
    whose = ["ours", "ours, plain", "theirs", "ours, 7 bits", "theirs, 7 bits"]
    lines = [f"| runtime | observer | {' | '.join(whose)} | only |", "| --- | --- |" + " ---: |" * (len(whose) + 1)]
    for runtime, title in RUNTIMES.items():
        for observer in observers:
            rows = [found.get((observer, runtime, name)) for name in whose]
            cells = [f"{percent(row['agreement'])} / {percent(row['accuracy'])}" if row else "" for row in rows]
            other = rows[2]
            only = f"{other['only_ours_agree']} : {other['only_theirs_agree']}, p = {other['p']:.2g}" if other else ""
            lines.append(f"| {title} | {observer} | {' | '.join(cells)} | {only} |")
    return "\n".join(lines)


def spread(values, digits=2):
    middle, low, high = statistics.median(values), min(values), max(values)
    return f"{middle:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"


def costs(net):
    contenders = ["theirs", "ours, plain", "ours"]
    lines = [
        "CPU seconds, wall seconds and peak memory of a whole process. Ratios are theirs divided by the contender, round by round. "
        "In brackets: theirs without the start and the imports of Python, divided by all of the contender.",
        "",
        "| observer | contender | CPU, s | wall, s | peak, MB | CPU ratio | wall ratio |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for observer, rounds in net["costs"].items():
        for name in contenders:
            if name not in rounds[0]:
                continue
            of = {key: statistics.median(pair[name][key] for pair in rounds) for key in ("cpu_s", "wall_s", "peak_rss_bytes")}
            cells = [f"{of['cpu_s']:.2f}", f"{of['wall_s']:.2f}", f"{of['peak_rss_bytes'] / 1e6:.0f}"]
            lines.append(f"| {observer} | {name} | {' | '.join(cells + ratios(rounds, name))} |")
    return "\n".join(lines)


def ratios(rounds, name):
    """CPU and wall time of ONNX Runtime's quantizer relative to `name`; empty if either is missing."""
    if name == "theirs" or "theirs" not in rounds[0]:
        return ["", ""]
    found = []
    for key in ("cpu_s", "wall_s"):
        whole = [pair["theirs"][key] / pair[name][key] for pair in rounds]
        own = [pair["theirs"]["own_" + key] / pair[name][key] for pair in rounds]
        found.append(f"{spread(whole)} [{statistics.median(own):.2f}]")
    return found
