"""Runs one program with limits and reports its exit status and its largest resident memory.

    python third_party_launch.py DESCRIPTOR BYTES PROGRAM ARGUMENTS...

Writes the exit status (negative for a signal) and the memory in bytes to the file descriptor. BYTES limits the address
space. A process inherits the peak memory of the process that forks it: this small one stands between the checks, which
hold gigabytes, and the program.
"""

import os
import resource
import sys


def main():
    descriptor, space, *command = sys.argv[1:]
    program = os.fork()
    if program == 0:
        os.close(int(descriptor))
        resource.setrlimit(resource.RLIMIT_AS, (int(space), int(space)))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.execv(command[0], command)
    _, status, usage = os.wait4(program, 0)
    os.write(int(descriptor), f"{os.waitstatus_to_exitcode(status)} {usage.ru_maxrss * 1024}".encode())


main()
