"""Markdown tables of bench_quantize.py."""

import statistics

RUNTIMES = {
    "plain": "ONNX Runtime, graph as it is",
    "optimized": "ONNX Runtime, optimized",
    "tailfold": "tailfold, integer kernels",
}


def markdown(report, observers):
    parts = [f"{report['rounds']} rounds in turns. {report['machine']}".strip()]
    for net in report["networks"]:
        parts.append(f"## {net['network']}")
        if "decisions" in net:
            parts.append(
                f"{net['calibration_images']} calibration images, {net['judged_images']} others judged; the float model's "
                f"accuracy is {percent(net['float_accuracy'])} %. Of each file: share of images decided as by the float "
                "model / accuracy. Ours as it comes corrects; plain ours does not, as theirs. Weights of 7 bits are against sums "
                "that saturate. In the last column the images that only ours and only theirs decides as the float model does, "
                "and the probability of so uneven a split by chance."
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
        "CPU and wall seconds and peak memory of a whole process; ratios are round by round, theirs over the contender. In "
        "brackets theirs without Python's start and imports, over all of ours.",
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
