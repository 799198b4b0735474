"""Runs a command and measures its wall time, processor time and peak resident memory.

    python measured.py COMMAND [ARGUMENT...]

Prints one JSON object: `wall_s`, `cpu_s` (user and system, all threads), `peak_rss_bytes`, `status`, and the command's
`stdout` and `stderr`. This is a separate program, because the peak memory of a child includes the memory of its parent. To
stay small, it imports only the standard library.
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
