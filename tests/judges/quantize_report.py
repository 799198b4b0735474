"""Tables of bench_quantize.py."""

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
                "model, and accuracy. In the last column the images that only ours and only theirs (8 bits) decides as the "
                "float model does, and the probability of so uneven a split by chance."
            )
            parts.append(decisions(net, observers))
        parts.append(costs(net))
    return "\n\n".join(parts) + "\n"


def percent(share):
    return f"{100 * share:.2f}"


def decisions(net, observers):
    found = {(row["observer"], row["runtime"], row["whose"]): row for row in net["decisions"]}
    lines = [
        "| runtime | observer | ours: agreement | theirs | theirs, 7 bits | ours: accuracy | theirs | theirs, 7 bits | only |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for runtime, title in RUNTIMES.items():
        for observer in observers:
            rows = [found.get((observer, runtime, whose)) for whose in ("ours", "theirs", "theirs, 7 bits")]
            cells = [percent(row[key]) if row else "" for key in ("agreement", "accuracy") for row in rows]
            other = rows[1]
            only = f"{other['only_ours_agree']} : {other['only_theirs_agree']}, p = {other['p']:.2g}" if other else ""
            lines.append(f"| {title} | {observer} | {' | '.join(cells)} | {only} |")
    return "\n".join(lines)


def spread(values, digits=2):
    middle, low, high = statistics.median(values), min(values), max(values)
    return f"{middle:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"


def costs(net):
    heads = [
        f"{what}: ours, {unit} | theirs | theirs over ours"
        for what, unit in (("wall", "s"), ("CPU", "s"), ("peak", "MB"))
    ]
    lines = [f"| observer | {' | '.join(heads)} |", "| --- |" + " ---: |" * 9]
    without = [
        "Theirs without Python's start and imports, over all of ours:",
        "",
        "| observer | wall | CPU |",
        "| --- | ---: | ---: |",
    ]
    for observer, rounds in net["costs"].items():
        cells = []
        for key, unit in (("wall_s", 1), ("cpu_s", 1), ("peak_rss_bytes", 1e6)):
            mine = [pair["ours"][key] / unit for pair in rounds]
            digits = 0 if unit > 1 else 2
            cells.append(f"{statistics.median(mine):.{digits}f}")
            if "theirs" in rounds[0]:
                other = [pair["theirs"][key] / unit for pair in rounds]
                cells.append(f"{statistics.median(other):.{digits}f}")
                cells.append(spread([b / a for a, b in zip(mine, other)]))
            else:
                cells += ["", ""]
        lines.append(f"| {observer} | {' | '.join(cells)} |")
        if "theirs" in rounds[0]:
            ratios = [
                spread([pair["theirs"][own] / pair["ours"][key] for pair in rounds])
                for own, key in (("own_wall_s", "wall_s"), ("own_cpu_s", "cpu_s"))
            ]
            without.append(f"| {observer} | {' | '.join(ratios)} |")
    return "\n".join(lines + [""] + without)
