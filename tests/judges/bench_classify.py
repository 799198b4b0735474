"""Runs many images through `tailfold classify`, and checks that no image is lost, order is kept, and memory does not grow.

    .venv/bin/python tests/judges/bench_classify.py --images 10000 --plot docs/bench/watch.svg

One of a hundred images is damaged. The first run reads a folder, a few images at a time. The second run watches a folder
into which the same number of images is moved, and its memory is measured repeatedly. The exit status is 1 if an image is
lost, repeated, out of order or wrongly classified, or if memory grows by more than 5 % after the first tenth of the images.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "models/fashion-lt/fashion-lt.int8.onnx"
EVERY = 100
GROWTH = 1.05


def picture(generator):
    """A 28 x 28 image of smooth noise, as PNG."""
    coarse = generator.integers(0, 256, (7, 7), dtype=np.uint8)
    return Image.fromarray(coarse).resize((28, 28), Image.Resampling.BILINEAR)


def is_damaged(index):
    return index % EVERY == 37


def write(folder, count, scratch):
    """Renames `count` files into `folder`, one after the other."""
    generator = np.random.default_rng(20261126)
    for index in range(count):
        part = scratch / "part.png"
        picture(generator).save(part)
        if is_damaged(index):
            part.write_bytes(part.read_bytes()[:90])
        part.rename(folder / f"{index:06}.png")
        yield index


def verdict(rows, count):
    """Describes the first error in the rows of `count` images; None without an error."""
    names = [Path(row["file"]).name for row in rows]
    expected = [f"{index:06}.png" for index in range(count)]
    if names != expected:
        return f"{len(names)} rows for {count} images, or in another order"
    for index, row in enumerate(rows):
        if is_damaged(index) != ("error" in row) or is_damaged(index) == ("top" in row):
            return f"row {index}: {row}"
    return None


def resident_kib(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise ValueError(f"process {pid} has no VmRSS")


def folder_run(program, count, jobs):
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        folder = scratch / "in"
        folder.mkdir()
        for _ in write(folder, count, scratch):
            pass
        begin = time.monotonic()
        command = [program, "classify", "--model", MODEL, "--json", "--jobs", str(jobs), folder]
        done = subprocess.run(command, capture_output=True, text=True)
        seconds = time.monotonic() - begin
    rows = json.loads(done.stdout)["images"]
    wrong = verdict(rows, count)
    bad = sum("error" in row for row in rows)
    print(f"folder: {len(rows)} rows, {bad} of them errors, exit status {done.returncode}, {seconds:.1f} s")
    print(f"        {done.stderr.strip().splitlines()[0]}")
    return wrong or (None if done.returncode == 1 else f"exit status {done.returncode}")


def watched_run(program, count, plot):
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        folder = scratch / "in"
        folder.mkdir()
        command = [program, "classify", "--model", MODEL, "--json-lines", "--watch", folder]
        rows, memory = [], []
        with open(scratch / "talk", "w+") as talk:
            watcher = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=talk, text=True)
            reader = threading.Thread(target=lambda: rows.extend(json.loads(line) for line in watcher.stdout))
            reader.start()
            time.sleep(1)
            for index in write(folder, count, scratch):
                # Classified images are removed, as from a folder that would fill up.
                if index >= 200:
                    (folder / f"{index - 200:06}.png").unlink(missing_ok=True)
                while index - len(rows) > 100:
                    time.sleep(0.01)
                if index % 50 == 0:
                    memory.append((len(rows), resident_kib(watcher.pid)))
            begin = time.monotonic()
            while len(rows) < count and time.monotonic() - begin < 60:
                time.sleep(0.05)
            memory.append((len(rows), resident_kib(watcher.pid)))
            watcher.send_signal(signal.SIGTERM)
            status = watcher.wait(timeout=60)
            reader.join()
            talk.seek(0)
            last = [line for line in talk.read().splitlines() if "images in" in line][-1]
    wrong = verdict(rows, count)
    early = max(kib for answered, kib in memory if answered <= count / 10)
    late = max(kib for _, kib in memory)
    print(f"watch:  {len(rows)} rows, exit status {status}; resident {early} KiB in the first tenth, at most {late} KiB")
    print(f"        {last}")
    if plot:
        draw(memory, plot)
    if late > GROWTH * early:
        wrong = wrong or f"memory grew from {early} to {late} KiB"
    return wrong or (None if status == 1 else f"exit status {status}")


def draw(memory, path):
    """Draws resident memory over images, as SVG."""
    width, height, left, bottom = 640, 240, 60, 40
    most, top = memory[-1][0], max(kib for _, kib in memory) / 1024 * 1.2

    def at(images, mib):
        return f"{left + images / most * (width - left - 20):.1f},{height - bottom - mib / top * (height - bottom - 20):.1f}"

    line = " ".join(at(images, kib / 1024) for images, kib in memory)
    grid = []
    for i in range(5):
        mib, images = top * i / 4, most * i / 4
        x, y = at(images, 0).split(",")[0], at(0, mib).split(",")[1]
        grid.append(f'<path d="M{left} {y}H{width - 20}" stroke="#ddd"/>')
        grid.append(f'<text x="{left - 8}" y="{y}" text-anchor="end" dy="4">{mib:.1f}</text>')
        grid.append(f'<text x="{x}" y="{height - bottom + 16}" text-anchor="middle">{images:.0f}</text>')
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="11">'
        f'<title>Resident memory of tailfold classify --watch</title><rect width="100%" height="100%" fill="#fff"/>'
        f"{''.join(grid)}"
        f'<polyline points="{line}" fill="none" stroke="#0072b2" stroke-width="2"/>'
        f'<text x="{width / 2}" y="{height - 6}" text-anchor="middle">images classified</text>'
        f'<text x="{left}" y="12">resident memory, MiB</text></svg>\n'
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", type=Path, default=ROOT / "target/debug/tailfold")
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--plot", type=Path, help="SVG of the memory while watching")
    arguments = parser.parse_args()
    wrong = folder_run(arguments.program, arguments.images, arguments.jobs)
    wrong = wrong or watched_run(arguments.program, arguments.images, arguments.plot)
    print("holds" if wrong is None else f"DOES NOT HOLD: {wrong}")
    return 0 if wrong is None else 1


if __name__ == "__main__":
    sys.exit(main())
