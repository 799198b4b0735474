"""Run `tailfold parity` on a Ray cluster: one task per shard, lost tasks run again, and one verdict for all images.

    pip install ray==2.60.0
    python ray_parity.py --shards 8 --reference model.onnx --candidate model.int8.onnx --data 'folder:photos?split=test'

Program, models and images lie under the same paths on every node; the parts come back through Ray. The arguments
after `--` go to `tailfold merge` (`--json`, `--report DIR`). Exit status: the verdict's.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import ray


class Unusable(Exception):
    """A shard that failed, and would fail again with the same models and images."""


def part_of(command, index, shards):
    """Return the part of one shard, as bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{index}.part"
        done = subprocess.run(
            [*command, "--shard", f"{index}/{shards}", "--partial", path], stderr=subprocess.PIPE, text=True
        )
        # A program that a signal ended, for example for lack of memory, may succeed elsewhere.
        if done.returncode < 0:
            raise RuntimeError(f"shard {index}/{shards} was ended by signal {-done.returncode}")
        if done.returncode:
            raise Unusable(f"shard {index}/{shards}: {done.stderr.strip()}")
        return path.read_bytes()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default="tailfold")
    parser.add_argument("--shards", type=int, default=4)
    parser.add_argument("--cpus", type=float, default=1, help="processors per task")
    parser.add_argument("--reference", required=True)
    parser.add_argument("--candidate", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--policy")
    parser.add_argument("merge", nargs="*", help="options of `tailfold merge`")
    arguments = parser.parse_args()

    command = [arguments.program, "parity", "--reference", arguments.reference, "--candidate", arguments.candidate]
    command += ["--data", arguments.data]
    if arguments.policy:
        command += ["--policy", arguments.policy]

    # Ray reports dead workers on stdout, which must hold the verdict alone.
    stdout = os.dup(1)
    os.dup2(2, 1)
    ray.init(log_to_driver=False)
    # Ray starts the task of a dead worker or node again elsewhere, and so it does for a task that a signal ended.
    task = ray.remote(num_cpus=arguments.cpus, max_retries=3, retry_exceptions=[RuntimeError])(part_of)
    shards = range(arguments.shards)
    pending = {task.remote(command, index, arguments.shards): index for index in shards}
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{index}.part" for index in shards]
        while pending:
            [done], _ = ray.wait(list(pending))
            index = pending.pop(done)
            try:
                paths[index].write_bytes(ray.get(done))
            except ray.exceptions.RayError as error:
                print(f"error: {error}", file=sys.stderr)
                return 2
            print(f"shard {index}/{arguments.shards} is done", file=sys.stderr)
        return subprocess.run([arguments.program, "merge", *paths, *arguments.merge], stdout=stdout).returncode


if __name__ == "__main__":
    sys.exit(main())
