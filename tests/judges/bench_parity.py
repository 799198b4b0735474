"""Measures time and memory of `tailfold parity` on two files of logits, with 50,000 images of 1,000 classes.

    .venv/bin/python tests/judges/bench_parity.py --program target/dist/tailfold [--images 50000] [--classes 1000] [--rounds 5]

The script generates the files from a seed: logits of a long-tailed classifier, and the same logits with noise, as .npy
and, if pyarrow is installed, as Parquet. Each round is a separate process. The page cache is warm, because the files are new.
"""

import argparse
import multiprocessing
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

SEED = 20261126
# Exit statuses of a completed comparison: pass, fail, inconclusive.
COMPARED = (0, 1, 3)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", type=Path, required=True)
    parser.add_argument("--images", type=int, default=50_000)
    parser.add_argument("--classes", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        # Another process writes the files, because the peak memory of a child includes its parent's memory at the fork.
        writer = multiprocessing.get_context("spawn").Process(target=write, args=(folder, arguments.images, arguments.classes))
        writer.start()
        writer.join()
        if writer.exitcode:
            sys.exit("the logits could not be written")
        for kind, suffix in (("npy", "npy"), ("Parquet, snappy", "parquet")):
            files = [folder / f"{name}.{suffix}" for name in ("reference", "candidate")]
            if all(file.exists() for file in files):
                measured(arguments, folder, kind, files)


def write(folder, images, classes):
    """Writes the logits in every available format."""
    generator = np.random.default_rng(SEED)
    labels = generator.integers(0, classes, images)
    np.save(folder / "labels.npy", labels)
    counts = np.maximum(1280 * 0.994 ** np.arange(classes), 5).astype(int)
    (folder / "counts.txt").write_text("\n".join(map(str, counts)))
    reference = generator.normal(size=(images, classes)).astype(np.float32)
    reference[np.arange(images), labels] += generator.normal(4.0, 1.5, images).astype(np.float32)
    candidate = reference + generator.normal(scale=0.05, size=reference.shape).astype(np.float32)
    sides = {"reference": reference, "candidate": candidate}
    for name, values in sides.items():
        np.save(folder / f"{name}.npy", values)
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        print("skipped: Parquet (pyarrow is not installed)")
        return
    for name, values in sides.items():
        rows = pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), classes)
        pq.write_table(pa.table({"logits": rows, "label": labels}), folder / f"{name}.parquet", row_group_size=2048)


def measured(arguments, folder, kind, files):
    command = [arguments.program, "parity", "--reference", files[0], "--candidate", files[1]]
    command += ["--labels", folder / "labels.npy", "--counts", folder / "counts.txt", "--report", folder / "report"]
    walls, cpus, peak = [], [], 0
    for _ in range(arguments.rounds):
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        printed = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        walls.append(time.perf_counter() - start)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpus.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        peak = max(peak, usage.ru_maxrss)
        if os.waitstatus_to_exitcode(status) not in COMPARED:
            sys.exit(f"ended with status {os.waitstatus_to_exitcode(status)}")
    size = sum(file.stat().st_size for file in files) / 2**20
    print(f"{kind}: {arguments.images} images of {arguments.classes} classes, {size:.0f} MiB in two files")
    print(printed.decode().splitlines()[0])
    print(f"wall {statistics.median(walls):.2f} s ({min(walls):.2f} to {max(walls):.2f}), "
          f"processor {statistics.median(cpus):.2f} s, peak memory {peak / 1024:.0f} MiB, {arguments.rounds} rounds")


if __name__ == "__main__":
    main()
