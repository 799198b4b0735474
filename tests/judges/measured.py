"""Runs a command and says what it took: wall and processor seconds, and the peak of its resident memory.

    python measured.py COMMAND [ARGUMENT...]

One JSON object on stdout: `wall_s`, `cpu_s` (user and system, all threads), `peak_rss_bytes`, `status`, and the command's
`stdout` and `stderr`. It is a program of its own because a child's peak counts the memory of what started it, so that has
to be small: nothing but the standard library is imported.
"""

import json
import os
import subprocess
import sys
import tempfile
import time


def main():
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.perf_counter()
        child = subprocess.Popen(sys.argv[1:], stdout=out, stderr=err, stdin=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - start
        found = {
            "wall_s": wall,
            "cpu_s": usage.ru_utime + usage.ru_stime,
            "peak_rss_bytes": 1024 * usage.ru_maxrss,
            "status": os.waitstatus_to_exitcode(status),
        }
        for name, file in (("stdout", out), ("stderr", err)):
            file.seek(0)
            found[name] = file.read().decode(errors="replace")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
